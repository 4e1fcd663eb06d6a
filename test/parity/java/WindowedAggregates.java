package parity;

import java.time.Duration;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Tumbling and hopping windows; twins of topologies/windowed-aggregates.ts. */
final class WindowedAggregates {

    private WindowedAggregates() {}

    static void tumblingCount(StreamsBuilder b) {
        Results.to("results", tumbling(b, 0).count(Inputs.numbers("counts")).toStream());
    }

    static void tumblingReduce(StreamsBuilder b) {
        Results.to(
                "results",
                tumbling(b, 30)
                        .reduce((sum, n) -> sum * 3 % 1000 + (n == null ? 500 : n), Inputs.numbers("sums"))
                        .toStream());
    }

    static void tumblingAggregate(StreamsBuilder b) {
        Results.to(
                "results",
                tumbling(b, 75)
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .toStream());
    }

    static void tumblingAggregateToNull(StreamsBuilder b) {
        Results.to(
                "results",
                tumbling(b, 75)
                        .aggregate(
                                () -> "",
                                (key, n, trace) -> n == null || n > 6 ? null : Aggregates.trace(key, n, trace),
                                Inputs.texts("traces"))
                        .toStream());
    }

    static void hoppingCount(StreamsBuilder b) {
        Results.to("results", hopping(b, 50, 25, 0).count(Inputs.numbers("counts")).toStream());
    }

    static void hoppingReduce(StreamsBuilder b) {
        Results.to(
                "results",
                hopping(b, 60, 20, 100)
                        .reduce((sum, n) -> n == null ? null : sum + n > 12 ? null : sum + n, Inputs.numbers("sums"))
                        .toStream());
    }

    static void hoppingAggregate(StreamsBuilder b) {
        Results.to(
                "results",
                hopping(b, 50, 17, 40)
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .toStream());
    }

    static void groupedByValue(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupBy((key, n) -> n == null ? null : n % 3 + "", Inputs.GROUPED)
                        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(40), Duration.ofMillis(20)))
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .toStream());
    }

    static void twoSizes(StreamsBuilder b) {
        KGroupedStream<String, Long> grouped = Inputs.numbers(b).groupByKey(Inputs.GROUPED);
        var small = TimeWindows.ofSizeAndGrace(Duration.ofMillis(20), Duration.ofMillis(10));
        var large = TimeWindows.ofSizeAndGrace(Duration.ofMillis(200), Duration.ofMillis(1000));
        Results.to("first", grouped.windowedBy(small).count(Inputs.numbers("small")).toStream());
        Results.to("results", grouped.windowedBy(large).count(Inputs.numbers("large")).toStream());
    }

    static void countOfCounts(StreamsBuilder b) {
        Results.to(
                "results",
                hopping(b, 50, 25, 25)
                        .count(Inputs.numbers("counts"))
                        .toStream()
                        .map((windowed, count) -> KeyValue.pair(windowed.key() + windowed.window().start() % 100, count))
                        .groupByKey(Inputs.GROUPED)
                        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(100), Duration.ofMillis(10)))
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .toStream());
    }

    private static TimeWindowedKStream<String, Long> tumbling(StreamsBuilder b, long graceMs) {
        return Inputs.numbers(b)
                .groupByKey(Inputs.GROUPED)
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(50), Duration.ofMillis(graceMs)));
    }

    private static TimeWindowedKStream<String, Long> hopping(
            StreamsBuilder b, long sizeMs, long advanceMs, long graceMs) {
        return Inputs.numbers(b)
                .groupByKey(Inputs.GROUPED)
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(sizeMs), Duration.ofMillis(graceMs))
                        .advanceBy(Duration.ofMillis(advanceMs)));
    }
}
