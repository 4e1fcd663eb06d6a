package parity;

import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.ValueJoiner;

/** Tables joined with tables; twins of topologies/table-joins.ts. */
final class TableJoins {

    private static final ValueJoiner<Object, Object, String> BOTH = (left, right) -> left + "+" + right;

    private TableJoins() {}

    static void inner(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to("results", left.join(Inputs.rows(b), BOTH).toStream());
    }

    static void left(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to("results", left.leftJoin(Inputs.rows(b), BOTH).toStream());
    }

    static void outer(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to("results", left.outerJoin(Inputs.rows(b), BOTH).toStream());
    }

    static void derivedSides(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        KTable<String, Integer> lengths =
                Inputs.rows(b).filterNot((key, row) -> row.equals("yy")).mapValues(row -> row.length());
        Results.to("results", left.filter((key, n) -> n > 2).outerJoin(lengths, BOTH).toStream());
    }

    static void filteredResult(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to(
                "results",
                left.leftJoin(Inputs.rows(b), BOTH)
                        .filter((key, value) -> !value.endsWith("null"))
                        .toStream());
    }

    static void nullResults(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        KTable<String, String> right = Inputs.rows(b);
        KTable<String, String> some = left.leftJoin(right, (n, row) -> n > 4 ? null : n + row);
        Results.to("results", some.outerJoin(right, BOTH).toStream());
    }

    static void joinOfJoins(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        KTable<String, String> right = Inputs.rows(b);
        KTable<String, Long> third =
                b.table("others", Consumed.with(Json.TEXT, Json.NUMBER), Inputs.numbers("others"));
        Results.to("results", left.outerJoin(right, BOTH).leftJoin(third.join(left, BOTH), BOTH).toStream());
    }

    static void withItself(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to("results", left.join(left, BOTH).toStream());
    }

    static void ofAggregates(StreamsBuilder b) {
        KTable<String, Long> counts = Inputs.numbers(b).groupByKey(Inputs.GROUPED).count(Inputs.numbers("counts"));
        KTable<String, Long> highest = Inputs.others(b)
                .selectKey((key, n) -> n == null ? key : n > 5 ? null : n % 2 == 0 ? "a" : "b")
                .groupByKey(Grouped.with("by-parity", Json.TEXT, Json.NUMBER))
                .reduce(Math::max, Inputs.numbers("highest"));
        Results.to("results", counts.outerJoin(highest, BOTH).toStream());
    }

    static void streamAgainstJoin(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        KTable<String, String> joined = left.outerJoin(Inputs.rows(b), BOTH);
        Results.to(
                "results",
                Inputs.others(b).leftJoin(joined, BOTH, Joined.with(Json.TEXT, Json.NUMBER, null)));
    }

    private static KTable<String, Long> numbers(StreamsBuilder b) {
        return b.table("numbers", Consumed.with(Json.TEXT, Json.NUMBER), Inputs.numbers("numbers"));
    }
}
