package parity;

import java.time.Duration;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.state.WindowStore;

/** Sliding windows; twins of topologies/sliding-aggregates.ts. */
final class SlidingAggregates {

    /** The default is short of what a late record looks for (differences.ts), so nothing is left to it. */
    private static final Duration RETENTION = Duration.ofDays(1);

    private SlidingAggregates() {}

    static void count(StreamsBuilder b) {
        Results.to("results", sliding(b, 15, 10).count(counts()).toStream());
    }

    static void countWithoutGrace(StreamsBuilder b) {
        Results.to("results", sliding(b, 20, 0).count(counts()).toStream());
    }

    static void countWithLongGrace(StreamsBuilder b) {
        Results.to("results", sliding(b, 5, 200).count(counts()).toStream());
    }

    static void countOfNearlyAll(StreamsBuilder b) {
        Results.to("results", sliding(b, 300, 50).count(counts()).toStream());
    }

    static void countOfOneMillisecond(StreamsBuilder b) {
        Results.to("results", sliding(b, 1, 30).count(counts()).toStream());
    }

    static void reduce(StreamsBuilder b) {
        Results.to("results", sliding(b, 20, 30).reduce((sum, n) -> sum * 3 % 1000 + n, counts()).toStream());
    }

    static void reduceToNull(StreamsBuilder b) {
        Results.to(
                "results",
                sliding(b, 25, 50)
                        .reduce((sum, n) -> sum + n > 8 ? null : Long.valueOf(sum + n), counts())
                        .toStream());
    }

    static void aggregate(StreamsBuilder b) {
        Results.to(
                "results", sliding(b, 25, 75).aggregate(() -> "<", Aggregates::trace, traces()).toStream());
    }

    static void aggregateOfOddDifference(StreamsBuilder b) {
        Results.to(
                "results", sliding(b, 17, 13).aggregate(() -> "", Aggregates::trace, traces()).toStream());
    }

    static void aggregateToNull(StreamsBuilder b) {
        Results.to(
                "results",
                sliding(b, 30, 20)
                        .aggregate(
                                () -> "",
                                (key, n, trace) -> n > 6 || trace == null ? null : Aggregates.trace(key, n, trace),
                                traces())
                        .toStream());
    }

    static void groupedByValue(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupBy((key, n) -> n == null ? null : n % 3 + "", Inputs.GROUPED)
                        .windowedBy(windows(10, 15))
                        .aggregate(() -> "", Aggregates::trace, traces())
                        .toStream());
    }

    static void filterThenMapValues(StreamsBuilder b) {
        Results.to(
                "results",
                sliding(b, 15, 20)
                        .count(counts())
                        .filter((key, count) -> count > 1)
                        .mapValues((key, count) -> count == null ? null : key.key() + count)
                        .toStream());
    }

    static void suppressed(StreamsBuilder b) {
        Results.to(
                "results",
                sliding(b, 15, 20)
                        .count(counts())
                        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
                        .toStream());
    }

    static void slidingOfSliding(StreamsBuilder b) {
        Results.to(
                "results",
                sliding(b, 10, 25)
                        .count(counts())
                        .toStream()
                        .map((windowed, count) -> KeyValue.pair(windowed.key(), count))
                        .groupByKey(Inputs.GROUPED)
                        .windowedBy(windows(15, 5))
                        .aggregate(() -> "", Aggregates::trace, traces())
                        .toStream()
                        .map((windowed, value) ->
                                KeyValue.pair(windowed.key() + windowed.window().start() % 100, value)));
    }

    private static Materialized<String, Long, WindowStore<Bytes, byte[]>> counts() {
        return Inputs.<WindowStore<Bytes, byte[]>>numbers("counts").withRetention(RETENTION);
    }

    private static Materialized<String, String, WindowStore<Bytes, byte[]>> traces() {
        return Inputs.<WindowStore<Bytes, byte[]>>texts("traces").withRetention(RETENTION);
    }

    private static SlidingWindows windows(long differenceMs, long graceMs) {
        return SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(differenceMs), Duration.ofMillis(graceMs));
    }

    private static TimeWindowedKStream<String, Long> sliding(StreamsBuilder b, long differenceMs, long graceMs) {
        return Inputs.numbers(b).groupByKey(Inputs.GROUPED).windowedBy(windows(differenceMs, graceMs));
    }
}
