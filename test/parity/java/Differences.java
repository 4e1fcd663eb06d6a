package parity;

import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Repartitioned;

/** Where the two sides differ on purpose; twins of differences.ts. */
final class Differences {

    private Differences() {}

    static void repartitionWithoutKey(StreamsBuilder b) {
        Results.to(
                "results",
                Inputs.numbers(b)
                        .repartition(Repartitioned.with(Json.TEXT, Json.NUMBER).withName("again")));
    }
}
