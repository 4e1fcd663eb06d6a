package parity;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.TopicNameExtractor;

/**
 * The sinks of all topologies: JSON of whatever comes. TopologyTestDriver keeps results topic by topic; in which order they were
 * written over all topics is known from the calls of the serializer.
 */
final class Results {

    private static final List<String> written = new ArrayList<>();

    private record WindowedKey(Object key, long start, long end) {}

    private Results() {}

    static <K, V> void to(String topic, KStream<K, V> stream) {
        stream.to(topic, Produced.with(keySerde(), valueSerde()));
    }

    static <K, V> void to(TopicNameExtractor<K, V> chooser, KStream<K, V> stream) {
        stream.to(chooser, Produced.with(keySerde(), valueSerde()));
    }

    /** Topics of the records written since the last call. */
    static List<String> written() {
        List<String> topics = List.copyOf(written);
        written.clear();
        return topics;
    }

    private static <K> Serde<K> keySerde() {
        return Serdes.serdeFrom((topic, key) -> Json.write(json(key)), (topic, bytes) -> null);
    }

    private static <V> Serde<V> valueSerde() {
        return Serdes.serdeFrom(
                (topic, value) -> {
                    written.add(topic);
                    return Json.write(value);
                },
                (topic, bytes) -> null);
    }

    private static Object json(Object key) {
        if (!(key instanceof Windowed<?> windowed)) return key;
        return new WindowedKey(windowed.key(), windowed.window().start(), windowed.window().end());
    }
}
