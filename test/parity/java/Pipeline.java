package parity;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;

/** Operators in any sequence, each making numbers of numbers; the twin of pipeline.ts, which has the same stages. */
final class Pipeline {

    private final StreamsBuilder b = new StreamsBuilder();
    private KTable<String, String> rows;

    private Pipeline() {}

    static Topology of(JsonNode stages) {
        Pipeline pipeline = new Pipeline();
        KStream<String, Long> stream = Inputs.numbers(pipeline.b);
        for (int step = 0; step < stages.size(); step++) {
            JsonNode stage = stages.get(step);
            stream = pipeline.stage(stage.get("operator").asText(), "s" + step, stream);
            if (stage.get("tapped").asBoolean()) Results.to("tap" + step, stream);
        }
        Results.to("results", stream);
        return pipeline.b.build();
    }

    private KStream<String, Long> stage(String operator, String name, KStream<String, Long> stream) {
        return switch (operator) {
            case "filter" -> stream.filter((key, n) -> n == null || n % 2 == 0);
            case "filterNot" -> stream.filterNot((key, n) -> key != null && n != null && n > 5);
            case "mapValues" -> stream.mapValues(n -> n == null ? Long.valueOf(4) : n > 6 ? null : Long.valueOf(n + 1));
            case "map" -> stream.map((key, n) -> KeyValue.pair(key == null ? "none" : key.charAt(0) + "" + n, n));
            case "selectKey" -> stream.selectKey((key, n) -> n == null ? null : n % 3 + "");
            case "flatMap" -> stream.flatMap((key, n) -> {
                List<KeyValue<String, Long>> pairs = new ArrayList<>();
                for (long i = 0; n != null && i < n % 3; i++) pairs.add(KeyValue.pair("f" + i, n + i));
                return pairs;
            });
            case "flatMapValues" -> stream.flatMapValues(n -> Collections.nCopies(n == null ? 1 : n % 2 == 0 ? 2 : 0, n));
            case "merge" -> stream.merge(Inputs.others(b));
            case "split" -> {
                var branches = stream.split(Named.as(name))
                        .branch((key, n) -> n != null && n > 3, Branched.as("large"))
                        .defaultBranch(Branched.as("rest"));
                yield branches.get(name + "large").mapValues(n -> n - 3).merge(branches.get(name + "rest"));
            }
            case "repartition" -> stream.filter((key, n) -> key != null)
                    .repartition(Repartitioned.with(Json.TEXT, Json.NUMBER).withName(name));
            case "toTable" -> stream.toTable(Inputs.<KeyValueStore<Bytes, byte[]>>numbers(name))
                    .toStream();
            case "join" -> stream.join(
                    rows(), (n, row) -> n + row.length(), Joined.with(Json.TEXT, Json.NUMBER, Json.TEXT, name));
            case "leftJoin" -> stream.leftJoin(
                    rows(),
                    (n, row) -> row == null ? n : Long.valueOf(n + row.length()),
                    Joined.with(Json.TEXT, Json.NUMBER, Json.TEXT, name));
            case "count" -> stream.groupByKey(Inputs.GROUPED)
                    .count(Inputs.numbers(name))
                    .toStream();
            case "reduce" -> stream.groupByKey(Inputs.GROUPED)
                    .reduce((sum, n) -> sum + n > 12 ? null : Long.valueOf(sum % 5 * 2 + n), Inputs.numbers(name))
                    .toStream();
            case "windowedCount" -> stream.groupByKey(Inputs.GROUPED)
                    .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(40), Duration.ofMillis(10))
                            .advanceBy(Duration.ofMillis(20)))
                    .count(Inputs.numbers(name))
                    .toStream()
                    .selectKey((windowed, n) -> windowed.key() + windowed.window().start() % 40);
            case "process" -> {
                b.addStateStore(Processors.numbers(name));
                yield stream.process(() -> Processors.runningSum(name), name);
            }
            case "processValues" -> {
                b.addStateStore(Processors.numbers(name));
                yield stream.processValues(() -> Processors.runningDifference(name), name);
            }
            default -> throw new IllegalArgumentException("no stage " + operator);
        };
    }

    /** One table, however often it is joined. */
    private KTable<String, String> rows() {
        if (rows == null) rows = Inputs.rows(b);
        return rows;
    }
}
