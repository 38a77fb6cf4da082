package reference;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * Prints, every 50 ms and at each change of state, {"state","ms","records","restored","cpu","rss",
 * "peak"}: milliseconds since the process began, records that entered the topology, records
 * restored, CPU seconds of the process, its resident bytes now and at most.
 */
final class Progress implements StateRestoreListener {
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          r -> {
            Thread t = new Thread(r, "progress");
            t.setDaemon(true);
            return t;
          });
  private final OperatingSystemMXBean system =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private final AtomicLong restored = new AtomicLong();
  private volatile String state = "CREATED";
  private volatile long records;

  /** Called by the one stream thread only. */
  void add() {
    records++;
  }

  void watch(KafkaStreams streams) {
    streams.setGlobalStateRestoreListener(this);
    streams.setStateListener(
        (now, before) -> {
          state = now.name();
          print();
        });
    timer.scheduleAtFixedRate(this::print, 50, 50, TimeUnit.MILLISECONDS);
  }

  void stop() {
    timer.shutdownNow();
    state = "CLOSED";
    print();
  }

  synchronized void print() {
    long ms = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
    System.out.printf(
        "{\"state\":\"%s\",\"ms\":%d,\"records\":%d,\"restored\":%d,\"cpu\":%.3f,\"rss\":%d,\"peak\":%d}%n",
        state, ms, records, restored.get(), system.getProcessCpuTime() / 1e9, status("VmRSS:"), status("VmHWM:"));
    System.out.flush();
  }

  private static long status(String field) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(field)) return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
      }
    } catch (IOException e) {
      return 0; // no Linux
    }
    return 0;
  }

  @Override
  public void onRestoreStart(TopicPartition p, String store, long from, long to) {}

  @Override
  public void onBatchRestored(TopicPartition p, String store, long to, long count) {
    restored.addAndGet(count);
  }

  @Override
  public void onRestoreEnd(TopicPartition p, String store, long count) {}
}
