package parity;

import static org.apache.kafka.streams.kstream.Suppressed.BufferConfig.maxRecords;
import static org.apache.kafka.streams.kstream.Suppressed.BufferConfig.unbounded;
import static org.apache.kafka.streams.kstream.Suppressed.untilTimeLimit;
import static org.apache.kafka.streams.kstream.Suppressed.untilWindowCloses;

import java.time.Duration;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/** Updates held back; twins of topologies/suppress.ts. */
final class Suppress {

    private Suppress() {}

    static void tumbling(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b)
                        .windowedBy(windows(50, 50, 0))
                        .count(Inputs.numbers("counts"))
                        .suppress(untilWindowCloses(unbounded()))
                        .toStream());
    }

    static void tumblingWithGrace(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b)
                        .windowedBy(windows(20, 20, 60))
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .suppress(untilWindowCloses(unbounded()))
                        .toStream());
    }

    static void hopping(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b)
                        .windowedBy(windows(50, 20, 35))
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .suppress(untilWindowCloses(unbounded()))
                        .toStream());
    }

    static void sessions(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b)
                        .windowedBy(sessions(15, 25))
                        .aggregate(() -> "", Aggregates::trace, Suppress::merge, Inputs.texts("traces"))
                        .suppress(untilWindowCloses(unbounded()))
                        .toStream());
    }

    static void derived(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b)
                        .windowedBy(windows(40, 40, 30))
                        .count(Inputs.numbers("counts"))
                        .filter((key, count) -> count % 3 != 2)
                        .mapValues(
                                (key, count) -> count == null ? null : key.key() + count,
                                Materialized.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 40), Json.TEXT))
                        .suppress(untilWindowCloses(unbounded()))
                        .toStream());
    }

    static void windowsUntilTimeLimit(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b)
                        .windowedBy(windows(40, 40, 60))
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .suppress(untilTimeLimit(Duration.ofMillis(15), unbounded()))
                        .toStream());
    }

    static void sessionsUntilTimeLimit(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b)
                        .windowedBy(sessions(10, 40))
                        .count(Inputs.numbers("counts"))
                        .suppress(untilTimeLimit(Duration.ofMillis(20), unbounded()))
                        .toStream());
    }

    static void table(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.rows(b).suppress(untilTimeLimit(Duration.ofMillis(30), unbounded())).toStream());
    }

    static void tableWithoutDelay(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.rows(b)
                        .suppress(untilTimeLimit(Duration.ZERO, maxRecords(1).shutDownWhenFull()))
                        .toStream());
    }

    static void emittedEarly(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b)
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .suppress(untilTimeLimit(Duration.ofMillis(500), maxRecords(2).emitEarlyWhenFull()))
                        .toStream());
    }

    static void windowsEmittedEarly(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b)
                        .windowedBy(windows(60, 20, 100))
                        .count(Inputs.numbers("counts"))
                        .suppress(untilTimeLimit(Duration.ofMillis(60), maxRecords(3).emitEarlyWhenFull()))
                        .toStream());
    }

    static void twice(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.rows(b)
                        .suppress(untilTimeLimit(Duration.ofMillis(20), unbounded()))
                        .mapValues(row -> row + "!", Materialized.with(Json.TEXT, Json.TEXT))
                        .suppress(untilTimeLimit(Duration.ofMillis(50), unbounded()))
                        .toStream());
    }

    static void joined(StreamsBuilder b) {
        KTable<String, String> calm = Inputs.rows(b).suppress(untilTimeLimit(Duration.ofMillis(25), unbounded()));
        Results.to(
                "results",
                Inputs.numbers(b)
                        .leftJoin(calm, (n, row) -> n + " " + row, Joined.with(Json.TEXT, Json.NUMBER, Json.TEXT)));
    }

    static void joinedAfterMapValues(StreamsBuilder b) {
        KTable<String, Long> lengths = Inputs.rows(b)
                .suppress(untilTimeLimit(Duration.ofMillis(40), maxRecords(2).emitEarlyWhenFull()))
                .mapValues(row -> (long) row.length());
        Results.to(
                "results",
                Inputs.numbers(b)
                        .join(lengths, (n, length) -> n + " " + length, Joined.with(Json.TEXT, Json.NUMBER, Json.NUMBER)));
    }

    private static String merge(String key, String before, String other) {
        String merged = before + "(" + other + ")";
        return merged.substring(Math.max(0, merged.length() - 24));
    }

    private static KGroupedStream<String, Long> grouped(StreamsBuilder b) {
        return Inputs.numbers(b).groupByKey(Inputs.GROUPED);
    }

    private static TimeWindows windows(long sizeMs, long advanceMs, long graceMs) {
        return TimeWindows.ofSizeAndGrace(Duration.ofMillis(sizeMs), Duration.ofMillis(graceMs))
                .advanceBy(Duration.ofMillis(advanceMs));
    }

    private static SessionWindows sessions(long gapMs, long graceMs) {
        return SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(gapMs), Duration.ofMillis(graceMs));
    }
}
