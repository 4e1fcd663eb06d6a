package parity;

import java.time.Duration;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/** Windows that are passed on when they close; twins of topologies/emit-final.ts. */
final class EmitFinal {

    /** By default what a record closes may be gone before it is passed on (differences.ts). */
    private static final Duration RETENTION = Duration.ofDays(1);

    private EmitFinal() {}

    static void tumblingCount(StreamsBuilder b) {
        Results.to("results", tumbling(b, 20, 0).count(counts()).toStream());
    }

    static void tumblingAggregate(StreamsBuilder b) {
        Results.to(
                "results",
                tumbling(b, 25, 35).aggregate(() -> "", Aggregates::trace, traces()).toStream());
    }

    static void tumblingReduceToNull(StreamsBuilder b) {
        Results.to(
                "results",
                tumbling(b, 30, 20)
                        .reduce((sum, n) -> n == null || sum + n > 6 ? null : Long.valueOf(sum + n), counts())
                        .toStream());
    }

    static void hoppingCount(StreamsBuilder b) {
        Results.to("results", hopping(b, 50, 10, 5).count(counts()).toStream());
    }

    static void hoppingAggregate(StreamsBuilder b) {
        Results.to(
                "results",
                hopping(b, 40, 17, 60).aggregate(() -> "", Aggregates::trace, traces()).toStream());
    }

    static void slidingCount(StreamsBuilder b) {
        Results.to("results", sliding(b, 15, 0).count(counts()).toStream());
    }

    static void slidingAggregate(StreamsBuilder b) {
        Results.to(
                "results", sliding(b, 20, 45).aggregate(() -> "", Aggregates::trace, traces()).toStream());
    }

    static void slidingReduceToNull(StreamsBuilder b) {
        Results.to(
                "results",
                sliding(b, 25, 20)
                        .reduce((sum, n) -> sum + n > 8 ? null : Long.valueOf(sum + n), counts())
                        .toStream());
    }

    static void sessionCount(StreamsBuilder b) {
        Results.to("results", session(b, 10, 5).count(sessionCounts()).toStream());
    }

    static void sessionAggregate(StreamsBuilder b) {
        Results.to(
                "results",
                session(b, 5, 60)
                        .aggregate(() -> "<", Aggregates::trace, EmitFinal::merge, sessionTraces())
                        .toStream());
    }

    static void sessionReduceToNull(StreamsBuilder b) {
        Results.to(
                "results",
                session(b, 7, 45)
                        .reduce((sum, n) -> n == null || sum + n > 8 ? null : Long.valueOf(sum + n), sessionCounts())
                        .toStream());
    }

    static void countOfFinalCounts(StreamsBuilder b) {
        Results.to(
                "results",
                tumbling(b, 10, 10)
                        .count(counts())
                        .toStream()
                        .map((windowed, count) -> KeyValue.pair(windowed.key(), count))
                        .groupByKey(Inputs.GROUPED)
                        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(30), Duration.ofMillis(5))
                                .advanceBy(Duration.ofMillis(15)))
                        .emitStrategy(EmitStrategy.onWindowClose())
                        .aggregate(() -> "", Aggregates::trace, traces())
                        .toStream()
                        .map((windowed, value) ->
                                KeyValue.pair(windowed.key() + windowed.window().end() % 100, value)));
    }

    private static String merge(String key, String before, String other) {
        String merged = before + "(" + key + other + ")";
        return merged.substring(Math.max(0, merged.length() - 24));
    }

    private static Materialized<String, Long, WindowStore<Bytes, byte[]>> counts() {
        return Inputs.<WindowStore<Bytes, byte[]>>numbers("counts").withRetention(RETENTION);
    }

    private static Materialized<String, String, WindowStore<Bytes, byte[]>> traces() {
        return Inputs.<WindowStore<Bytes, byte[]>>texts("traces").withRetention(RETENTION);
    }

    private static Materialized<String, Long, SessionStore<Bytes, byte[]>> sessionCounts() {
        return Inputs.<SessionStore<Bytes, byte[]>>numbers("counts").withRetention(RETENTION);
    }

    private static Materialized<String, String, SessionStore<Bytes, byte[]>> sessionTraces() {
        return Inputs.<SessionStore<Bytes, byte[]>>texts("traces").withRetention(RETENTION);
    }

    private static TimeWindowedKStream<String, Long> tumbling(StreamsBuilder b, long sizeMs, long graceMs) {
        return hopping(b, sizeMs, sizeMs, graceMs);
    }

    private static TimeWindowedKStream<String, Long> hopping(
            StreamsBuilder b, long sizeMs, long advanceMs, long graceMs) {
        TimeWindows windows = TimeWindows.ofSizeAndGrace(Duration.ofMillis(sizeMs), Duration.ofMillis(graceMs))
                .advanceBy(Duration.ofMillis(advanceMs));
        return Inputs.numbers(b)
                .groupByKey(Inputs.GROUPED)
                .windowedBy(windows)
                .emitStrategy(EmitStrategy.onWindowClose());
    }

    private static TimeWindowedKStream<String, Long> sliding(StreamsBuilder b, long differenceMs, long graceMs) {
        return Inputs.numbers(b)
                .groupByKey(Inputs.GROUPED)
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(
                        Duration.ofMillis(differenceMs), Duration.ofMillis(graceMs)))
                .emitStrategy(EmitStrategy.onWindowClose());
    }

    private static SessionWindowedKStream<String, Long> session(StreamsBuilder b, long gapMs, long graceMs) {
        return Inputs.numbers(b)
                .groupByKey(Inputs.GROUPED)
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(gapMs), Duration.ofMillis(graceMs)))
                .emitStrategy(EmitStrategy.onWindowClose());
    }
}
