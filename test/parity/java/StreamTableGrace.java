package parity;

import java.time.Duration;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;

/** Streams that wait for late updates of the versioned tables they look up; twins of topologies/stream-table-grace.ts. */
final class StreamTableGrace {

    private StreamTableGrace() {}

    static void inner(StreamsBuilder b) {
        Results.to(
                "results",
                keyed(b).join(VersionedTables.rows(b, 200), (n, row) -> n + row, late(40)));
    }

    static void left(StreamsBuilder b) {
        Results.to(
                "results",
                keyed(b).leftJoin(VersionedTables.rows(b, 60), (key, n, row) -> key + n + row, late(25)));
    }

    static void leftWithoutGrace(StreamsBuilder b) {
        Results.to(
                "results",
                keyed(b).leftJoin(VersionedTables.rows(b, 60), (n, row) -> n + row, late(0)));
    }

    static void innerRekeyed(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .selectKey((key, n) -> n == null || n % 2 == 0 ? "a" : "b")
                        .join(VersionedTables.rows(b, 100), (key, n, row) -> key + n + row, late(50)));
    }

    private static KStream<String, Long> keyed(StreamsBuilder b) {
        return Inputs.numbers(b).filter((key, n) -> key != null);
    }

    private static Joined<String, Long, String> late(int graceMs) {
        return Joined.with(Json.TEXT, Json.NUMBER, Json.TEXT, "late", Duration.ofMillis(graceMs));
    }
}
