package parity;

import static org.apache.kafka.streams.kstream.Suppressed.BufferConfig.unbounded;
import static org.apache.kafka.streams.kstream.Suppressed.untilTimeLimit;
import static org.apache.kafka.streams.kstream.Suppressed.untilWindowCloses;

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
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

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
            case "repartition" -> repartitioned(stream, name);
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
            case "slidingCount" -> byStart(
                    grouped(stream)
                            .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(15), ms(40)))
                            .count(Inputs.numbers(name)),
                    7);
            case "sessionCount" -> byStart(
                    grouped(stream)
                            .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(12), ms(30)))
                            .count(Inputs.numbers(name)),
                    5);
            case "finalCount" -> byStart(
                    grouped(stream)
                            .windowedBy(TimeWindows.ofSizeAndGrace(ms(30), ms(50)))
                            .emitStrategy(EmitStrategy.onWindowClose())
                            .count(Inputs.<WindowStore<Bytes, byte[]>>numbers(name).withRetention(Duration.ofDays(1))),
                    90);
            case "suppressedCount" -> byStart(
                    grouped(stream)
                            .windowedBy(TimeWindows.ofSizeAndGrace(ms(25), ms(60)))
                            .count(Inputs.numbers(name))
                            .suppress(untilWindowCloses(unbounded())),
                    75);
            case "limited" -> table(stream, name).suppress(untilTimeLimit(ms(20), unbounded())).toStream();
            case "aggregate" -> grouped(stream)
                    .aggregate(() -> 1L, (key, n, total) -> (total * 2 + n) % 97, Inputs.numbers(name))
                    .toStream();
            case "cogroup" -> grouped(stream)
                    .<Long>cogroup((key, n, total) -> (total * 3 + n) % 100)
                    .cogroup(grouped(Inputs.others(b)), (key, n, total) -> (total + n) % 100)
                    .aggregate(() -> 0L, Inputs.numbers(name))
                    .toStream();
            case "joinOfStreams" -> stream.join(
                    Inputs.others(b),
                    (n, other) -> (n + other) % 100,
                    JoinWindows.ofTimeDifferenceAndGrace(ms(20), Duration.ofMinutes(1)),
                    joined(name));
            case "selfJoin" -> {
                KStream<String, Long> again = repartitioned(stream, name + "-again");
                yield again.join(
                        again,
                        (n, other) -> (n * 2 + other) % 100,
                        JoinWindows.ofTimeDifferenceAndGrace(ms(10), Duration.ofMinutes(1)).after(ms(5)),
                        joined(name));
            }
            case "tableOfTable" -> table(stream, name)
                    .filter((key, n) -> n > 1)
                    .mapValues(n -> n * 2 % 50)
                    .toStream();
            case "groupedTable" -> table(stream, name + "-rows")
                    .groupBy((key, n) -> KeyValue.pair("g" + n % 3, n), Grouped.with(name + "-by", Json.TEXT, Json.NUMBER))
                    .reduce((total, n) -> total + n, (total, n) -> total - n, Inputs.numbers(name))
                    .toStream();
            case "transformValues" -> {
                b.addStateStore(Processors.numbers(name + "-updates"));
                yield table(stream, name + "-rows")
                        .transformValues(
                                () -> new CountingUpdates(name + "-updates"),
                                Inputs.<KeyValueStore<Bytes, byte[]>>numbers(name),
                                name + "-updates")
                        .toStream();
            }
            case "tableJoin" -> table(stream, name).join(rows(), (n, row) -> n + row.length()).toStream();
            case "tableLeftJoin" -> table(stream, name)
                    .leftJoin(rows(), (n, row) -> n + (row == null ? 10 : row.length()))
                    .toStream();
            case "tableOuterJoin" -> table(stream, name)
                    .outerJoin(rows(), (n, row) -> (n == null ? 20 : n) + (row == null ? 10 : row.length()))
                    .toStream();
            case "punctuate" -> {
                b.addStateStore(Processors.numbers(name));
                yield stream.process(() -> Processors.countsEveryForty(name), name);
            }
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

    private static Duration ms(long ms) {
        return Duration.ofMillis(ms);
    }

    private static KStream<String, Long> repartitioned(KStream<String, Long> stream, String name) {
        return stream.filter((key, n) -> key != null)
                .repartition(Repartitioned.with(Json.TEXT, Json.NUMBER).withName(name));
    }

    private static KGroupedStream<String, Long> grouped(KStream<String, Long> stream) {
        return stream.groupByKey(Inputs.GROUPED);
    }

    private static KTable<String, Long> table(KStream<String, Long> stream, String name) {
        return stream.toTable(Inputs.<KeyValueStore<Bytes, byte[]>>numbers(name));
    }

    private static StreamJoined<String, Long, Long> joined(String name) {
        return StreamJoined.with(Json.TEXT, Json.NUMBER, Json.NUMBER).withName(name).withStoreName(name);
    }

    /** Windows as keys of text: the key, and where in a period of so many ms the window starts. */
    private static KStream<String, Long> byStart(KTable<Windowed<String>, Long> windows, long period) {
        return windows.toStream().selectKey((windowed, n) -> windowed.key() + windowed.window().start() % period);
    }

    /** Adds to a row how many updates it has had; every fourth deletes it. */
    private static final class CountingUpdates implements ValueTransformerWithKey<String, Long, Long> {
        private final String name;
        private KeyValueStore<String, Long> counts;

        CountingUpdates(String name) {
            this.name = name;
        }

        @Override
        public void init(ProcessorContext context) {
            counts = context.getStateStore(name);
        }

        @Override
        public Long transform(String key, Long n) {
            Long before = counts.get(key);
            long updates = (before == null ? 0 : before) + 1;
            counts.put(key, updates);
            return n == null || updates % 4 == 0 ? null : Long.valueOf((n + updates) % 50);
        }

        @Override
        public void close() {}
    }

    /** One table, however often it is joined. */
    private KTable<String, String> rows() {
        if (rows == null) rows = Inputs.rows(b);
        return rows;
    }
}
