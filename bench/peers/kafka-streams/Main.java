package bench;

import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Runs one workload on Kafka Streams until stdin ends. Arguments: key=value, as bench/sides/side.ts writes them. */
public final class Main {

    private Main() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> spec = Arrays.stream(args)
                .map(arg -> arg.split("=", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        Events events = new Events();
        CompletableFuture<Void> over = new CompletableFuture<>();

        KafkaStreams streams = new KafkaStreams(Topologies.of(spec), settings(spec));
        streams.setGlobalStateRestoreListener(events);
        streams.setStateListener(events);
        streams.setUncaughtExceptionHandler(error -> {
            over.completeExceptionally(error);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        stopWhenStdinEnds(over);
        try {
            over.join();
        } finally {
            streams.close();
        }
        Events.ended();
    }

    /** Exactly once, which also makes the commit interval 100 ms; everything else is the default. */
    private static Properties settings(Map<String, String> spec) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, spec.get("app"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, spec.get("bootstrap"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, spec.get("state"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, spec.get("threads"));
        return settings;
    }

    private static void stopWhenStdinEnds(CompletableFuture<Void> over) {
        Thread reader = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {}
                over.complete(null);
            } catch (Exception e) {
                over.completeExceptionally(e);
            }
        });
        reader.setDaemon(true);
        reader.start();
    }
}
