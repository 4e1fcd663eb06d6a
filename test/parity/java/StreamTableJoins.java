package parity;

import java.time.Duration;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;

/** Streams that look tables up; twins of topologies/stream-table-joins.ts. */
final class StreamTableJoins {

    private static final Joined<String, Long, String> JOINED = Joined.with(Json.TEXT, Json.NUMBER, Json.TEXT);

    private StreamTableJoins() {}

    static void inner(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).join(Inputs.rows(b), (n, row) -> n + row, JOINED));
    }

    static void left(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b).leftJoin(Inputs.rows(b), (key, n, row) -> key + n + row, JOINED));
    }

    static void innerToNull(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).join(Inputs.rows(b), (n, row) -> n > 4 ? null : n + row, JOINED));
    }

    static void innerRekeyed(StreamsBuilder b) {
        Results.to(
                "results",
                rekeyed(b).join(Inputs.rows(b), (key, n, row) -> key + n + row, JOINED.withName("enriched")));
    }

    static void leftRekeyed(StreamsBuilder b) {
        Results.to(
                "results",
                rekeyed(b).leftJoin(Inputs.rows(b), (key, n, row) -> key + n + row, JOINED.withName("enriched")));
    }

    static void derivedTable(StreamsBuilder b) {
        KTable<String, Integer> lengths =
                Inputs.rows(b).filter((key, row) -> row.length() > 1).mapValues(row -> row.length());
        Results.to(
                "results",
                Inputs.numbers(b)
                        .leftJoin(lengths, (n, length) -> n + " " + length, Joined.with(Json.TEXT, Json.NUMBER, null)));
    }

    static void ownCounts(StreamsBuilder b) {
        KStream<String, Long> numbers = Inputs.numbers(b);
        KTable<String, Long> counts = numbers.groupByKey(Inputs.GROUPED).count(Inputs.numbers("counts"));
        Results.to(
                "results",
                numbers.leftJoin(
                        counts,
                        (n, count) -> n + " of " + count,
                        Joined.with(Json.TEXT, Json.NUMBER, Json.NUMBER)));
    }

    static void tableOfStream(StreamsBuilder b) {
        KTable<String, Long> latest = Inputs.others(b)
                .filter((key, n) -> n == null || n < 6)
                .toTable(Inputs.<KeyValueStore<Bytes, byte[]>>numbers("latest"));
        Results.to(
                "results",
                Inputs.numbers(b)
                        .join(latest, (n, other) -> n * 100 + other, Joined.with(Json.TEXT, Json.NUMBER, Json.NUMBER)));
        Results.to("second", latest.toStream());
    }

    static void thenWindowed(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .leftJoin(Inputs.rows(b), (n, row) -> row == null ? n : n + row.length() * 10, JOINED)
                        .groupBy((key, n) -> n / 10 + "", Inputs.GROUPED)
                        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(60), Duration.ofMillis(15))
                                .advanceBy(Duration.ofMillis(30)))
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .toStream());
    }

    private static KStream<String, Long> rekeyed(StreamsBuilder b) {
        return Inputs.numbers(b).selectKey((key, n) -> n == null || n > 5 ? null : n % 2 == 0 ? "a" : "b");
    }
}
