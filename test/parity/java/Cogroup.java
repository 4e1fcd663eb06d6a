package parity;

import java.time.Duration;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Several grouped streams in one table; twins of topologies/cogroup.ts. */
final class Cogroup {

    private static final Duration GRACE = Duration.ofMillis(400);

    private Cogroup() {}

    static void two(StreamsBuilder b) {
        Results.to("results", both(b).aggregate(() -> "", Inputs.texts("traces")).toStream());
    }

    static void one(StreamsBuilder b) {
        Aggregator<String, Long, String> trace = Aggregates::trace;
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .cogroup(trace)
                        .aggregate(() -> "<", Inputs.texts("traces"))
                        .toStream());
    }

    static void threeOfOtherTypes(StreamsBuilder b) {
        Results.to(
                "results",
                both(b)
                        .cogroup(
                                Inputs.lines(b).groupByKey(Grouped.with(Json.TEXT, Json.TEXT)),
                                (key, line, before) -> Aggregates.trace(".", (long) line.length(), before))
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .toStream());
    }

    static void toNull(StreamsBuilder b) {
        Aggregator<String, Long, String> first =
                (key, n, before) -> n > 5 ? null : Aggregates.trace(key, n, before);
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .cogroup(first)
                        .cogroup(
                                Inputs.others(b).groupByKey(Inputs.GROUPED),
                                (key, n, before) -> n == 0 ? null : upper(key, n, before))
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .toStream());
    }

    static void rekeyed(StreamsBuilder b) {
        Aggregator<String, Long, String> trace = Aggregates::trace;
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupBy(
                                (key, n) -> n == null ? null : n % 3 + "",
                                Grouped.with("by-number", Json.TEXT, Json.NUMBER))
                        .cogroup(trace)
                        .cogroup(Inputs.others(b).groupByKey(Inputs.GROUPED), Cogroup::upper)
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .toStream());
    }

    static void sameStream(StreamsBuilder b) {
        Aggregator<String, Long, String> trace = Aggregates::trace;
        KStream<String, Long> stream = Inputs.numbers(b);
        Results.to(
                "results",
                stream.groupByKey(Inputs.GROUPED)
                        .cogroup(trace)
                        .cogroup(
                                stream.filter((key, n) -> n != null && n > 2).groupByKey(Inputs.GROUPED),
                                Cogroup::upper)
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .toStream());
    }

    static void filteredTable(StreamsBuilder b) {
        Results.to(
                "results",
                both(b)
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .filter((key, trace) -> trace.length() % 2 == 1)
                        .toStream());
    }

    static void tumbling(StreamsBuilder b) {
        Results.to(
                "results",
                both(b)
                        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(40), GRACE))
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .toStream());
    }

    static void suppressed(StreamsBuilder b) {
        Results.to(
                "results",
                both(b)
                        .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(40)))
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
                        .toStream());
    }

    static void suppressedByTime(StreamsBuilder b) {
        Results.to(
                "results",
                both(b)
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .suppress(Suppressed.untilTimeLimit(Duration.ofMillis(30), BufferConfig.unbounded()))
                        .toStream());
    }

    static void hopping(StreamsBuilder b) {
        Results.to(
                "results",
                both(b)
                        .cogroup(
                                Inputs.lines(b).groupByKey(Grouped.with(Json.TEXT, Json.TEXT)),
                                (key, line, before) ->
                                        Aggregates.trace(key, line == null ? null : (long) line.length(), before))
                        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(50), GRACE)
                                .advanceBy(Duration.ofMillis(20)))
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .toStream());
    }

    static void sliding(StreamsBuilder b) {
        Results.to(
                "results",
                both(b)
                        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(20), GRACE))
                        .aggregate(() -> "", Inputs.texts("traces"))
                        .toStream());
    }

    static void sessions(StreamsBuilder b) {
        Results.to(
                "results",
                both(b)
                        .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(10), GRACE))
                        .aggregate(
                                () -> "",
                                (key, before, other) -> {
                                    String merged = before + "(" + other + ")";
                                    return merged.substring(Math.max(0, merged.length() - 24));
                                },
                                Inputs.texts("traces"))
                        .toStream());
    }

    private static String upper(String key, Object value, String before) {
        return Aggregates.trace(key.toUpperCase(), (Long) value, before);
    }

    private static CogroupedKStream<String, String> both(StreamsBuilder b) {
        Aggregator<String, Long, String> trace = Aggregates::trace;
        return Inputs.numbers(b)
                .groupByKey(Inputs.GROUPED)
                .cogroup(trace)
                .cogroup(Inputs.others(b).groupByKey(Inputs.GROUPED), Cogroup::upper);
    }
}
