package reference;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.test.TestRecord;

/** Runs a case on the TopologyTestDriver. */
final class Runner {
  private final Path folder;
  private int runs;

  Runner(Path folder) {
    this.folder = folder;
  }

  /**
   * The answer holds id, steps (for each event the records that came out, by topic), stores (the
   * contents of the named ones at the end) and, where something failed, error and at, the number of
   * the event (-1: while the topology was built).
   */
  ObjectNode run(Case c) {
    ObjectNode out = Differential.JSON.createObjectNode().put("id", c.id);
    ArrayNode steps = out.putArray("steps");
    int at = -1;
    try {
      Properties properties = properties(c);
      Topologies topologies = new Topologies(c);
      Topology topology =
          topologies.build(new StreamsBuilder(new TopologyConfig(new StreamsConfig(properties))), properties);
      if (c.describe) out.put("description", topology.describe().toString());
      try (TopologyTestDriver driver =
          new TopologyTestDriver(topology, properties, Instant.ofEpochMilli(0))) {
        Map<String, TestOutputTopic<String, String>> outputs = outputs(c, driver);
        Map<String, TestInputTopic<String, String>> inputs = new HashMap<>();
        for (Case.Event e : c.events) {
          at++;
          if (e.topic == null) driver.advanceWallClockTime(Duration.ofMillis(e.wall));
          else {
            inputs
                .computeIfAbsent(e.topic, t -> driver.createInputTopic(t, new StringSerializer(), new StringSerializer()))
                .pipeInput(new TestRecord<>(e.key, e.value, Instant.ofEpochMilli(e.ts)));
          }
          collect(outputs, steps.addObject());
        }
        Contents.write(driver, topologies.stores(), out.putObject("stores"));
      }
    } catch (Throwable e) {
      Throwable cause = e;
      while (cause.getCause() != null) cause = cause.getCause();
      out.put("error", e.getClass().getName() + ": " + e.getMessage() + " / " + cause).put("at", at);
    }
    return out;
  }

  private Properties properties(Case c) {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, "reference");
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nowhere:1");
    // One of its own: what fails while it is opened stays open.
    p.put(StreamsConfig.STATE_DIR_CONFIG, folder.resolve("case-" + runs++).toString());
    p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, c.cache);
    p.put(
        StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG,
        c.disk
            ? BuiltInDslStoreSuppliers.RocksDBDslStoreSuppliers.class
            : BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
    // Results are due by stream time alone; by default they are looked for once a second only.
    p.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX, 0L);
    p.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
    return p;
  }

  private static Map<String, TestOutputTopic<String, String>> outputs(Case c, TopologyTestDriver driver) {
    Map<String, TestOutputTopic<String, String>> all = new TreeMap<>();
    for (Case.Node n : c.nodes) {
      for (String topic : Topologies.outputs(n)) {
        all.put(topic, driver.createOutputTopic(topic, new StringDeserializer(), new StringDeserializer()));
      }
    }
    return all;
  }

  private static void collect(Map<String, TestOutputTopic<String, String>> outputs, ObjectNode step) {
    outputs.forEach(
        (topic, output) -> {
          if (output.isEmpty()) return;
          ArrayNode records = step.putArray(topic);
          for (TestRecord<String, String> r : output.readRecordsToList()) {
            records.addArray().add(r.key()).add(r.value()).add(r.timestamp());
          }
        });
  }

  static void remove(Path folder) throws IOException {
    List<Path> all;
    try (Stream<Path> files = Files.walk(folder)) {
      all = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path p : all) Files.deleteIfExists(p);
  }
}
