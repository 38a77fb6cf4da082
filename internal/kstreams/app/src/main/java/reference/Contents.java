package reference;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.WindowStore;

/** What stores hold, as [key, value, timestamp], in the order in which they are read. */
final class Contents {
  private Contents() {}

  /** Timestamp where a store keeps none. */
  private static final long NONE = -1;

  static void write(TopologyTestDriver driver, Map<String, Case> stores, ObjectNode out) {
    Map<String, StateStore> all = driver.getAllStateStores();
    stores.forEach((name, c) -> write(all.get(name), c, out.putArray(name)));
  }

  @SuppressWarnings("unchecked")
  private static void write(StateStore store, Case c, ArrayNode out) {
    if (store instanceof VersionedKeyValueStore<?, ?> s) {
      versions((VersionedKeyValueStore<String, Object>) s, c, out);
    } else if (store instanceof WindowStore<?, ?> s) {
      ((WindowStore<String, Object>) s).all().forEachRemaining(e -> add(out, e));
    } else if (store instanceof SessionStore<?, ?> s) {
      SessionStore<String, Object> sessions = (SessionStore<String, Object>) s;
      // The in-memory store cannot list all of its sessions.
      for (String key : keys(c)) {
        try (KeyValueIterator<Windowed<String>, Object> all =
            sessions.findSessions(key, Instant.ofEpochMilli(0), Instant.ofEpochMilli(Long.MAX_VALUE))) {
          all.forEachRemaining(e -> add(out, e));
        }
      }
    } else if (store instanceof KeyValueStore<?, ?> s) {
      try (KeyValueIterator<String, Object> all = ((KeyValueStore<String, Object>) s).all()) {
        all.forEachRemaining(e -> add(out, e));
      }
    } else {
      throw new IllegalStateException("what is " + store);
    }
  }

  private static void versions(VersionedKeyValueStore<String, Object> store, Case c, ArrayNode out) {
    TreeSet<Long> times = new TreeSet<>();
    for (Case.Event e : c.events) times.add(e.ts);
    for (String key : keys(c)) {
      VersionedRecord<Object> last = null;
      for (long t : times) {
        VersionedRecord<Object> r = store.get(key, t);
        if (r != null && !r.equals(last)) out.addArray().add(key).add(r.value().toString()).add(r.timestamp());
        last = r;
      }
    }
  }

  /** Keys that may be in a store, where it cannot be asked for them. */
  private static TreeSet<String> keys(Case c) {
    TreeSet<String> keys = new TreeSet<>();
    for (Case.Event e : c.events) {
      if (e.key != null) keys.add(e.key);
      if (e.value != null) keys.add(e.value);
      if (e.value != null && !e.value.isEmpty()) keys.add(e.value.substring(0, 1));
    }
    return keys;
  }

  private static void add(ArrayNode out, KeyValue<?, ?> entry) {
    Object value = entry.value;
    long ts = NONE;
    if (value instanceof ValueAndTimestamp<?> v) {
      ts = v.timestamp();
      value = v.value();
    }
    out.addArray().add(Functions.text(entry.key)).add(value == null ? null : value.toString()).add(ts);
  }
}
