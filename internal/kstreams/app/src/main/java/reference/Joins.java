package reference;

import static org.apache.kafka.common.serialization.Serdes.String;

import java.time.Duration;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;

@SuppressWarnings({"rawtypes", "unchecked"})
final class Joins {
  private Joins() {}

  static Object streams(Topologies t, Case.Node n) {
    KStream left = t.stream(n, 0), right = t.stream(n, 1);
    Duration before = Duration.ofMillis(n.before), after = Duration.ofMillis(n.after);
    JoinWindows windows = JoinWindows.ofTimeDifferenceAndGrace(Duration.ZERO, Duration.ofMillis(n.grace));
    // A negative one needs the other before it.
    windows = n.before < 0 ? windows.after(after).before(before) : windows.before(before).after(after);
    StreamJoined joined = StreamJoined.with(String(), String(), String());
    return switch (n.join) {
      case "inner" -> left.join(right, joiner(n.fn), windows, joined);
      case "left" -> left.leftJoin(right, joiner(n.fn), windows, joined);
      default -> left.outerJoin(right, joiner(n.fn), windows, joined);
    };
  }

  static Object table(Topologies t, Case.Node n) {
    KStream left = t.stream(n, 0);
    KTable right = t.table(n, 1);
    Joined joined = Joined.with((Serde) String(), String(), String());
    if (n.grace > 0) joined = joined.withGracePeriod(Duration.ofMillis(n.grace));
    return n.join.equals("inner")
        ? left.join(right, joiner(n.fn), joined)
        : left.leftJoin(right, joiner(n.fn), joined);
  }

  static Object global(Topologies t, Case.Node n) {
    KStream left = t.stream(n, 0);
    KeyValueMapper key = (k, v) -> Functions.key(n.fn, k, v);
    return n.join.equals("inner")
        ? left.join(t.global(n, 1), key, joiner(n.fn2))
        : left.leftJoin(t.global(n, 1), key, joiner(n.fn2));
  }

  static Object tables(Topologies t, Case.Node n) {
    KTable left = t.table(n, 0), right = t.table(n, 1);
    if (n.store == null) {
      return switch (n.join) {
        case "inner" -> left.join(right, joiner(n.fn));
        case "left" -> left.leftJoin(right, joiner(n.fn));
        default -> left.outerJoin(right, joiner(n.fn));
      };
    }
    Materialized m = t.materialized(n, String());
    return switch (n.join) {
      case "inner" -> left.join(right, joiner(n.fn), m);
      case "left" -> left.leftJoin(right, joiner(n.fn), m);
      default -> left.outerJoin(right, joiner(n.fn), m);
    };
  }

  /** An extracted key that is empty is none. */
  static Object foreign(Topologies t, Case.Node n) {
    KTable left = t.table(n, 0), right = t.table(n, 1);
    Function<Object, Object> key =
        v -> {
          String k = Functions.key(n.fn, null, v);
          return k == null || k.isEmpty() ? null : k;
        };
    if (n.store == null) {
      return n.join.equals("inner") ? left.join(right, key, joiner(n.fn2)) : left.leftJoin(right, key, joiner(n.fn2));
    }
    Materialized m = t.materialized(n, String());
    return n.join.equals("inner")
        ? left.join(right, key, joiner(n.fn2), m)
        : left.leftJoin(right, key, joiner(n.fn2), m);
  }

  private static ValueJoiner joiner(String fn) {
    return (l, r) -> Functions.join(fn, l, r);
  }
}
