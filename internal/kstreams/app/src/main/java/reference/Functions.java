package reference;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;

/**
 * The catalogue of functions, the same as in functions_test.go. A null is taken for "" where a
 * function looks into it, and stays null where it is mapped. Text is ASCII.
 */
final class Functions {
  private Functions() {}

  /** Keeps what is concatenated over and over at a bearable length. */
  static String shorten(String s) {
    return s.length() <= 24 ? s : s.substring(0, 11) + "~" + s.substring(s.length() - 12);
  }

  /** A key as text: of a window as key@start/end. */
  static String text(Object key) {
    if (key == null) return "";
    if (key instanceof Windowed<?> w) {
      return text(w.key()) + "@" + w.window().start() + "/" + w.window().end();
    }
    return key.toString();
  }

  private static String s(Object v) {
    return v == null ? "" : v.toString();
  }

  private static String argument(String fn) {
    return fn.substring(fn.indexOf(':') + 1);
  }

  private static String name(String fn) {
    int colon = fn.indexOf(':');
    return colon < 0 ? fn : fn.substring(0, colon);
  }

  private static String first(String s) {
    return s.isEmpty() ? "" : s.substring(0, 1);
  }

  static long number(Object v) {
    try {
      return Long.parseLong(s(v));
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  static boolean test(String fn, Object key, Object value) {
    String k = text(key), v = s(value);
    return switch (name(fn)) {
      case "has" -> v.contains(argument(fn));
      case "not" -> !v.contains(argument(fn));
      case "keyIs" -> k.startsWith(argument(fn));
      case "keyNot" -> !k.startsWith(argument(fn));
      case "even" -> v.length() % 2 == 0;
      case "all" -> true;
      case "none" -> false;
      default -> throw new IllegalArgumentException("no predicate " + fn);
    };
  }

  static String value(String fn, Object key, Object value) {
    if (value == null) return null;
    String k = text(key), v = value.toString();
    return switch (name(fn)) {
      case "same" -> v;
      case "upper" -> v.toUpperCase(java.util.Locale.ROOT);
      case "reverse" -> new StringBuilder(v).reverse().toString();
      case "first" -> first(v);
      case "append" -> shorten(v + argument(fn));
      case "withKey" -> shorten(v + "@" + k);
      case "length" -> String.valueOf(v.length());
      case "nullIf" -> v.contains(argument(fn)) ? null : v;
      default -> throw new IllegalArgumentException("no value function " + fn);
    };
  }

  static String key(String fn, Object key, Object value) {
    String k = text(key), v = s(value);
    return switch (name(fn)) {
      case "same" -> k;
      case "value" -> v;
      case "first" -> first(v);
      case "keyFirst" -> first(k);
      case "const" -> argument(fn);
      case "upper" -> k.toUpperCase(java.util.Locale.ROOT);
      case "both" -> shorten(k + first(v));
      case "length" -> String.valueOf(v.length() % 3);
      case "nullIf" -> v.contains(argument(fn)) ? null : k;
      default -> throw new IllegalArgumentException("no key function " + fn);
    };
  }

  static List<KeyValue<Object, Object>> flat(String fn, Object key, Object value) {
    List<KeyValue<Object, Object>> out = new ArrayList<>();
    String v = s(value);
    switch (name(fn)) {
      case "chars" -> v.chars().forEach(c -> out.add(KeyValue.pair(key, "" + (char) c)));
      case "charKeys" -> v.chars().forEach(c -> out.add(KeyValue.pair("" + (char) c, value)));
      case "twice" -> {
        out.add(KeyValue.pair(key, value));
        out.add(KeyValue.pair(key, value("append:+", key, value)));
      }
      case "unless" -> {
        if (!v.contains(argument(fn))) out.add(KeyValue.pair(key, value));
      }
      default -> throw new IllegalArgumentException("no flat function " + fn);
    }
    return out;
  }

  static String join(String fn, Object left, Object right) {
    String l = left == null ? "-" : left.toString(), r = right == null ? "-" : right.toString();
    return switch (name(fn)) {
      case "pair" -> shorten("(" + l + "," + r + ")");
      case "both" -> shorten(l + r);
      case "left" -> l;
      case "right" -> r;
      case "nullIf" -> (l + r).contains(argument(fn)) ? null : shorten(l + r);
      default -> throw new IllegalArgumentException("no joiner " + fn);
    };
  }

  /** Reducers, aggregators and mergers of sessions: total is what was, v comes to it. */
  static String add(String fn, Object total, Object value) {
    String a = s(total), v = s(value);
    return switch (name(fn)) {
      case "concat" -> shorten(a + v);
      case "count" -> String.valueOf(number(a) + 1);
      case "size" -> String.valueOf(number(a) + v.length());
      case "sum" -> String.valueOf(number(a) + number(v));
      case "max" -> a.compareTo(v) >= 0 ? a : v;
      case "last" -> v;
      case "kept" -> a;
      case "nullIf" -> v.contains(argument(fn)) ? null : shorten(a + v);
      default -> throw new IllegalArgumentException("no aggregator " + fn);
    };
  }

  static String subtract(String fn, Object total, Object value) {
    String a = s(total), v = s(value);
    return switch (name(fn)) {
      case "remove" -> v.isEmpty() || !a.contains(v) ? a : a.substring(0, a.indexOf(v)) + a.substring(a.indexOf(v) + v.length());
      case "count" -> String.valueOf(number(a) - 1);
      case "size" -> String.valueOf(number(a) - v.length());
      case "note" -> shorten(a + "-" + v);
      case "kept" -> a;
      case "nullAtZero" -> number(a) <= 1 ? null : String.valueOf(number(a) - 1);
      default -> throw new IllegalArgumentException("no subtractor " + fn);
    };
  }
}
