package parity;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Function;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** Processors of the user's; twins of topologies/processors.ts. */
final class Processors {

    private Processors() {}

    private static StoreBuilder<KeyValueStore<String, String>> texts(String name) {
        return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), Json.TEXT, Json.TEXT);
    }

    /** A processor that is nothing but a function of its context and the record. */
    private interface On<VOut> {
        void process(Record<String, Long> record, ProcessorContext<String, VOut> context);
    }

    private static <VOut> Processor<String, Long, String, VOut> processor(On<VOut> on) {
        return new Processor<>() {
            private ProcessorContext<String, VOut> context;

            @Override
            public void init(ProcessorContext<String, VOut> context) {
                this.context = context;
            }

            @Override
            public void process(Record<String, Long> record) {
                on.process(record, context);
            }
        };
    }

    private static <VOut> FixedKeyProcessor<String, Long, VOut> fixed(
            Function<FixedKeyProcessorContext<String, VOut>, java.util.function.Consumer<FixedKeyRecord<String, Long>>> on) {
        return new FixedKeyProcessor<>() {
            private java.util.function.Consumer<FixedKeyRecord<String, Long>> process;

            @Override
            public void init(FixedKeyProcessorContext<String, VOut> context) {
                process = on.apply(context);
            }

            @Override
            public void process(FixedKeyRecord<String, Long> record) {
                process.accept(record);
            }
        };
    }

    static StoreBuilder<KeyValueStore<String, Long>> numbers(String name) {
        return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), Json.TEXT, Json.NUMBER);
    }

    /** A stage of a pipeline: the sum of what came before, under its key and another. */
    static Processor<String, Long, String, Long> runningSum(String store) {
        return processor((record, context) -> {
            KeyValueStore<String, Long> sums = context.getStateStore(store);
            String key = text(record.key());
            Long before = sums.get(key);
            long sum = ((before == null ? 0 : before) + (record.value() == null ? 1 : record.value())) % 10;
            if (sum == 7) sums.delete(key);
            else sums.put(key, sum);
            context.forward(record.withValue(sum));
            if (sum % 2 != 0) context.forward(record.withKey("p" + sum).withTimestamp(record.timestamp() + sum + 10));
        });
    }

    /** A stage of a pipeline: what a key's number has changed by. */
    static FixedKeyProcessor<String, Long, Long> runningDifference(String store) {
        return fixed(context -> {
            KeyValueStore<String, Long> last = context.getStateStore(store);
            return record -> {
                Long before = last.get(text(record.key()));
                last.put(text(record.key()), record.value());
                context.forward(
                        before == null || record.value() == null ? record : record.withValue(record.value() - before));
            };
        });
    }

    /** A stage of a pipeline: passes records on, and every 40 ms of stream time how many there were. */
    static Processor<String, Long, String, Long> countsEveryForty(String store) {
        return new Processor<>() {
            private ProcessorContext<String, Long> context;
            private KeyValueStore<String, Long> since;

            @Override
            public void init(ProcessorContext<String, Long> context) {
                this.context = context;
                since = context.getStateStore(store);
                context.schedule(Duration.ofMillis(40), PunctuationType.STREAM_TIME, time -> {
                    context.forward(new Record<>("t" + time % 200, since.get("all"), time));
                    since.delete("all");
                });
            }

            @Override
            public void process(Record<String, Long> record) {
                Long before = since.get("all");
                since.put("all", before == null ? 1 : before + 1);
                context.forward(record);
            }
        };
    }

    private static String text(Object value) {
        return value == null ? "null" : value.toString();
    }

    static void store(StreamsBuilder b) {
        b.addStateStore(texts("history-said"));
        Results.to("results", Inputs.numbers(b).process(() -> processor((Record<String, Long> record, ProcessorContext<String, String> context) -> {
            KeyValueStore<String, String> said = context.getStateStore("history-said");
            String key = text(record.key());
            String before = said.get(key);
            String now = (before == null ? "" : before) + text(record.value());
            if (now.length() > 8) said.delete(key);
            else if (now.length() > 6) said.put(key, null);
            else said.put(key, now);
            context.forward(record.withKey(key + now.length()).withValue(before));
            if (record.value() == null) return;
            for (long i = 0; i < record.value(); i += 3) context.forward(record.withValue(now + i));
        }), "history-said"));
    }

    static void keyChanges(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b)
                .process(() -> processor((Record<String, Long> record, ProcessorContext<String, Long> context) -> {
                    if (record.value() == null) return;
                    context.forward(record.withKey("k" + record.value() % 2));
                }))
                .groupByKey(Inputs.GROUPED)
                .count(Inputs.numbers("counts"))
                .toStream());
    }

    static void fixedKey(StreamsBuilder b) {
        b.addStateStore(texts("changes-last"));
        Results.to("results", Inputs.numbers(b)
                .processValues(() -> Processors.<Long>fixed(context -> {
                    KeyValueStore<String, String> last = context.getStateStore("changes-last");
                    return record -> {
                        String key = text(record.key());
                        String value = text(record.value());
                        if (value.equals(last.get(key))) return;
                        last.put(key, value);
                        context.forward(record);
                        if (last.putIfAbsent(key + "!", value) == null) {
                            context.forward(record.withValue(record.value() == null ? null : -record.value()));
                        }
                    };
                }), "changes-last")
                .groupByKey(Inputs.GROUPED)
                .reduce((sum, n) -> sum + n, Inputs.numbers("sums"))
                .toStream());
    }

    static void timestampsAndHeaders(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).process(() -> processor((Record<String, Long> record, ProcessorContext<String, String> context) -> {
            Headers headers = new RecordHeaders(record.headers());
            headers.add("seen", text(record.key()).getBytes(StandardCharsets.UTF_8));
            context.forward(record.withValue("more").withHeaders(headers));
            context.forward(record.withValue("later").withTimestamp(record.timestamp() + 7));
            context.forward(record.withValue("bare").withHeaders(new RecordHeaders()).withTimestamp(3));
            context.forward(record.withValue("as it was"));
        })));
    }

    static void timestampsDownstream(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b)
                .process(() -> processor((Record<String, Long> record, ProcessorContext<String, Long> context) -> {
                    if (record.value() != null) context.forward(record.withTimestamp(record.timestamp() + record.value() * 10 + 30));
                }))
                .processValues(() -> Processors.<String>fixed(context -> record -> context.forward(record.withValue(
                        record.value() + "@" + record.timestamp() + "/" + context.currentStreamTimeMs())))));
    }

    static void metadata(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b)
                .merge(Inputs.others(b))
                .selectKey((key, n) -> n == null ? "gone" : key + n % 2)
                .processValues(() -> Processors.<Long>fixed(context -> record -> {
                    var at = context.recordMetadata().get();
                    context.forward(record.withValue(at.topic().equals("others") ? at.offset() : at.offset() + 1000));
                }))
                .repartition(Repartitioned.with(Json.TEXT, Json.NUMBER).withName("again"))
                .processValues(() -> Processors.<String>fixed(context -> record -> {
                    var at = context.recordMetadata().get();
                    context.forward(record.withValue(
                            at.topic() + "/" + at.partition() + "/" + at.offset() + "/" + record.value()));
                })));
    }

    static void sharedStore(StreamsBuilder b) {
        b.addStateStore(texts("shared"));
        On<String> on = (record, context) -> {
            KeyValueStore<String, String> shared = context.getStateStore("shared");
            String before = shared.get("all");
            shared.put("all", (before == null ? "" : before) + text(record.value()));
            context.forward(record.withValue(before));
        };
        Results.to("first", Inputs.numbers(b).process(() -> processor(on), "shared"));
        Results.to("second", Inputs.others(b).process(() -> processor(on), "shared"));
    }

    static void table(StreamsBuilder b) {
        Inputs.rows(b);
        Results.to("results", Inputs.numbers(b).process(() -> processor((Record<String, Long> record, ProcessorContext<String, String> context) -> {
            TimestampedKeyValueStore<String, String> rows = context.getStateStore("rows");
            ValueAndTimestamp<String> row = rows.get(record.value() == null ? "a" : text(record.key()));
            context.forward(record.withValue(row == null ? "none" : row.value()));
        }), "rows"));
    }

    /** Says every `every` ms of stream time what has come since, and passes records on. */
    private static Processor<String, Long, String, String> punctuated(String store, long every) {
        return new Processor<>() {
            private ProcessorContext<String, String> context;
            private KeyValueStore<String, String> pending;

            @Override
            public void init(ProcessorContext<String, String> context) {
                this.context = context;
                pending = context.getStateStore(store);
                context.schedule(Duration.ofMillis(every), PunctuationType.STREAM_TIME, time -> {
                    String since = pending.get("since");
                    context.forward(new Record<>("at " + time, since, time));
                    pending.delete("since");
                });
            }

            @Override
            public void process(Record<String, Long> record) {
                String since = pending.get("since");
                pending.put("since", (since == null ? "" : since) + text(record.value()));
                context.forward(record.withValue(text(record.value())));
            }
        };
    }

    static void punctuateEveryTen(StreamsBuilder b) {
        b.addStateStore(texts("ticks-pending"));
        Results.to("results", Inputs.numbers(b).process(() -> punctuated("ticks-pending", 10), "ticks-pending"));
    }

    static void punctuateEveryHundred(StreamsBuilder b) {
        b.addStateStore(texts("ticks-pending"));
        Results.to("results", Inputs.numbers(b).merge(Inputs.others(b)).process(() -> punctuated("ticks-pending", 100), "ticks-pending"));
    }

    static void punctuateThenGroup(StreamsBuilder b) {
        b.addStateStore(texts("ticks-pending"));
        Results.to("results", Inputs.numbers(b)
                .process(() -> punctuated("ticks-pending", 15), "ticks-pending")
                .selectKey((key, said) -> text(said).length() % 2 + "")
                .groupByKey(Grouped.with(Json.TEXT, Json.TEXT))
                .reduce((all, said) -> (all + "," + said).substring(Math.max(0, all.length() - 20)), Inputs.texts("all"))
                .toStream());
    }
}
