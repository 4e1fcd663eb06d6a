package parity;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/** Duplicates and limits by hand, as users of Kafka Streams write them, on a window store; twins of topologies/limits.ts. */
final class Limits {

    private Limits() {}

    private interface IdOf {
        String of(Record<String, Long> record);
    }

    private static final IdOf KEY = record -> record.key();

    private static StoreBuilder<WindowStore<String, Long>> passed(String name) {
        Duration day = Duration.ofDays(1);
        return Stores.windowStoreBuilder(
                Stores.inMemoryWindowStore(name, day, Duration.ofMillis(1), false), Serdes.String(), Serdes.Long());
    }

    /** Forwards what passes as it is, and where `marks` what does not with the number -1. */
    private static final class Limiter implements Processor<String, Long, String, Long> {
        private final String name;
        private final IdOf idOf;
        private final int limit;
        private final long period;
        private final long grace;
        private final boolean marks;
        private ProcessorContext<String, Long> context;
        private WindowStore<String, Long> passed;
        private long streamTime = -1;

        Limiter(String name, IdOf idOf, int limit, long period, long grace, boolean marks) {
            this.name = name;
            this.idOf = idOf;
            this.limit = limit;
            this.period = period;
            this.grace = grace;
            this.marks = marks;
        }

        @Override
        public void init(ProcessorContext<String, Long> context) {
            this.context = context;
            passed = context.getStateStore(name);
        }

        @Override
        public void process(Record<String, Long> record) {
            String id = idOf.of(record);
            if (id == null) {
                context.forward(record);
                return;
            }
            long time = record.timestamp();
            streamTime = Math.max(streamTime, time);
            boolean late = time < streamTime - grace;
            if (late ? marks : exceeds(id, time)) {
                if (marks) context.forward(record.withValue(-1L));
                return;
            }
            if (!late) {
                Long before = passed.fetch(id, time);
                passed.put(id, before == null ? 1 : before + 1, time);
            }
            context.forward(record);
        }

        private boolean exceeds(String id, long time) {
            List<KeyValue<Long, Long>> near = new ArrayList<>();
            try (WindowStoreIterator<Long> rows = passed.fetch(id, Math.max(0, time - period + 1), time + period - 1)) {
                rows.forEachRemaining(near::add);
            }
            List<Long> starts = new ArrayList<>(List.of(time));
            for (KeyValue<Long, Long> row : near) if (row.key <= time) starts.add(row.key);
            for (long start : starts) {
                long inside = 1;
                for (KeyValue<Long, Long> row : near) {
                    if (row.key >= start && row.key < start + period) inside += row.value;
                }
                if (inside > limit) return true;
            }
            return false;
        }
    }

    private static KStream<String, Long> limited(
            StreamsBuilder b, KStream<String, Long> stream, String name, IdOf idOf, int limit, long period, long grace, boolean marks) {
        b.addStateStore(passed(name));
        return stream.process(() -> new Limiter(name, idOf, limit, period, grace, marks), name);
    }

    static void dedupe(StreamsBuilder b) {
        Results.to("results", limited(b, Inputs.numbers(b), "once", KEY, 1, 30, 30, false));
    }

    static void dedupeById(StreamsBuilder b) {
        IdOf idOf = record -> record.value() == null || record.value() == 0 ? null : record.key() + "/" + record.value();
        Results.to("results", limited(b, Inputs.numbers(b), "once", idOf, 1, 50, 20, false));
    }

    static void rateLimit(StreamsBuilder b) {
        Results.to("results", limited(b, Inputs.numbers(b), "limit", KEY, 3, 40, 40, true));
    }

    static void rateLimitWithoutGrace(StreamsBuilder b) {
        IdOf idOf = record -> record.value() == null ? null : record.key() + "/" + record.value() % 2;
        Results.to("results", limited(b, Inputs.numbers(b), "limit", idOf, 2, 25, 0, true));
    }

    static void behindOthers(StreamsBuilder b) {
        KStream<String, Long> merged = Inputs.numbers(b).merge(Inputs.others(b));
        KStream<String, Long> once = limited(b, merged, "once", KEY, 1, 5, 5, false);
        Results.to("results", limited(b, once, "limit", KEY, 5, 100, 50, true)
                .groupByKey(Inputs.GROUPED)
                .count(Inputs.numbers("counts"))
                .toStream());
    }
}
