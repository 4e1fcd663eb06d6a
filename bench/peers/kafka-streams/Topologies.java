package bench;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/** The workloads, as their TypeScript twins in bench/workloads. */
final class Topologies {

    private static final Serde<String> STRING = Serdes.String();
    private static final Serde<Payment> PAYMENT = JsonSerde.of(Payment.class);
    private static final Serde<Account> ACCOUNT = JsonSerde.of(Account.class);
    private static final Serde<Enriched> ENRICHED = JsonSerde.of(Enriched.class);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private Topologies() {}

    static Topology of(Map<String, String> spec) {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, Payment> payments = builder.stream(spec.get("input"), Consumed.with(STRING, PAYMENT));
        String output = spec.get("output");
        switch (spec.get("workload")) {
            case "stateless" -> stateless(payments, output);
            case "windowed" -> windowed(payments, output);
            case "session" -> session(payments, output);
            case "rekey" -> rekey(payments, output);
            case "stream-join" -> streamJoin(payments, output);
            case "table-join" -> tableJoin(builder, payments, spec.get("table"), output);
            case "foreign-key" -> foreignKey(builder, payments, spec.get("table"), output);
            default -> throw new IllegalArgumentException("no workload " + spec.get("workload"));
        }
        return builder.build();
    }

    private static void stateless(KStream<String, Payment> payments, String output) {
        payments.filter((account, payment) -> payment.status().equals("settled"))
                .mapValues(payment -> new Settled(payment.id(), Math.round(payment.amount() * 100)))
                .to(output, Produced.with(STRING, JsonSerde.of(Settled.class)));
    }

    private static void windowed(KStream<String, Payment> payments, String output) {
        payments.groupByKey(Grouped.with(STRING, PAYMENT))
                .windowedBy(TimeWindows.ofSizeAndGrace(MINUTE, MINUTE))
                .aggregate(
                        () -> new Total(0, 0),
                        (account, payment, total) -> total.plus(payment),
                        Materialized.<String, Total, WindowStore<Bytes, byte[]>>as("totals")
                                .withKeySerde(STRING)
                                .withValueSerde(JsonSerde.of(Total.class)))
                .toStream()
                .to(
                        output,
                        Produced.with(
                                WindowedSerdes.timeWindowedSerdeFrom(String.class, MINUTE.toMillis()),
                                JsonSerde.of(Total.class)));
    }

    private static void session(KStream<String, Payment> payments, String output) {
        payments.groupByKey(Grouped.with(STRING, PAYMENT))
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofSeconds(10), MINUTE))
                .aggregate(
                        () -> new Total(0, 0),
                        (account, payment, total) -> total.plus(payment),
                        (account, total, other) ->
                                new Total(total.count() + other.count(), total.sum() + other.sum()),
                        Materialized.<String, Total, SessionStore<Bytes, byte[]>>as("totals")
                                .withKeySerde(STRING)
                                .withValueSerde(JsonSerde.of(Total.class)))
                .toStream()
                .filter((session, total) -> total != null)
                .to(
                        output,
                        Produced.with(
                                WindowedSerdes.sessionWindowedSerdeFrom(String.class), JsonSerde.of(Total.class)));
    }

    private static void rekey(KStream<String, Payment> payments, String output) {
        payments.selectKey((account, payment) -> payment.account().substring(payment.account().length() - 5))
                .groupByKey(Grouped.with(STRING, PAYMENT))
                .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts")
                        .withKeySerde(STRING)
                        .withValueSerde(Serdes.Long()))
                .toStream()
                .to(output, Produced.with(STRING, Serdes.Long()));
    }

    private static void streamJoin(KStream<String, Payment> payments, String output) {
        KStream<String, Payment> left = payments.filter((account, payment) -> isLeft(payment));
        KStream<String, Payment> right = payments.filter((account, payment) -> !isLeft(payment));
        Duration ten = Duration.ofSeconds(10);
        left.join(
                        right,
                        (one, other) -> new Pair(one.id(), other.id(), one.amount() + other.amount()),
                        JoinWindows.ofTimeDifferenceAndGrace(ten, ten),
                        StreamJoined.with(STRING, PAYMENT, PAYMENT).withName("pairs").withStoreName("pairs"))
                .to(output, Produced.with(STRING, JsonSerde.of(Pair.class)));
    }

    private static boolean isLeft(Payment payment) {
        return payment.id() / 7 % 2 == 0;
    }

    private static void tableJoin(
            StreamsBuilder builder, KStream<String, Payment> payments, String table, String output) {
        payments.join(accounts(builder, table), Topologies::enriched, Joined.with(STRING, PAYMENT, ACCOUNT))
                .to(output, Produced.with(STRING, ENRICHED));
    }

    private static void foreignKey(
            StreamsBuilder builder, KStream<String, Payment> payments, String table, String output) {
        payments.toTable(Materialized.<String, Payment, KeyValueStore<Bytes, byte[]>>as("payments")
                        .withKeySerde(STRING)
                        .withValueSerde(PAYMENT))
                .join(
                        accounts(builder, table),
                        Payment::account,
                        Topologies::enriched,
                        TableJoined.as("enriched"),
                        Materialized.with(STRING, ENRICHED))
                .toStream()
                .to(output, Produced.with(STRING, ENRICHED));
    }

    private static KTable<String, Account> accounts(StreamsBuilder builder, String table) {
        return builder.table(
                table,
                Consumed.with(STRING, ACCOUNT),
                Materialized.<String, Account, KeyValueStore<Bytes, byte[]>>as("accounts")
                        .withKeySerde(STRING)
                        .withValueSerde(ACCOUNT));
    }

    private static Enriched enriched(Payment payment, Account account) {
        return new Enriched(payment.id(), payment.amount(), account.tier(), account.country());
    }
}
