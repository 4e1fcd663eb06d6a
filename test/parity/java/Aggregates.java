package parity;

import java.util.Arrays;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.state.KeyValueStore;

/** Count, reduce and aggregate per key; twins of topologies/aggregates.ts. */
final class Aggregates {

    private Aggregates() {}

    static void count(StreamsBuilder b) {
        Results.to(
                "results", Inputs.numbers(b).groupByKey(Inputs.GROUPED).count(Inputs.numbers("counts")).toStream());
    }

    static void reduce(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .reduce((sum, n) -> sum * 3 % 1000 + n, Inputs.numbers("sums"))
                        .toStream());
    }

    static void reduceToNull(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .reduce((sum, n) -> sum + n > 12 ? null : sum + n, Inputs.numbers("sums"))
                        .toStream());
    }

    static void aggregate(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .toStream());
    }

    static void aggregateToNull(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .aggregate(
                                () -> "", (key, n, trace) -> n > 6 ? null : trace(key, n, trace), Inputs.texts("traces"))
                        .toStream());
    }

    static void groupByCount(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupBy((key, n) -> n == null ? "gone" : n > 5 ? null : key + n % 2, Inputs.GROUPED)
                        .count(Inputs.numbers("counts"))
                        .toStream());
    }

    static void mapThenReduce(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .map((key, n) -> KeyValue.pair(key == null ? "none" : "k", n == null ? null : n + 1))
                        .groupByKey(Inputs.GROUPED)
                        .reduce((sum, n) -> sum * 3 % 1000 + n, Inputs.numbers("sums"))
                        .toStream());
    }

    static void sharedGrouping(StreamsBuilder b) {
        KGroupedStream<String, Long> grouped = Inputs.numbers(b)
                .groupBy(
                        (key, n) -> n == null ? null : key,
                        Grouped.with("by-key", Json.TEXT, Json.NUMBER));
        Results.to("first", grouped.count(Inputs.numbers("counts")).toStream());
        Results.to(
                "results",
                grouped.aggregate(() -> "", Aggregates::trace, Inputs.<KeyValueStore<Bytes, byte[]>>texts("traces"))
                        .toStream());
    }

    static void countOfCounts(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .count(Inputs.numbers("counts"))
                        .toStream()
                        .groupBy((key, count) -> count % 3 + "", Inputs.GROUPED)
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("counts-of-counts"))
                        .toStream());
    }

    static void wordCount(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.lines(b)
                        .flatMapValues(line -> line == null ? Arrays.<String>asList() : Arrays.asList(line.split(" ")))
                        .groupBy(
                                (key, word) -> word,
                                Grouped.with(Json.TEXT, Json.TEXT))
                        .count(Inputs.numbers("words"))
                        .toStream());
    }

    /** What went in, in its order, as far as it fits. */
    static String trace(String key, Object value, String trace) {
        String longer = trace + key + value + ",";
        return longer.substring(Math.max(0, longer.length() - 24));
    }
}
