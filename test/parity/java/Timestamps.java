package parity;

import java.time.Duration;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.LogAndSkipOnInvalidTimestamp;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.UsePartitionTimeOnInvalidTimestamp;

/** Sources with extractors; twins of topologies/timestamps.ts. */
final class Timestamps {

    private static final TimestampExtractor SKIPPING = new LogAndSkipOnInvalidTimestamp();
    private static final TimestampExtractor BY_PARTITION = new UsePartitionTimeOnInvalidTimestamp();

    private Timestamps() {}

    static void extracted(StreamsBuilder b) {
        Results.to("results", numbers(b, (record, partitionTime) -> {
            Long n = (Long) record.value();
            return record.timestamp() + (n == null ? 0 : n) + 3;
        }));
    }

    static void skipped(StreamsBuilder b) {
        Results.to("results", numbers(b, Timestamps::skipping));
    }

    static void partitionTime(StreamsBuilder b) {
        Results.to("results", numbers(b, (record, partitionTime) ->
                record.offset() == 0 ? 0 : BY_PARTITION.extract(at(record, ofValue(record)), partitionTime)));
    }

    static void windowed(StreamsBuilder b) {
        Results.to(
                "results",
                numbers(b, Timestamps::skipping)
                        .groupByKey(Inputs.GROUPED)
                        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(50), Duration.ofMillis(20)))
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .toStream());
    }

    static void repartitioned(StreamsBuilder b) {
        Results.to(
                "results",
                numbers(b, Timestamps::skipping)
                        .merge(Inputs.others(b))
                        .groupBy(
                                (key, n) -> n == null ? "none" : "" + n % 2,
                                Grouped.with("by-rest", Json.TEXT, Json.NUMBER))
                        .aggregate(() -> "", Aggregates::trace, Inputs.texts("traces"))
                        .toStream());
    }

    private static KStream<String, Long> numbers(StreamsBuilder b, TimestampExtractor extractor) {
        return b.stream("numbers", Consumed.with(Json.TEXT, Json.NUMBER).withTimestampExtractor(extractor));
    }

    private static long skipping(ConsumerRecord<Object, Object> record, long partitionTime) {
        return SKIPPING.extract(at(record, ofValue(record)), partitionTime);
    }

    /** Some are negative. */
    private static long ofValue(ConsumerRecord<Object, Object> record) {
        Long n = (Long) record.value();
        return n == null ? record.timestamp() : n < 0 ? -1 : record.timestamp() + n * 20 - 60;
    }

    private static ConsumerRecord<Object, Object> at(ConsumerRecord<Object, Object> record, long timestamp) {
        return new ConsumerRecord<>(
                record.topic(),
                record.partition(),
                record.offset(),
                timestamp,
                record.timestampType(),
                record.serializedKeySize(),
                record.serializedValueSize(),
                record.key(),
                record.value(),
                record.headers(),
                record.leaderEpoch());
    }
}
