package parity;

import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.StateStore;

/** The topics of topologies/topics.ts: keys are text, values numbers or text. */
final class Inputs {

    static final Grouped<String, Long> GROUPED = Grouped.with(Json.TEXT, Json.NUMBER);

    private Inputs() {}

    static KStream<String, Long> numbers(StreamsBuilder b) {
        return b.stream("numbers", Consumed.with(Json.TEXT, Json.NUMBER));
    }

    static KStream<String, Long> others(StreamsBuilder b) {
        return b.stream("others", Consumed.with(Json.TEXT, Json.NUMBER));
    }

    static KStream<String, String> lines(StreamsBuilder b) {
        return b.stream("lines", Consumed.with(Json.TEXT, Json.TEXT));
    }

    static KTable<String, String> rows(StreamsBuilder b) {
        return b.table("rows", Consumed.with(Json.TEXT, Json.TEXT), texts("rows"));
    }

    static <S extends StateStore> Materialized<String, Long, S> numbers(String store) {
        return Materialized.<String, Long, S>as(store).withKeySerde(Json.TEXT).withValueSerde(Json.NUMBER);
    }

    static <S extends StateStore> Materialized<String, String, S> texts(String store) {
        return Materialized.<String, String, S>as(store).withKeySerde(Json.TEXT).withValueSerde(Json.TEXT);
    }
}
