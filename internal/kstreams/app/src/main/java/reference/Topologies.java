package reference;

import static org.apache.kafka.common.serialization.Serdes.String;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.state.Stores;

/** Builds the topology of a case. Types are those of the graph, so generics are left out. */
@SuppressWarnings({"rawtypes", "unchecked"})
final class Topologies {
  /**
   * With the retention that windows have by default, a jump of stream time removes them from the
   * store before they are emitted on close.
   */
  private static final long EMIT_RETENTION = 10_000_000;

  private final Case c;
  private final Map<String, Object> built = new HashMap<>();
  private final Map<String, Case> stores = new TreeMap<>();
  private StreamsBuilder builder;

  Topologies(Case c) {
    this.c = c;
  }

  Topology build(StreamsBuilder builder, Properties properties) {
    this.builder = builder;
    for (Case.Node n : c.nodes) {
      built.put(n.id, node(n));
      if (n.store != null && !n.store.isEmpty()) stores.put(n.store, c);
    }
    return builder.build(properties);
  }

  /** The named stores. */
  Map<String, Case> stores() {
    return stores;
  }

  /** The topics that a node writes. */
  static List<String> outputs(Case.Node n) {
    return switch (n.op) {
      case "to" -> List.of(n.topic);
      case "toTopics" -> List.of(n.topic + "0", n.topic + "1");
      default -> List.of();
    };
  }

  private Object node(Case.Node n) {
    return switch (n.op) {
      case "stream" -> builder.stream(List.of(n.topic.split(",")), Consumed.with(String(), String()));
      case "table" -> table(n);
      case "globalTable" -> builder.globalTable(
          n.topic, Consumed.with(String(), String()), (Materialized) materialized(n, String()));
      case "filter" -> stream(n, 0).filter((k, v) -> Functions.test(n.fn, k, v));
      case "filterNot" -> stream(n, 0).filterNot((k, v) -> Functions.test(n.fn, k, v));
      case "map" -> stream(n, 0)
          .map((k, v) -> KeyValue.pair(Functions.key(n.fn, k, v), Functions.value(n.fn2, k, v)));
      case "mapValues" -> stream(n, 0).mapValues((k, v) -> Functions.value(n.fn, k, v));
      case "flatMap" -> stream(n, 0).flatMap((k, v) -> Functions.flat(n.fn, k, v));
      case "flatMapValues" -> stream(n, 0).flatMapValues((k, v) -> flatValues(n.fn, k, v));
      case "selectKey" -> stream(n, 0).selectKey((k, v) -> Functions.key(n.fn, k, v));
      case "peek" -> stream(n, 0).peek((k, v) -> {});
      case "merge" -> stream(n, 0).merge(stream(n, 1));
      case "split" -> split(n);
      case "branch" -> ((List) input(n, 0)).get(n.branch);
      case "repartition" -> stream(n, 0).repartition((Repartitioned) Repartitioned.with(String(), String()));
      case "toTable" -> n.store == null ? stream(n, 0).toTable() : stream(n, 0).toTable(materialized(n, String()));
      case "toStream" -> table(n, 0).toStream();
      case "groupByKey" -> stream(n, 0).groupByKey(grouped(n.name));
      case "groupBy" -> stream(n, 0).groupBy((k, v) -> Functions.key(n.fn, k, v), grouped(n.name));
      case "count", "reduce", "aggregate", "cogroup" -> Aggregations.node(this, n);
      case "tableFilter" -> n.store == null
          ? table(n, 0).filter((k, v) -> Functions.test(n.fn, k, v))
          : table(n, 0).filter((k, v) -> Functions.test(n.fn, k, v), materialized(n, String()));
      case "tableFilterNot" -> n.store == null
          ? table(n, 0).filterNot((k, v) -> Functions.test(n.fn, k, v))
          : table(n, 0).filterNot((k, v) -> Functions.test(n.fn, k, v), materialized(n, String()));
      case "tableMapValues" -> n.store == null
          ? table(n, 0).mapValues((k, v) -> Functions.value(n.fn, k, v))
          : table(n, 0).mapValues((k, v) -> Functions.value(n.fn, k, v), materialized(n, String()));
      case "tableGroupBy" -> table(n, 0)
          .groupBy(
              (k, v) -> KeyValue.pair(Functions.key(n.fn, k, v), Functions.value(n.fn2, k, v)),
              grouped(n.name));
      case "tableCount", "tableReduce", "tableAggregate" -> Aggregations.table(this, n, grouped(n));
      case "suppress" -> table(n, 0).suppress(suppressed(n));
      case "joinStreams" -> Joins.streams(this, n);
      case "joinTable" -> Joins.table(this, n);
      case "joinGlobal" -> Joins.global(this, n);
      case "joinTables" -> Joins.tables(this, n);
      case "joinForeign" -> Joins.foreign(this, n);
      case "process" -> process(n);
      case "to" -> to(n);
      case "toTopics" -> toTopics(n);
      default -> throw new IllegalArgumentException("no operator " + n.op);
    };
  }

  private Object table(Case.Node n) {
    Consumed consumed = Consumed.with(String(), String());
    return n.store == null
        ? builder.table(n.topic, consumed)
        : builder.table(n.topic, consumed, materialized(n, String()));
  }

  private static List<Object> flatValues(String fn, Object key, Object value) {
    if (value == null) return java.util.Collections.singletonList(null);
    return Functions.flat(fn, key, value).stream().map(kv -> kv.value).toList();
  }

  private Object split(Case.Node n) {
    BranchedKStream<Object, Object> split = stream(n, 0).split(Named.as(n.id + "-"));
    for (int i = 0; i < n.fns.size(); i++) {
      String fn = n.fns.get(i);
      split = split.branch((k, v) -> Functions.test(fn, k, v), Branched.as("" + (i + 1)));
    }
    Map<String, KStream<Object, Object>> branches = split.defaultBranch(Branched.as("0"));
    List<KStream<Object, Object>> all = new ArrayList<>();
    for (int i = 1; i <= n.fns.size(); i++) all.add(branches.get(n.id + "-" + i));
    all.add(branches.get(n.id + "-0"));
    return all;
  }

  private Suppressed suppressed(Case.Node n) {
    boolean shutdown = "shutdown".equals(n.full);
    if ("untilWindowCloses".equals(n.until)) {
      return Suppressed.untilWindowCloses(
          n.maxRecords > 0
              ? BufferConfig.maxRecords(n.maxRecords).shutDownWhenFull()
              : BufferConfig.unbounded());
    }
    BufferConfig buffer = BufferConfig.unbounded();
    if (n.maxRecords > 0) {
      buffer =
          shutdown
              ? BufferConfig.maxRecords(n.maxRecords).shutDownWhenFull()
              : BufferConfig.maxRecords(n.maxRecords).emitEarlyWhenFull();
    }
    return Suppressed.untilTimeLimit(Duration.ofMillis(n.limit), buffer);
  }

  private Object process(Case.Node n) {
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
            c.disk ? Stores.persistentKeyValueStore(n.store) : Stores.inMemoryKeyValueStore(n.store),
            String(),
            String()));
    return stream(n, 0).process(() -> new Processors(n.fn, n.store, n.limit), n.store);
  }

  private Object to(Case.Node n) {
    stream(n, 0).to(n.topic, (Produced) Produced.with(String(), String()));
    return n;
  }

  private Object toTopics(Case.Node n) {
    stream(n, 0)
        .to((k, v, context) -> n.topic + (v == null ? 0 : v.toString().length() % 2), (Produced) Produced.with(String(), String()));
    return n;
  }

  /** Counts as text, so that every table has one type. */
  static KTable text(KTable counts) {
    return counts.mapValues(v -> v == null ? null : v.toString());
  }

  Materialized materialized(Case.Node n, Serde values) {
    Materialized m;
    if (n.versioned > 0) {
      m = Materialized.as(Stores.persistentVersionedKeyValueStore(n.store, Duration.ofMillis(n.versioned)));
    } else if (n.store != null) {
      m = Materialized.as(n.store);
    } else {
      m = Materialized.with((Serde) String(), values);
    }
    if ("close".equals(n.emit)) m = m.withRetention(Duration.ofMillis(n.window.size + n.window.grace + EMIT_RETENTION));
    return m.withKeySerde(String()).withValueSerde(values);
  }

  Object input(Case.Node n, int i) {
    Object in = built.get(n.in.get(i));
    if (in == null) throw new IllegalArgumentException(n.id + ": no input " + n.in.get(i));
    return in;
  }

  KStream<Object, Object> stream(Case.Node n, int i) {
    return (KStream<Object, Object>) input(n, i);
  }

  KTable<Object, Object> table(Case.Node n, int i) {
    return (KTable<Object, Object>) input(n, i);
  }

  GlobalKTable global(Case.Node n, int i) {
    return (GlobalKTable) input(n, i);
  }

  KGroupedStream<Object, Object> group(Case.Node n, int i) {
    return (KGroupedStream<Object, Object>) input(n, i);
  }

  private static Grouped grouped(String name) {
    return Grouped.with(name, (Serde) String(), (Serde) String());
  }

  private KGroupedTable<Object, Object> grouped(Case.Node n) {
    return (KGroupedTable<Object, Object>) input(n, 0);
  }
}
