package parity;

import java.time.Duration;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** Tables whose rows a function with stores and a context makes; twins of topologies/table-transforms.ts. */
final class TableTransforms {

    private static final ValueJoiner<Object, Object, String> BOTH = (left, right) -> left + "+" + right;

    private TableTransforms() {}

    /** A transformer that is nothing but a function of its context and the row. */
    interface On<V> {
        String transform(V value, String key, ProcessorContext context);
    }

    static <V> ValueTransformerWithKey<String, V, String> transformer(On<V> on) {
        return new ValueTransformerWithKey<>() {
            private ProcessorContext context;

            @Override
            public void init(ProcessorContext context) {
                this.context = context;
            }

            @Override
            public String transform(String key, V value) {
                return on.transform(value, key, context);
            }

            @Override
            public void close() {}
        };
    }

    static Materialized<String, String, KeyValueStore<Bytes, byte[]>> kept(String store) {
        return Inputs.texts(store);
    }

    private static void store(StreamsBuilder b, String name) {
        b.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), Json.TEXT, Json.TEXT));
    }

    private static String last(String text, int length) {
        return text.substring(Math.max(0, text.length() - length));
    }

    private static KTable<String, String> history(StreamsBuilder b) {
        store(b, "history-said");
        On<String> on = (row, key, context) -> {
            KeyValueStore<String, String> said = context.getStateStore("history-said");
            String before = said.get(key);
            String now = (before == null ? "" : before) + (row == null ? "-" : row);
            if (now.length() > 8) said.delete(key);
            else said.put(key, now);
            return now.length() % 4 == 0 ? null : now;
        };
        return Inputs.rows(b).transformValues(() -> transformer(on), kept("history"), "history-said");
    }

    private static KTable<String, Long> numbers(StreamsBuilder b) {
        return b.table("numbers", Consumed.with(Json.TEXT, Json.NUMBER), Inputs.numbers("numbers"));
    }

    static void deletedRowsToo(StreamsBuilder b) {
        On<String> on = (row, key, context) -> "yy".equals(row) ? null : key + (row == null ? "gone" : row);
        Results.to(
                "results", Inputs.rows(b).transformValues(() -> transformer(on), kept("shown")).toStream());
    }

    static void withStore(StreamsBuilder b) {
        Results.to("results", history(b).toStream());
    }

    static void filteredAfter(StreamsBuilder b) {
        Results.to(
                "results",
                history(b).filter((key, said) -> said.length() < 6).mapValues(said -> said.length()).toStream());
    }

    static void twice(StreamsBuilder b) {
        On<String> on = (said, key, context) -> said == null ? "none" : said.substring(0, Math.min(3, said.length()));
        Results.to(
                "results",
                history(b)
                        .filterNot((key, said) -> said.endsWith("x"))
                        .transformValues(() -> transformer(on), kept("shorter"))
                        .toStream());
    }

    static void joined(StreamsBuilder b) {
        KTable<String, Long> left = numbers(b);
        Results.to("results", left.outerJoin(history(b), BOTH).toStream());
    }

    static void grouped(StreamsBuilder b) {
        Results.to(
                "results",
                history(b)
                        .groupBy(
                                (key, said) -> KeyValue.pair(said.length() + "", key + said),
                                Grouped.with("by-length", Json.TEXT, Json.TEXT))
                        .aggregate(
                                () -> "",
                                (key, said, list) -> last(list + "+" + said, 20),
                                (key, said, list) -> last(list + "-" + said, 20),
                                kept("lists"))
                        .toStream());
    }

    static void whereItIs(StreamsBuilder b) {
        On<String> on = (row, key, context) -> row + "@" + context.topic() + "/" + context.partition() + "/"
                + context.offset() + "/" + context.timestamp() + "/" + context.headers().toArray().length + "/"
                + context.currentStreamTimeMs();
        Results.to(
                "results", Inputs.rows(b).transformValues(() -> transformer(on), kept("places")).toStream());
    }

    static void readsTable(StreamsBuilder b) {
        KTable<String, String> table = Inputs.rows(b);
        On<Long> on = (n, key, context) -> {
            TimestampedKeyValueStore<String, String> rows = context.getStateStore("rows");
            ValueAndTimestamp<String> row = rows.get(key);
            return n != null && n == 3 ? null : n + (row == null ? "none" : row.value());
        };
        Results.to(
                "results",
                numbers(b)
                        .transformValues(() -> transformer(on), kept("look-up"), "rows")
                        .join(table, BOTH)
                        .toStream());
    }

    static void punctuated(StreamsBuilder b) {
        store(b, "since-since");
        Results.to(
                "results",
                Inputs.rows(b)
                        .transformValues(
                                () -> new ValueTransformerWithKey<String, String, String>() {
                                    private KeyValueStore<String, String> since;

                                    @Override
                                    public void init(ProcessorContext context) {
                                        since = context.getStateStore("since-since");
                                        context.schedule(
                                                Duration.ofMillis(20),
                                                PunctuationType.STREAM_TIME,
                                                time -> since.put("all", time + ":"));
                                    }

                                    @Override
                                    public String transform(String key, String row) {
                                        String before = since.get("all");
                                        String now = (before == null ? "" : before) + (row == null ? "-" : key);
                                        since.put("all", now);
                                        return now;
                                    }

                                    @Override
                                    public void close() {}
                                },
                                kept("since"),
                                "since-since")
                        .toStream());
    }
}
