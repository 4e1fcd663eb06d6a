package everything;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.StreamsConfig.InternalConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The topology of ../fixtures/everything.ts, run by Kafka Streams on Kafka until stdin ends. Arguments: bootstrap servers, prefix of the
 * topics it reads, prefix of those it writes, directory for its state. Keys and values are text everywhere.
 */
public final class Everything {

    private static final Serde<String> TEXT = Serdes.String();
    private static final Duration DAY = Duration.ofDays(1);

    private Everything() {}

    public static void main(String[] args) throws Exception {
        StreamsBuilder builder = new StreamsBuilder();
        build(builder, args[1], args[2]);
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[2] + "app");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, args[3]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        // Else it looks for records without a match, and for closed windows, once a second, and not after the last record.
        settings.put(InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0);
        settings.put(InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX, 0);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        try (KafkaStreams streams = new KafkaStreams(builder.build(), settings)) {
            streams.setUncaughtExceptionHandler(failure -> {
                failure.printStackTrace();
                Runtime.getRuntime().halt(1);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.start();
            while (System.in.read() >= 0) {}
        }
    }

    private static void build(StreamsBuilder b, String in, String out) {
        KStream<String, String> clicks = b.stream(in + "clicks", Consumed.with(TEXT, TEXT));
        KStream<String, String> views = b.stream(in + "views", Consumed.with(TEXT, TEXT));
        KStream<String, String> taps = b.stream(in + "taps", Consumed.with(TEXT, TEXT));
        KTable<String, String> users = b.table(in + "users", Consumed.with(TEXT, TEXT), Materialized.as("users"));
        KTable<String, String> profiles =
                b.table(in + "profiles", Consumed.with(TEXT, TEXT), Materialized.as("profiles"));
        KTable<String, String> teams = b.table(in + "teams", Consumed.with(TEXT, TEXT), Materialized.as("teams"));
        GlobalKTable<String, String> prices =
                b.globalTable(in + "prices", Consumed.with(TEXT, TEXT), Materialized.as("prices"));

        to(out + "pages", clicks.groupBy((user, page) -> page, Grouped.with("by-page", TEXT, TEXT))
                .count(Materialized.as("pages"))
                .toStream()
                .mapValues(String::valueOf));
        to(out + "again", clicks.repartition(Repartitioned.<String, String>as("again").withNumberOfPartitions(3)));

        // As long as sessions are kept by default: a closed one is not found again.
        windowed(out + "sessions", taps.groupByKey()
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(80), Duration.ofMillis(100)))
                .count(Materialized.as("sessions")));
        windowed(out + "closed", taps.groupByKey()
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(300), Duration.ofMillis(50)))
                .count(kept("closed"))
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())));
        windowed(out + "final", taps.groupByKey()
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(300), Duration.ofMillis(50))
                        .advanceBy(Duration.ofMillis(100)))
                .emitStrategy(EmitStrategy.onWindowClose())
                .count(kept("final")));
        windowed(out + "sliding", taps.groupByKey()
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(300), Duration.ofMillis(100)))
                .count(kept("sliding")));
        to(out + "seen", clicks.groupByKey()
                .<String>cogroup((user, page, seen) -> trace(seen, "c", page))
                .cogroup(views.groupByKey(), (user, page, seen) -> trace(seen, "v", page))
                .cogroup(taps.groupByKey(), (user, page, seen) -> trace(seen, "t", page))
                .aggregate(() -> "", Materialized.as("seen"))
                .toStream());

        JoinWindows within = JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(60), Duration.ofMillis(100));
        to(out + "inner", clicks.join(views, Everything::both, within, StreamJoined.as("inner")));
        to(out + "left", clicks.leftJoin(views, Everything::both, within, StreamJoined.as("left")));
        to(out + "outer", clicks.outerJoin(views, Everything::both, within, StreamJoined.as("outer")));
        JoinWindows close = JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(300), Duration.ofMillis(100));
        to(out + "itself", clicks.join(clicks, Everything::both, close, StreamJoined.as("itself")));
        to(out + "rekeyed", swapped(clicks).join(
                swapped(views),
                Everything::both,
                JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(5), DAY),
                StreamJoined.<String, String, String>as("rekeyed").withKeySerde(TEXT)));

        to(out + "enriched", clicks.join(users, Everything::both, Joined.as("enriched")));
        to(out + "enriched-left", clicks.leftJoin(users, Everything::both, Joined.as("enriched-left")));
        KTable<String, String> plans = b.stream(in + "plans", Consumed.with(TEXT, TEXT))
                .toTable(Materialized.as(Stores.persistentVersionedKeyValueStore("plans", Duration.ofMillis(300))));
        to(out + "dated-left", taps.leftJoin(plans, Everything::both, Joined.as("dated-left")));
        to(out + "graced", taps.join(
                plans, Everything::both, Joined.with(TEXT, TEXT, TEXT, "graced", Duration.ofMillis(40))));
        to(out + "graced-left", taps.leftJoin(
                plans, Everything::both, Joined.with(TEXT, TEXT, TEXT, "graced-left", Duration.ofMillis(80))));
        to(out + "planned", plans.groupBy(
                        (user, plan) -> KeyValue.pair(plan.substring(plan.length() - 1), user),
                        Grouped.with("by-plan", TEXT, TEXT))
                .count(Materialized.as("planned"))
                .toStream()
                .mapValues(String::valueOf));
        to(out + "priced", clicks.join(prices, (user, page) -> page, Everything::both));
        to(out + "priced-left", clicks.leftJoin(prices, (user, page) -> page, Everything::both));

        to(out + "people", users.join(profiles, Everything::both).toStream());
        to(out + "people-left", users.leftJoin(profiles, Everything::both).toStream());
        to(out + "people-outer", users.outerJoin(profiles, Everything::both).toStream());
        to(out + "cities", users.join(
                teams, team -> team, Everything::both, TableJoined.as("cities"), Materialized.as("cities")).toStream());
        to(out + "cities-left", users.leftJoin(
                        teams, team -> team, Everything::both, TableJoined.as("cities-left"), Materialized.as("cities-left"))
                .toStream());
        to(out + "sizes", users.groupBy((user, team) -> KeyValue.pair(team, user), Grouped.with("by-team", TEXT, TEXT))
                .count(Materialized.as("sizes"))
                .toStream()
                .mapValues(String::valueOf));
    }

    private static String both(String left, String right) {
        return left + "+" + right;
    }

    private static KStream<String, String> swapped(KStream<String, String> stream) {
        return stream.map((user, page) -> KeyValue.pair(page, user));
    }

    /** By default a window is gone when late records look for it, or in the moment in which it closes and should be given out. */
    private static Materialized<String, Long, WindowStore<Bytes, byte[]>> kept(String store) {
        return Materialized.<String, Long, WindowStore<Bytes, byte[]>>as(store).withRetention(DAY);
    }

    /** What went in, in its order, as far as it fits. */
    private static String trace(String before, String kind, String page) {
        String longer = before + kind + page + ",";
        return longer.substring(Math.max(0, longer.length() - 40));
    }

    private static void to(String topic, KStream<String, String> stream) {
        stream.to(topic, Produced.with(TEXT, TEXT));
    }

    private static void windowed(String topic, KTable<Windowed<String>, Long> table) {
        to(topic, table.toStream((key, count) -> key.key() + "@" + key.window().start() + "-" + key.window().end())
                .mapValues(count -> count == null ? null : String.valueOf(count)));
    }
}
