package parity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.Topology;

/**
 * Kafka Streams behind a pipe, a JSON object a line: first it says which topologies it has, then every request
 * {"topology" or "stages", "input"} on stdin gets its {"output"} or {"error"} on stdout, until stdin ends. Argument: a directory of its own.
 */
public final class Main {

    private Main() {}

    public static void main(String[] args) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // Whatever else is printed is no answer.
        System.setOut(System.err);
        out.println(Json.MAPPER.writeValueAsString(Map.of("topologies", Topologies.names())));
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(Json.MAPPER.writeValueAsString(answer(line, args[0])));
        }
    }

    private static Map<String, Object> answer(String line, String stateDir) throws JsonProcessingException {
        JsonNode request = Json.MAPPER.readTree(line);
        try {
            List<Row> input = Json.MAPPER.convertValue(request.get("input"), new TypeReference<>() {});
            JsonNode stages = request.get("stages");
            Topology topology =
                    stages == null ? Topologies.of(request.get("topology").asText()) : Pipeline.of(stages);
            return Map.of("output", Run.of(topology, input, stateDir));
        } catch (Exception e) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            return Map.of("error", trace.toString());
        }
    }
}
