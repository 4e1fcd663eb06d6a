package parity;

import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KTable;

/** Tables grouped by another key; twins of topologies/table-aggregates.ts. */
final class TableAggregates {

    private static final Grouped<String, String> TEXTS = Grouped.with("by-text", Json.TEXT, Json.TEXT);

    private TableAggregates() {}

    static void count(StreamsBuilder b) {
        Results.to("results", grouped(b).count(Inputs.numbers("counts")).toStream());
    }

    static void reduce(StreamsBuilder b) {
        Results.to("results", sums(grouped(b)).toStream());
    }

    static void reduceToNull(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b).reduce(
                                (sum, n) -> sum + n > 8 ? null : sum + n,
                                (sum, n) -> sum.equals(n) ? null : sum - n,
                                Inputs.numbers("sums"))
                        .toStream());
    }

    static void aggregate(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b).aggregate(
                                () -> "",
                                Aggregates::trace,
                                (key, n, before) -> Aggregates.trace(key, n, before + "-"),
                                Inputs.texts("traces"))
                        .toStream());
    }

    static void aggregateToNull(StreamsBuilder b) {
        Results.to(
                "results",
                grouped(b).aggregate(
                                () -> "<",
                                (key, n, before) -> n == 4 ? null : Aggregates.trace(key, n, before),
                                (key, n, before) -> n == 2 ? null : Aggregates.trace(key, n, before + "-"),
                                Inputs.texts("traces"))
                        .toStream());
    }

    static void ofFilteredTable(StreamsBuilder b) {
        KGroupedTable<String, Long> grouped = numbers(b)
                .filter((key, n) -> n > 1)
                .mapValues(n -> n * 10)
                .groupBy(
                        (key, n) -> KeyValue.pair(key.equals("a") ? "a" : "other", n),
                        Grouped.with("by-key", Json.TEXT, Json.NUMBER));
        Results.to("results", sums(grouped).toStream());
    }

    static void ofJoin(StreamsBuilder b) {
        Results.to(
                "results",
                numbers(b).leftJoin(Inputs.rows(b), (n, row) -> n + row)
                        .groupBy((key, value) -> KeyValue.pair("" + value.length(), key + value), TEXTS)
                        .aggregate(
                                () -> "",
                                Aggregates::trace,
                                (key, n, before) -> Aggregates.trace(key, n, before + "-"),
                                Inputs.texts("traces"))
                        .toStream());
    }

    static void ofAggregate(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .groupByKey(Inputs.GROUPED)
                        .reduce((total, n) -> total + n, Inputs.numbers("totals"))
                        .groupBy((key, total) -> KeyValue.pair("" + total % 3, key), TEXTS)
                        .count(Inputs.numbers("keys-per-total"))
                        .toStream());
    }

    static void joined(StreamsBuilder b) {
        KTable<String, Long> sums = sums(grouped(b));
        Results.to(
                "results",
                Inputs.others(b)
                        .selectKey((key, n) -> n == null ? "0" : "" + Math.abs(n % 2))
                        .leftJoin(
                                sums,
                                (n, sum) -> n + ":" + sum,
                                Joined.with(Json.TEXT, Json.NUMBER, Json.NUMBER, "with-sums")));
    }

    static void twoAggregatesOfOneGrouping(StreamsBuilder b) {
        KGroupedTable<String, Long> one = grouped(b);
        Results.to("results", one.count(Inputs.numbers("counts")).toStream());
        Results.to("results", sums(one).filter((key, sum) -> sum > 3).toStream());
    }

    private static KTable<String, Long> sums(KGroupedTable<String, Long> grouped) {
        return grouped.reduce((sum, n) -> sum + n, (sum, n) -> sum - n, Inputs.numbers("sums"));
    }

    private static KGroupedTable<String, Long> grouped(StreamsBuilder b) {
        return numbers(b).groupBy(
                (key, n) -> KeyValue.pair(n == 7 ? null : "" + n % 2, n == 6 ? null : n + key.length()),
                Grouped.with("by-rest", Json.TEXT, Json.NUMBER));
    }

    private static KTable<String, Long> numbers(StreamsBuilder b) {
        return b.table("numbers", Consumed.with(Json.TEXT, Json.NUMBER), Inputs.numbers("numbers"));
    }
}
