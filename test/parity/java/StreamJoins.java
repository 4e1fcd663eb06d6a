package parity;

import java.time.Duration;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/** Streams joined with streams; twins of topologies/stream-joins.ts. */
final class StreamJoins {

    private static final StreamJoined<String, Long, Long> JOINED =
            StreamJoined.with(Json.TEXT, Json.NUMBER, Json.NUMBER);

    private StreamJoins() {}

    private static JoinWindows windows(long beforeMs, long afterMs, long graceMs) {
        long widest = Math.max(beforeMs, afterMs);
        return JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(widest), Duration.ofMillis(graceMs))
                .before(Duration.ofMillis(beforeMs))
                .after(Duration.ofMillis(afterMs));
    }

    private static StreamJoined<String, Long, Long> named(String name) {
        return JOINED.withName(name).withStoreName(name);
    }

    /** The numbers and the others. */
    static KStream<String, String> inner(StreamsBuilder b, long beforeMs, long afterMs, long graceMs) {
        return Inputs.numbers(b)
                .join(Inputs.others(b), StreamJoins::pair, windows(beforeMs, afterMs, graceMs), named("pairs"));
    }

    static KStream<String, String> left(StreamsBuilder b, long beforeMs, long afterMs, long graceMs) {
        return Inputs.numbers(b)
                .leftJoin(Inputs.others(b), StreamJoins::pair, windows(beforeMs, afterMs, graceMs), named("pairs"));
    }

    static KStream<String, String> outer(StreamsBuilder b, long beforeMs, long afterMs, long graceMs) {
        return Inputs.numbers(b)
                .outerJoin(Inputs.others(b), StreamJoins::pair, windows(beforeMs, afterMs, graceMs), named("pairs"));
    }

    private static String pair(String key, Long left, Long right) {
        return key + left + "/" + right;
    }

    static void inner(StreamsBuilder b) {
        Results.to("results", inner(b, 20, 20, 150));
    }

    static void innerAsymmetric(StreamsBuilder b) {
        Results.to("results", inner(b, 0, 40, 150));
    }

    static void compatInnerApart(StreamsBuilder b) {
        Results.to("results", inner(b, -10, 60, 150));
    }

    static void zeroWindow(StreamsBuilder b) {
        Results.to("results", inner(b, 0, 0, 150));
    }

    static void selfJoin(StreamsBuilder b) {
        KStream<String, Long> numbers = Inputs.numbers(b);
        Results.to("results", numbers.join(numbers, StreamJoins::pair, windows(20, 10, 150), named("pairs")));
    }

    static void joinOfJoin(StreamsBuilder b) {
        KStream<String, Long> numbers = Inputs.numbers(b);
        KStream<String, Long> sums =
                numbers.join(Inputs.others(b), (left, right) -> left * 10 + right, windows(15, 15, 150), named("sums"));
        Results.to("results", sums.join(numbers, StreamJoins::pair, windows(5, 25, 150), named("again")));
    }

    static void innerRekeyed(StreamsBuilder b) {
        Results.to(
                "results",
                rekeyed(Inputs.numbers(b))
                        .join(rekeyed(Inputs.others(b)), StreamJoins::pair, windows(20, 20, 150), named("pairs")));
    }

    static void thenCounted(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .join(Inputs.others(b), (left, right) -> left * right, windows(30, 30, 150), named("products"))
                        .groupByKey(Inputs.GROUPED)
                        .count(Inputs.numbers("counts"))
                        .toStream());
    }

    static void compatInner(StreamsBuilder b) {
        Results.to("results", inner(b, 20, 20, 0));
    }

    static void compatInnerNothing(StreamsBuilder b) {
        Results.to("results", inner(b, 0, 0, 0));
    }

    static void compatLeft(StreamsBuilder b) {
        Results.to("results", left(b, 20, 20, 10));
    }

    static void compatLeftNoGrace(StreamsBuilder b) {
        Results.to("results", left(b, 15, 15, 0));
    }

    static void compatLeftAfter(StreamsBuilder b) {
        Results.to("results", left(b, 0, 30, 5));
    }

    static void compatLeftBefore(StreamsBuilder b) {
        Results.to("results", left(b, 30, 0, 0));
    }

    static void compatOuter(StreamsBuilder b) {
        Results.to("results", outer(b, 20, 20, 10));
    }

    /** On RocksDB, as in production: in memory, a store's time moves with null values too, so that rows are gone earlier. */
    static void compatOuterRocksDb(StreamsBuilder b) {
        StreamJoined<String, Long, Long> onRocksDb =
                named("pairs").withDslStoreSuppliers(BuiltInDslStoreSuppliers.ROCKS_DB);
        Results.to(
                "results",
                Inputs.numbers(b).outerJoin(Inputs.others(b), StreamJoins::pair, windows(20, 20, 0), onRocksDb));
    }

    static void compatOuterAsymmetric(StreamsBuilder b) {
        Results.to("results", outer(b, 5, 40, 20));
    }

    static void compatOuterApart(StreamsBuilder b) {
        Results.to("results", outer(b, 40, -10, 5));
    }

    static void compatOuterZero(StreamsBuilder b) {
        Results.to("results", outer(b, 0, 0, 10));
    }

    static void compatLeftRekeyed(StreamsBuilder b) {
        Results.to(
                "results",
                rekeyed(Inputs.numbers(b))
                        .leftJoin(Inputs.others(b), StreamJoins::pair, windows(20, 20, 10), named("pairs")));
    }

    static void compatOuterRekeyed(StreamsBuilder b) {
        Results.to(
                "results",
                rekeyed(Inputs.numbers(b))
                        .outerJoin(rekeyed(Inputs.others(b)), StreamJoins::pair, windows(10, 10, 5), named("pairs")));
    }

    static void compatOuterSelf(StreamsBuilder b) {
        KStream<String, Long> numbers = Inputs.numbers(b);
        Results.to("results", numbers.outerJoin(numbers, StreamJoins::pair, windows(-5, 20, 5), named("pairs")));
    }

    static void compatLeftOfInner(StreamsBuilder b) {
        KStream<String, Long> numbers = Inputs.numbers(b);
        KStream<String, Long> others = Inputs.others(b);
        KStream<String, Long> sums =
                numbers.join(others, (left, right) -> left * 10 + right, windows(10, 10, 5), named("sums"));
        Results.to("results", sums.leftJoin(others, StreamJoins::pair, windows(5, 10, 5), named("again")));
    }

    private static KStream<String, Long> rekeyed(KStream<String, Long> numbers) {
        return numbers.selectKey((key, n) -> n == null || n > 5 ? null : n % 2 == 0 ? "a" : "b");
    }
}
