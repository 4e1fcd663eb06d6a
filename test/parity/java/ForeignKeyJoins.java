package parity;

import java.util.List;
import java.util.function.Function;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.ValueJoiner;

/** Tables joined by a key that one has in its values; twins of topologies/foreign-key-joins.ts. */
final class ForeignKeyJoins {

    private static final ValueJoiner<Object, Object, String> BOTH = (left, right) -> left + "+" + right;
    private static final Function<Long, String> REFERRED =
            n -> n == 6 ? null : n == 7 ? "nobody" : List.of("a", "b", "c").get((int) Math.abs(n % 3));

    private ForeignKeyJoins() {}

    static void inner(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to("results", left.join(Inputs.rows(b), REFERRED, BOTH, Inputs.texts("joined")).toStream());
    }

    static void left(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to("results", left.leftJoin(Inputs.rows(b), REFERRED, BOTH, Inputs.texts("joined")).toStream());
    }

    static void byOwnKey(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to(
                "results",
                left.join(
                                Inputs.rows(b),
                                (key, n) -> key.equals("d") ? "a" : key,
                                BOTH,
                                Inputs.texts("joined"))
                        .toStream());
    }

    static void ofDerivedTables(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b).filter((key, n) -> n > 0);
        KTable<String, String> right = Inputs.rows(b)
                .filterNot((key, row) -> row.equals("yy"))
                .mapValues(row -> row + "!", Inputs.texts("mapped"));
        Results.to("results", left.leftJoin(right, REFERRED, BOTH, Inputs.texts("joined")).toStream());
    }

    static void filteredResult(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to(
                "results",
                left.join(Inputs.rows(b), REFERRED, BOTH, Inputs.texts("joined"))
                        .filter((key, value) -> !value.endsWith("x"))
                        .toStream());
    }

    static void nullResults(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to(
                "results",
                left.leftJoin(
                                Inputs.rows(b),
                                REFERRED,
                                (n, row) -> n > 3 ? null : BOTH.apply(n, row),
                                Inputs.texts("joined"))
                        .toStream());
    }

    static void withItself(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to("results", left.join(left, REFERRED, BOTH, Inputs.texts("joined")).toStream());
    }

    static void joinedAgain(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to(
                "results",
                left.leftJoin(Inputs.rows(b), REFERRED, BOTH, Inputs.texts("joined"))
                        .join(left, BOTH)
                        .toStream());
    }

    private static KTable<String, Long> numbers(StreamsBuilder b) {
        return b.table("numbers", Consumed.with(Json.TEXT, Json.NUMBER), Inputs.numbers("numbers"));
    }
}
