package reference;

import static org.apache.kafka.common.serialization.Serdes.String;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Reducer;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windows;

/** Aggregations of groups of records, windowed or not. */
@SuppressWarnings({"rawtypes", "unchecked"})
final class Aggregations {
  private Aggregations() {}

  static Object node(Topologies t, Case.Node n) {
    if (n.op.equals("cogroup")) return cogroup(t, n);
    if (n.window == null) return plain(t, n);
    return n.window.type.equals("session") ? sessions(t, n) : windows(t, n);
  }

  private static Object plain(Topologies t, Case.Node n) {
    KGroupedStream group = t.group(n, 0);
    boolean named = n.store != null;
    return switch (n.op) {
      case "count" -> Topologies.text(
          group.aggregate(
              () -> null,
              (k, v, a) -> a == null ? 1L : (Long) a + 1,
              named ? t.materialized(n, Serdes.Long()) : Materialized.with((Serde) String(), Serdes.Long())));
      case "reduce" -> named ? group.reduce(reducer(n), t.materialized(n, String())) : group.reduce(reducer(n));
      default -> named
          ? group.aggregate(() -> null, adder(n, n.fn), t.materialized(n, String()))
          : group.aggregate(() -> null, adder(n, n.fn));
    };
  }

  static Object table(Topologies t, Case.Node n, KGroupedTable<Object, Object> group) {
    boolean named = n.store != null;
    if (n.op.equals("tableCount")) {
      return Topologies.text(named ? group.count(t.materialized(n, Serdes.Long())) : group.count());
    }
    if (n.op.equals("tableReduce")) {
      Reducer<Object> add = reducer(n), subtract = (a, v) -> Functions.subtract(n.fn2, a, v);
      return named ? group.reduce(add, subtract, t.materialized(n, String())) : group.reduce(add, subtract);
    }
    Aggregator<Object, Object, Object> subtract = (k, v, a) -> Functions.subtract(n.fn2, a, v);
    return named
        ? group.aggregate(() -> n.init, adder(n, n.fn), subtract, t.materialized(n, String()))
        : group.aggregate(() -> n.init, adder(n, n.fn), subtract);
  }

  private static Object windows(Topologies t, Case.Node n) {
    TimeWindowedKStream windowed =
        n.window.type.equals("sliding")
            ? t.group(n, 0).windowedBy(sliding(n.window))
            : t.group(n, 0).windowedBy((Windows) times(n.window));
    if ("close".equals(n.emit)) windowed = windowed.emitStrategy(EmitStrategy.onWindowClose());
    boolean named = n.store != null;
    return switch (n.op) {
      case "count" -> Topologies.text(named ? windowed.count(t.materialized(n, Serdes.Long())) : windowed.count());
      case "reduce" -> named ? windowed.reduce(reducer(n), t.materialized(n, String())) : windowed.reduce(reducer(n));
      default -> named
          ? windowed.aggregate(() -> n.init, adder(n, n.fn), t.materialized(n, String()))
          : windowed.aggregate(() -> n.init, adder(n, n.fn));
    };
  }

  private static Object sessions(Topologies t, Case.Node n) {
    SessionWindowedKStream windowed = t.group(n, 0).windowedBy(sessions(n.window));
    if ("close".equals(n.emit)) windowed = windowed.emitStrategy(EmitStrategy.onWindowClose());
    boolean named = n.store != null;
    return switch (n.op) {
      case "count" -> Topologies.text(named ? windowed.count(t.materialized(n, Serdes.Long())) : windowed.count());
      case "reduce" -> named ? windowed.reduce(reducer(n), t.materialized(n, String())) : windowed.reduce(reducer(n));
      default -> named
          ? windowed.aggregate(() -> n.init, adder(n, n.fn), merger(n), t.materialized(n, String()))
          : windowed.aggregate(() -> n.init, adder(n, n.fn), merger(n));
    };
  }

  private static Object cogroup(Topologies t, Case.Node n) {
    CogroupedKStream group = t.group(n, 0).cogroup((Aggregator) adder(n, n.fns.get(0)));
    for (int i = 1; i < n.in.size(); i++) {
      group = group.cogroup(t.group(n, i), adder(n, n.fns.get(i)));
    }
    boolean named = n.store != null;
    Materialized m = t.materialized(n, String());
    if (n.window == null) return named ? group.aggregate(() -> null, m) : group.aggregate(() -> null);
    return switch (n.window.type) {
      case "session" -> group.windowedBy(sessions(n.window)).aggregate(() -> n.init, merger(n), m);
      case "sliding" -> group.windowedBy(sliding(n.window)).aggregate(() -> n.init, m);
      default -> group.windowedBy((Windows) times(n.window)).aggregate(() -> n.init, m);
    };
  }

  private static TimeWindows times(Case.Window w) {
    TimeWindows windows = TimeWindows.ofSizeAndGrace(ms(w.size), ms(w.grace));
    return w.type.equals("hopping") ? windows.advanceBy(ms(w.advance)) : windows;
  }

  private static SlidingWindows sliding(Case.Window w) {
    return SlidingWindows.ofTimeDifferenceAndGrace(ms(w.size), ms(w.grace));
  }

  private static SessionWindows sessions(Case.Window w) {
    return SessionWindows.ofInactivityGapAndGrace(ms(w.size), ms(w.grace));
  }

  private static Duration ms(long n) {
    return Duration.ofMillis(n);
  }

  private static Reducer<Object> reducer(Case.Node n) {
    return (a, v) -> Functions.add(n.fn, a, v);
  }

  /**
   * The initial value comes in here, and an initializer without windows has null: what that returns is otherwise
   * the old value of a key's first change (without a record cache; with one it is null too), and
   * the next aggregation subtracts what was never added.
   */
  private static Aggregator<Object, Object, Object> adder(Case.Node n, String fn) {
    return (k, v, a) -> Functions.add(fn, a == null ? n.init : a, v);
  }

  private static Merger<Object, Object> merger(Case.Node n) {
    return (k, a, b) -> Functions.add(n.fn3, a, b);
  }
}
