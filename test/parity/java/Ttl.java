package parity;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiFunction;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** Rows that end by event time, by hand on a key-value store that is looked through at every record; twins of topologies/ttl.ts. */
final class Ttl {

    private Ttl() {}

    /** The row that a record makes of the one that is there. */
    private interface Fold extends BiFunction<Long, Long, Long> {}

    /** Keeps a table whose rows end. Without a fold the record is the row, else an aggregate, which is as young as its latest record. */
    private static final class Kept implements Processor<String, Long, String, Long> {
        private final String name;
        private final long ttl;
        private final Fold fold;
        private ProcessorContext<String, Long> context;
        private TimestampedKeyValueStore<String, Long> rows;
        private long streamTime = -1;

        Kept(String name, long ttl, Fold fold) {
            this.name = name;
            this.ttl = ttl;
            this.fold = fold;
        }

        @Override
        public void init(ProcessorContext<String, Long> context) {
            this.context = context;
            rows = context.getStateStore(name);
        }

        @Override
        public void process(Record<String, Long> record) {
            String key = record.key();
            if (key == null) return;
            long time = record.timestamp();
            if (time > streamTime) {
                streamTime = time;
                endRows();
            }
            ValueAndTimestamp<Long> row = rows.get(key);
            if (fold == null) {
                if (time + ttl <= streamTime) return;
                rows.put(key, ValueAndTimestamp.make(record.value(), time));
                context.forward(record);
                return;
            }
            if (record.value() == null) return;
            long newest = row == null ? time : Math.max(time, row.timestamp());
            if (newest + ttl <= streamTime) return;
            Long result = fold.apply(row == null ? null : row.value(), record.value());
            rows.put(key, ValueAndTimestamp.make(result, newest));
            context.forward(record.withValue(result).withTimestamp(newest));
        }

        private void endRows() {
            List<KeyValue<String, ValueAndTimestamp<Long>>> ended = new ArrayList<>();
            try (KeyValueIterator<String, ValueAndTimestamp<Long>> all = rows.all()) {
                all.forEachRemaining(row -> {
                    if (row.value.timestamp() + ttl <= streamTime) ended.add(row);
                });
            }
            ended.sort(Comparator.<KeyValue<String, ValueAndTimestamp<Long>>>comparingLong(row -> row.value.timestamp())
                    .thenComparing(row -> row.key));
            for (KeyValue<String, ValueAndTimestamp<Long>> row : ended) {
                rows.delete(row.key);
                context.forward(new Record<>(row.key, null, row.value.timestamp() + ttl, new RecordHeaders()));
            }
        }
    }

    private static KStream<String, Long> kept(
            StreamsBuilder b, KStream<String, Long> stream, String name, long ttl, Fold fold) {
        b.addStateStore(Stores.timestampedKeyValueStoreBuilder(
                Stores.inMemoryKeyValueStore(name), Json.TEXT, Json.NUMBER));
        return stream.process(() -> new Kept(name, ttl, fold), name);
    }

    static void table(StreamsBuilder b) {
        Results.to("results", kept(b, Inputs.numbers(b), "rows", 50, null));
    }

    static void shortTable(StreamsBuilder b) {
        Results.to("results", kept(b, Inputs.numbers(b).merge(Inputs.others(b)), "rows", 5, null));
    }

    static void count(StreamsBuilder b) {
        Results.to("results", kept(b, Inputs.numbers(b), "counts", 40, (count, n) -> count == null ? 1 : count + 1));
    }

    static void reduceToNull(StreamsBuilder b) {
        Fold fold = (sum, n) -> sum == null ? n : sum + n > 8 ? null : Long.valueOf(sum + n);
        Results.to("results", kept(b, Inputs.numbers(b), "sums", 30, fold));
    }

    static void rekeyed(StreamsBuilder b) {
        KStream<String, Long> again = Inputs.numbers(b)
                .selectKey((key, n) -> n == null ? null : "n" + n % 3)
                .repartition(org.apache.kafka.streams.kstream.Repartitioned.with(Json.TEXT, Json.NUMBER)
                        .withName("rows"));
        Results.to("results", kept(b, again, "rows", 25, null));
    }

    static void downstream(StreamsBuilder b) {
        Results.to(
                "results",
                kept(b, Inputs.numbers(b), "rows", 50, null)
                        .toTable(Materialized.with(Json.TEXT, Json.NUMBER))
                        .filter((key, n) -> n > 1)
                        .groupBy((key, n) -> KeyValue.pair("" + n % 2, n), Grouped.with("by-rest", Json.TEXT, Json.NUMBER))
                        .count(Inputs.numbers("counts"))
                        .toStream());
    }

    static void joined(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.others(b).leftJoin(
                                kept(b, Inputs.numbers(b), "rows", 60, null)
                                        .toTable(Materialized.with(Json.TEXT, Json.NUMBER)),
                                (n, row) -> n + "+" + row,
                                org.apache.kafka.streams.kstream.Joined.with(Json.TEXT, Json.NUMBER, Json.NUMBER)));
    }
}
