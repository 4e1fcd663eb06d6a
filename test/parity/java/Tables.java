package parity;

import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.state.KeyValueStore;

/** Tables of topics and streams; twins of topologies/tables.ts. */
final class Tables {

    private Tables() {}

    static void table(StreamsBuilder b) {
        Results.to("results", Inputs.rows(b).toStream());
    }

    static void filter(StreamsBuilder b) {
        Results.to("results", Inputs.rows(b).filter((key, row) -> row.length() > 1).toStream());
    }

    static void filterNotThenMapValues(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.rows(b)
                        .filterNot((key, row) -> row.length() > 2)
                        .mapValues((key, row) -> key + ":" + row.length())
                        .toStream());
    }

    static void toTable(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .toTable(Inputs.<KeyValueStore<Bytes, byte[]>>numbers("latest"))
                        .toStream());
    }

    static void toTableByValue(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .selectKey((key, n) -> n == null ? key : n > 5 ? null : n % 3 + "")
                        .toTable(Inputs.<KeyValueStore<Bytes, byte[]>>numbers("latest"))
                        .toStream());
    }
}
