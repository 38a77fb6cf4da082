package reference;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/** The catalogue of processors, each with a store of strings. A null key counts as "". */
final class Processors implements Processor<Object, Object, Object, Object> {
  private final String fn;
  private final String storeName;
  private final long interval;
  private ProcessorContext<Object, Object> context;
  private KeyValueStore<String, String> store;

  Processors(String fn, String storeName, long interval) {
    this.fn = fn;
    this.storeName = storeName;
    this.interval = interval;
  }

  @Override
  public void init(ProcessorContext<Object, Object> context) {
    this.context = context;
    store = context.getStateStore(storeName);
    switch (fn) {
      case "collect" -> schedule(PunctuationType.STREAM_TIME);
      case "collectWall" -> schedule(PunctuationType.WALL_CLOCK_TIME);
      default -> {}
    }
  }

  private void schedule(PunctuationType type) {
    context.schedule(Duration.ofMillis(interval), type, this::release);
  }

  @Override
  public void process(Record<Object, Object> record) {
    String key = Functions.text(record.key());
    String value = record.value() == null ? null : record.value().toString();
    switch (fn) {
      case "changes" -> {
        if (java.util.Objects.equals(store.get(key), value)) return;
        store.put(key, value);
        context.forward(record);
      }
      case "counts" -> {
        String count = Functions.add("count", store.get(key), value);
        store.put(key, count);
        context.forward(record.withValue(count));
      }
      case "times" -> {
        store.put(key, String.valueOf(context.currentStreamTimeMs()));
        context.forward(record.withValue(store.get(key)));
      }
      case "range" -> {
        store.put(key, value == null ? "" : value);
        StringBuilder all = new StringBuilder();
        try (KeyValueIterator<String, String> before = store.range(null, key)) {
          before.forEachRemaining(e -> all.append(e.key).append(e.value));
        }
        context.forward(record.withValue(Functions.shorten(all.toString())));
      }
      case "collect", "collectWall" -> store.put(key, value == null ? "" : value);
      default -> throw new IllegalArgumentException("no processor " + fn);
    }
  }

  /** Forwards all that was collected, in the order of keys, and forgets it. */
  private void release(long now) {
    List<KeyValue<String, String>> all = new ArrayList<>();
    try (KeyValueIterator<String, String> entries = store.all()) {
      entries.forEachRemaining(all::add);
    }
    for (KeyValue<String, String> e : all) {
      context.forward(new Record<>(e.key, e.value, now));
      store.delete(e.key);
    }
  }
}
