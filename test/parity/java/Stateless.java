package parity;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Repartitioned;

/** Operators without a store; twins of topologies/stateless.ts. */
final class Stateless {

    private Stateless() {}

    static void filter(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).filter((key, n) -> n != null && n % 2 == 0));
    }

    static void pattern(StreamsBuilder b) {
        Pattern topics = Pattern.compile("numbers|o(th|x)er.+");
        KStream<String, Long> all = b.stream(topics, Consumed.with(Json.TEXT, Json.NUMBER));
        Results.to("results", all.mapValues((key, n) -> key + " " + n));
    }

    static void filterNot(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).filterNot((key, n) -> key != null && n != null && n > 2));
    }

    static void map(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b).map((key, n) -> KeyValue.pair(key == null ? "none" : key + n, n == null ? 7L : n * 10)));
    }

    static void mapToNull(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b).map((key, n) -> KeyValue.pair(n == null ? null : key, n == null || n > 4 ? null : n)));
    }

    static void mapValues(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).mapValues((key, n) -> n == null ? key + " is gone" : n < 0 ? null : key + n));
    }

    static void flatMap(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).flatMap((key, n) -> {
            List<KeyValue<String, Long>> pairs = new ArrayList<>();
            for (long i = 0; n != null && i < n; i++) {
                pairs.add(KeyValue.pair(i == 2 ? null : key + i, i == 3 ? null : n * 10 + i));
            }
            return pairs;
        }));
    }

    static void flatMapValues(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).flatMapValues((key, n) -> {
            List<String> values = new ArrayList<>();
            for (long i = 0; n != null && i < n; i++) values.add(i == 3 ? null : key + i);
            return values;
        }));
    }

    static void selectKey(StreamsBuilder b) {
        Results.to("results", Inputs.numbers(b).selectKey((key, n) -> n == null ? null : key + n));
    }

    static void merge(StreamsBuilder b) {
        KStream<String, Long> numbers = Inputs.numbers(b);
        KStream<String, Long> others = Inputs.others(b).mapValues(n -> n == null ? null : n * 100);
        Results.to("results", numbers.merge(others));
    }

    static void twoTopics(StreamsBuilder b) {
        Results.to("results", b.stream(List.of("numbers", "others"), Consumed.with(Json.TEXT, Json.NUMBER)));
    }

    static void split(StreamsBuilder b) {
        Inputs.numbers(b)
                .split()
                .branch((key, n) -> n == null, Branched.withConsumer(gone -> Results.to("gone", gone)))
                .branch((key, n) -> n > 4, Branched.withConsumer(large -> Results.to("large", large)))
                .branch((key, n) -> n % 2 == 0, Branched.withConsumer(even -> Results.to("results", even)))
                .defaultBranch(Branched.withConsumer(rest -> Results.to("large", rest.mapValues(n -> -n))));
    }

    static void splitWithoutDefault(StreamsBuilder b) {
        Inputs.numbers(b)
                .split()
                .branch((key, n) -> n != null && n > 4, Branched.withConsumer(large -> Results.to("large", large)))
                .branch((key, n) -> key == null, Branched.withConsumer(keyless -> Results.to("results", keyless)));
    }

    static void chosenTopic(StreamsBuilder b) {
        Results.to(
                (key, n, context) -> n == null ? "gone"
                        : context.topic().equals("others") || context.offset() % 3 == 0 ? "results"
                        : context.timestamp() % 2 == 0 || context.headers().toArray().length > 0 ? "large" : "gone",
                Inputs.numbers(b).filter((key, n) -> n == null || n != 3).merge(Inputs.others(b)));
    }

    static void peek(StreamsBuilder b) {
        long[] seen = {0};
        Results.to(
                "results",
                Inputs.numbers(b).peek((key, n) -> seen[0] += n == null ? 100 : n).mapValues(n -> seen[0]));
    }

    static void fanOut(StreamsBuilder b) {
        KStream<String, Long> numbers = Inputs.numbers(b);
        Results.to("first", numbers);
        KStream<String, Long> doubled = numbers.mapValues(n -> n == null ? null : n * 2);
        Results.to("second", doubled.filter((key, n) -> n != null));
        Results.to("results", numbers.merge(doubled));
    }

    static void repartition(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .selectKey((key, n) -> n == null ? "gone" : key + n % 2)
                        .repartition(Repartitioned.with(Json.TEXT, Json.NUMBER).withName("by-parity"))
                        .mapValues((key, n) -> key + n));
    }
}
