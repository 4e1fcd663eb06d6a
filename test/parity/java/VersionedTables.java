package parity;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Tables that remember what was valid when, and streams that look them up at their own time; twins of topologies/versioned-tables.ts. */
final class VersionedTables {

    private static final Joined<String, Long, String> JOINED = Joined.with(Json.TEXT, Json.NUMBER, Json.TEXT);
    private static final int HISTORY = 60;

    private VersionedTables() {}

    static void table(StreamsBuilder b) {
        Results.to("results", rows(b, HISTORY).toStream());
    }

    static void toTableByValue(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .selectKey((key, n) -> n == null ? key : n > 5 ? null : n % 3 + "")
                        .toTable(versioned("latest", HISTORY, Json.NUMBER))
                        .toStream());
    }

    static void filterThenMapValues(StreamsBuilder b) {
        Results.to(
                "results",
                rows(b, HISTORY)
                        .filter((key, row) -> row.length() > 1)
                        .mapValues((key, row) -> key + ":" + row.length())
                        .toStream());
    }

    static void mapValuesThenFilterNot(StreamsBuilder b) {
        Results.to(
                "results",
                rows(b, HISTORY)
                        .mapValues(row -> row.length())
                        .filterNot((key, length) -> length > 2)
                        .toStream());
    }

    static void inner(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).join(rows(b, HISTORY), (n, row) -> n + " " + row, JOINED));
    }

    static void left(StreamsBuilder b) {
        KTable<String, String> table = rows(b, HISTORY);
        Results.to("results", Inputs.numbers(b).leftJoin(table, (key, n, row) -> key + n + row, JOINED));
        Results.to("second", table.toStream());
    }

    static void leftWithoutHistory(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).leftJoin(rows(b, 0), (key, n, row) -> key + n + row, JOINED));
    }

    static void leftOfDerived(StreamsBuilder b) {
        KTable<String, Integer> lengths =
                rows(b, 500).filter((key, row) -> row.length() > 1).mapValues(row -> row.length());
        Results.to(
                "results",
                Inputs.numbers(b)
                        .leftJoin(lengths, (n, length) -> n + " " + length, Joined.with(Json.TEXT, Json.NUMBER, null)));
    }

    static void leftRekeyed(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .selectKey((key, n) -> n == null || n > 5 ? null : n % 2 == 0 ? "a" : "b")
                        .leftJoin(rows(b, HISTORY), (key, n, row) -> key + n + row, JOINED.withName("enriched")));
    }

    static KTable<String, String> rows(StreamsBuilder b, int history) {
        return b.table("rows", Consumed.with(Json.TEXT, Json.TEXT), versioned("rows", history, Json.TEXT));
    }

    private static <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> versioned(String store, int history, Serde<V> value) {
        return Materialized.<String, V>as(Stores.persistentVersionedKeyValueStore(store, Duration.ofMillis(history)))
                .withKeySerde(Json.TEXT)
                .withValueSerde(value);
    }
}
