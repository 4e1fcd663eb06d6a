package parity;

import java.time.Duration;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;

/** Session windows; twins of topologies/session-aggregates.ts. */
final class SessionAggregates {

    private SessionAggregates() {}

    static void count(StreamsBuilder b) {
        Results.to("results", sessions(b, 15, 10).count(Inputs.numbers("counts")).toStream());
    }

    static void countWithoutGrace(StreamsBuilder b) {
        Results.to("results", sessions(b, 10, 0).count(Inputs.numbers("counts")).toStream());
    }

    static void countWithLongGrace(StreamsBuilder b) {
        Results.to("results", sessions(b, 5, 200).count(Inputs.numbers("counts")).toStream());
    }

    static void reduce(StreamsBuilder b) {
        Results.to(
                "results",
                sessions(b, 20, 30)
                        .reduce((sum, n) -> sum * 3 % 1000 + (n == null ? 500 : n), Inputs.numbers("sums"))
                        .toStream());
    }

    static void reduceToNull(StreamsBuilder b) {
        Results.to(
                "results",
                sessions(b, 10, 50)
                        .reduce((sum, n) -> n == null ? null : sum + n > 8 ? null : sum + n, Inputs.numbers("sums"))
                        .toStream());
    }

    static void aggregate(StreamsBuilder b) {
        Results.to(
                "results",
                sessions(b, 10, 75)
                        .aggregate(() -> "<", Aggregates::trace, SessionAggregates::merge, Inputs.texts("traces"))
                        .toStream());
    }

    static void aggregateOfOddGap(StreamsBuilder b) {
        Results.to(
                "results",
                sessions(b, 17, 13)
                        .aggregate(() -> "", Aggregates::trace, SessionAggregates::merge, Inputs.texts("traces"))
                        .toStream());
    }

    static void aggregateToNull(StreamsBuilder b) {
        Results.to(
                "results",
                sessions(b, 15, 20)
                        .aggregate(
                                () -> "",
                                (key, n, trace) ->
                                        n == null || n > 6 || trace == null ? null : Aggregates.trace(key, n, trace),
                                (key, trace, other) -> trace == null ? null : merge(key, trace, other),
                                Inputs.texts("traces"))
                        .toStream());
    }

    static void groupedByValue(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupBy((key, n) -> n == null ? null : n % 3 + "", Inputs.GROUPED)
                        .windowedBy(windows(5, 15))
                        .aggregate(() -> "", Aggregates::trace, SessionAggregates::merge, Inputs.texts("traces"))
                        .toStream());
    }

    static void filterThenMapValues(StreamsBuilder b) {
        Results.to(
                "results",
                sessions(b, 10, 20)
                        .count(Inputs.numbers("counts"))
                        .filter((key, count) -> count % 2 == 0)
                        .mapValues((key, count) -> count == null ? null : key.key() + count)
                        .toStream());
    }

    static void sessionsOfSessions(StreamsBuilder b) {
        Results.to(
                "results",
                sessions(b, 5, 25)
                        .count(Inputs.numbers("counts"))
                        .toStream()
                        .map((windowed, count) -> KeyValue.pair(windowed.key(), count))
                        .groupByKey(Inputs.GROUPED)
                        .windowedBy(windows(25, 5))
                        .aggregate(() -> "", Aggregates::trace, SessionAggregates::merge, Inputs.texts("traces"))
                        .toStream()
                        .map((windowed, value) ->
                                KeyValue.pair(windowed.key() + windowed.window().end() % 100, value)));
    }

    private static String merge(String key, String before, String other) {
        String merged = before + "(" + key + other + ")";
        return merged.substring(Math.max(0, merged.length() - 24));
    }

    private static SessionWindows windows(long gapMs, long graceMs) {
        return SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(gapMs), Duration.ofMillis(graceMs));
    }

    private static SessionWindowedKStream<String, Long> sessions(StreamsBuilder b, long gapMs, long graceMs) {
        return Inputs.numbers(b).groupByKey(Inputs.GROUPED).windowedBy(windows(gapMs, graceMs));
    }
}
