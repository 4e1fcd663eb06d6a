package bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.processor.StateRestoreListener;

/** What the harness is told, one JSON object a line on stdout; "restoring" and "running" once each. */
final class Events implements StateRestoreListener, KafkaStreams.StateListener {

    private final Set<String> said = new HashSet<>();

    @Override
    public void onRestoreStart(TopicPartition partition, String store, long start, long end) {
        if (end > start) say("restoring");
    }

    @Override
    public void onBatchRestored(TopicPartition partition, String store, long end, long records) {}

    @Override
    public void onRestoreEnd(TopicPartition partition, String store, long records) {}

    @Override
    public void onChange(KafkaStreams.State now, KafkaStreams.State before) {
        if (now == KafkaStreams.State.RUNNING) say("running");
    }

    private synchronized void say(String event) {
        if (said.add(event)) {
            System.out.println("{\"event\":\"" + event + "\",\"at\":" + System.currentTimeMillis() + "}");
        }
    }

    /** Said last: CPU of the whole process so far, and its peak of resident memory. */
    static void ended() throws IOException {
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        double cpuSeconds = system.getProcessCpuTime() / 1e9;
        System.out.println(
                "{\"event\":\"ended\",\"cpuSeconds\":" + cpuSeconds + ",\"rssMiB\":" + peakRssMiB() + "}");
    }

    private static double peakRssMiB() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) return Double.parseDouble(line.replaceAll("\\D", "")) / 1024;
        }
        throw new IOException("no VmHWM in /proc/self/status");
    }
}
