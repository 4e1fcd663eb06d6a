package parity;

import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.state.KeyValueStore;

/** Streams that look global tables up under keys of their choice; twins of topologies/global-tables.ts. */
final class GlobalTables {

    private GlobalTables() {}

    static void inner(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b).join(rows(b), (key, n) -> rowOf(n), (key, n, row) -> key + n + row));
    }

    static void left(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .leftJoin(rows(b), (key, n) -> rowOf(n), (key, n, row) -> key + n + row));
    }

    static void innerByKey(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b).join(rows(b), (key, n) -> key, (n, row) -> n > 4 ? null : n + row));
    }

    static void leftRekeyed(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .selectKey((key, n) -> n + "")
                        .leftJoin(rows(b), (key, n) -> rowOf(n, "c"), (key, n, row) -> key + n + row));
    }

    static void twice(StreamsBuilder b) {
        GlobalKTable<String, String> table = rows(b);
        GlobalKTable<String, Long> values = b.globalTable(
                "others",
                Consumed.with(Json.TEXT, Json.NUMBER),
                Inputs.<KeyValueStore<Bytes, byte[]>>numbers("others"));
        KStream<String, String> joined =
                Inputs.numbers(b).join(table, (key, n) -> rowOf(n), (n, row) -> n + row);
        Results.to(
                "results",
                joined.leftJoin(
                        values,
                        (key, text) -> text.length() > 2 ? "a" : "d",
                        (text, other) -> text + " " + other));
        Results.to("second", joined);
    }

    private static GlobalKTable<String, String> rows(StreamsBuilder b) {
        return b.globalTable(
                "rows", Consumed.with(Json.TEXT, Json.TEXT), Inputs.<KeyValueStore<Bytes, byte[]>>texts("rows"));
    }

    private static String rowOf(Long n) {
        return rowOf(n, null);
    }

    private static String rowOf(Long n, String otherwise) {
        return n == null || n == 7 ? otherwise : n % 2 == 0 ? "a" : "b";
    }
}
