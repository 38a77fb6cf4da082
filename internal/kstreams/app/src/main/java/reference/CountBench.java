package reference;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/**
 * An application to measure beside ours. Arguments are name=value: brokers, id, kind (count, join
 * or window), in, table (of a join), out, commit (ms), cache (bytes), dir, window (ms), offset
 * (where to begin, default earliest), linger (ms), instance (id of a static member). It runs until its input ends and prints what it did, see
 * Progress.
 */
public final class CountBench {
  private CountBench() {}

  public static void main(String[] args) throws Exception {
    Map<String, String> arguments = new HashMap<>();
    for (String a : args) arguments.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
    Progress progress = new Progress();
    StreamsBuilder builder = new StreamsBuilder();
    topology(builder, arguments, progress);
    Properties properties = properties(arguments);
    KafkaStreams streams = new KafkaStreams(builder.build(properties), properties);
    progress.watch(streams);
    streams.start();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    while (in.readLine() != null) progress.print();
    streams.close(Duration.ofMinutes(1));
    progress.stop();
  }

  private static void topology(StreamsBuilder b, Map<String, String> arguments, Progress progress) {
    Serde<String> keys = Serdes.String();
    Serde<byte[]> values = Serdes.ByteArray();
    KStream<String, byte[]> in =
        b.stream(arguments.get("in"), Consumed.with(keys, values)).peek((k, v) -> progress.add());
    String out = arguments.get("out");
    switch (arguments.get("kind")) {
      case "count" -> in.groupByKey(Grouped.with(keys, values))
          .count(Materialized.as("counts"))
          .toStream()
          .to(out, Produced.with(keys, Serdes.Long()));
      case "window" -> {
        long size = Long.parseLong(arguments.get("window"));
        in.groupByKey(Grouped.with(keys, values))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(size), Duration.ofMillis(size)))
            .count(Materialized.as("counts"))
            .toStream()
            .to(out, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, size), Serdes.Long()));
      }
      case "join" -> {
        KTable<String, byte[]> table =
            b.table(arguments.get("table"), Consumed.with(keys, values), Materialized.as("table"));
        in.join(table, CountBench::both, Joined.with(keys, values, values)).to(out, Produced.with(keys, values));
      }
      default -> throw new IllegalArgumentException("no kind " + arguments);
    }
  }

  private static byte[] both(byte[] left, byte[] right) {
    byte[] out = new byte[left.length + right.length];
    System.arraycopy(left, 0, out, 0, left.length);
    System.arraycopy(right, 0, out, left.length, right.length);
    return out;
  }

  private static Properties properties(Map<String, String> arguments) {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments.get("id"));
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.get("brokers"));
    p.put(StreamsConfig.STATE_DIR_CONFIG, arguments.get("dir"));
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, Long.parseLong(arguments.get("commit")));
    p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, Long.parseLong(arguments.get("cache")));
    p.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG),
        arguments.getOrDefault("offset", "earliest"));
    String instance = arguments.getOrDefault("instance", "");
    if (!instance.isEmpty()) {
      p.put(StreamsConfig.consumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), instance);
    }
    p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), arguments.getOrDefault("linger", "100"));
    p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    return p;
  }
}
