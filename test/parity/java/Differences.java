package parity;

import static org.apache.kafka.streams.kstream.Suppressed.BufferConfig.unbounded;
import static org.apache.kafka.streams.kstream.Suppressed.untilTimeLimit;

import java.time.Duration;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.SessionStore;

/** Where the two sides differ on purpose; twins of differences.ts. */
final class Differences {

    private Differences() {}

    static void repartitionWithoutKey(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .repartition(Repartitioned.with(Json.TEXT, Json.NUMBER).withName("again")));
    }

    static void lateForACogroup(StreamsBuilder b) {
        Aggregator<String, Long, Long> sum = (key, n, before) -> before + n;
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .cogroup(sum)
                        .cogroup(Inputs.others(b).groupByKey(Inputs.GROUPED), (key, n, before) -> before + n * 100)
                        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(10), Duration.ZERO))
                        .aggregate(() -> 0L, Inputs.numbers("sums"))
                        .toStream());
    }

    static void oldValueOfFirstAggregate(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .aggregate(() -> 0L, (key, n, sum) -> sum + n, Inputs.numbers("sums"))
                        .filter((key, sum) -> sum == 0)
                        .toStream());
    }

    static void oldValueOfSuppressed(StreamsBuilder b) {
        KTable<String, String> calm = Inputs.rows(b)
                .suppress(untilTimeLimit(Duration.ofMillis(30), unbounded()))
                .suppress(untilTimeLimit(Duration.ofMillis(100), unbounded()));
        Results.to(
                "results",
                Inputs.numbers(b)
                        .join(calm, (n, row) -> n + " " + row, Joined.with(Json.TEXT, Json.NUMBER, Json.TEXT)));
    }

    static void suppressedRowOnItsWay(StreamsBuilder b) {
        KTable<String, String> calm = Inputs.rows(b).suppress(untilTimeLimit(Duration.ofMillis(30), unbounded()));
        Results.to(
                "results",
                calm.toStream()
                        .leftJoin(
                                calm,
                                (one, other) -> one + " " + other,
                                Joined.with(Json.TEXT, Json.TEXT, Json.TEXT)));
    }

    static void deletedBeforeItWasThere(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(50)))
                        .count(Inputs.numbers("counts"))
                        .filter((key, count) -> count % 2 == 0)
                        .toStream());
    }

    static void subtractedBeforeItWasAdded(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .count(Inputs.numbers("counts"))
                        .groupBy(
                                (key, count) -> KeyValue.pair("" + count % 2, key),
                                Grouped.with("by-count", Json.TEXT, Json.TEXT))
                        .count(Inputs.numbers("keys-per-count"))
                        .toStream());
    }

    static void windowsThatAJumpCloses(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(10)))
                        .emitStrategy(EmitStrategy.onWindowClose())
                        .count(Inputs.numbers("counts"))
                        .toStream());
    }

    static void sessionsThatWereFinal(StreamsBuilder b) {
        // As on disk, where rows stay for minutes.
        Materialized<String, Long, SessionStore<Bytes, byte[]>> counts =
                Inputs.<SessionStore<Bytes, byte[]>>numbers("counts").withRetention(Duration.ofMinutes(5));
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(Duration.ofMillis(10)))
                        .emitStrategy(EmitStrategy.onWindowClose())
                        .count(counts)
                        .toStream());
    }

    static void neighboursOfLateRecords(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(10), Duration.ofMillis(20)))
                        .count(Inputs.numbers("counts"))
                        .toStream());
    }

    static void joinOfLateRecord(StreamsBuilder b) {
        Results.to("results", StreamJoins.inner(b, 10, 10, 0));
    }

    static void joinWithinGrace(StreamsBuilder b) {
        Results.to("results", StreamJoins.left(b, 10, 10, 50));
    }

    static void joinAfterTheEnd(StreamsBuilder b) {
        Results.to("results", StreamJoins.left(b, 10, 10, 0));
    }

    static void joinAsSoonAsDue(StreamsBuilder b) {
        Results.to("results", StreamJoins.left(b, 10, 10, 0));
    }

    static void joinOfEqualTimes(StreamsBuilder b) {
        Results.to("results", StreamJoins.inner(b, 0, 0, 0));
    }

    static void joinBeforeTheEpoch(StreamsBuilder b) {
        Results.to("results", StreamJoins.inner(b, 20, -10, 100));
    }

    static void transformedOlderVersion(StreamsBuilder b) {
        Results.to(
                "results",
                VersionedTables.rows(b, 100)
                        .transformValues(
                                () -> TableTransforms.<String>transformer(
                                        (row, key, context) -> row == null ? null : row.toUpperCase()),
                                TableTransforms.kept("upper"))
                        .toStream());
    }
}
