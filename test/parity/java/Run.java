package parity;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.StreamsConfig.InternalConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers;
import org.apache.kafka.streams.test.TestRecord;

/** One input through one topology, on a driver of its own. */
final class Run {

    private static final Instant NOW = Instant.parse("2024-01-01T00:00:00Z");

    private Run() {}

    static List<Row> of(Topology topology, List<Row> input, String stateDir) throws IOException {
        List<Row> output = new ArrayList<>();
        Results.written();
        try (TopologyTestDriver driver = new TopologyTestDriver(topology, settings(stateDir), NOW)) {
            for (Row row : input) {
                var topic = driver.createInputTopic(row.topic(), new ByteArraySerializer(), new ByteArraySerializer());
                topic.pipeInput(new TestRecord<>(
                        bytes(row.key()), bytes(row.value()), headers(row), Instant.ofEpochMilli(row.timestamp())));
                for (String name : Results.written()) output.add(read(driver, name));
            }
        }
        return output;
    }

    /** Every update shows at once: no record cache, and nothing waits for the wall clock, which stands still. */
    private static Properties settings(String stateDir) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "parity");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        settings.put(StreamsConfig.STATE_DIR_CONFIG, stateDir);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        settings.put(InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0);
        settings.put(InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX, 0);
        // A window's row goes to the millisecond; on RocksDB it would linger until its whole segment goes.
        settings.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, InMemoryDslStoreSuppliers.class);
        return settings;
    }

    private static Row read(TopologyTestDriver driver, String name) throws IOException {
        var record = driver.createOutputTopic(name, new ByteArrayDeserializer(), new ByteArrayDeserializer())
                .readRecord();
        List<List<String>> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            headers.add(List.of(header.key(), new String(header.value(), StandardCharsets.UTF_8)));
        }
        return new Row(name, json(record.key()), json(record.value()), record.timestamp(), headers);
    }

    private static Headers headers(Row row) {
        Headers headers = new RecordHeaders();
        for (List<String> header : row.headers()) {
            headers.add(header.get(0), header.get(1).getBytes(StandardCharsets.UTF_8));
        }
        return headers;
    }

    private static byte[] bytes(JsonNode node) {
        return node.isNull() ? null : Json.write(node);
    }

    private static JsonNode json(byte[] bytes) throws IOException {
        return bytes == null ? Json.MAPPER.nullNode() : Json.MAPPER.readTree(bytes);
    }
}
