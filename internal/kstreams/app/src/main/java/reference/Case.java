package reference;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.ArrayList;
import java.util.List;

/** A topology and what is put into it: one line of the differential test. */
@JsonIgnoreProperties(ignoreUnknown = true)
final class Case {
  public long id;

  /** Answer with the description of the topology too. */
  public boolean describe;

  /** Stores on disk (RocksDB) instead of in memory. */
  public boolean disk;

  /** Bytes of the record cache: 0 forwards every update. */
  public long cache;

  public List<Node> nodes = new ArrayList<>();
  public List<Event> events = new ArrayList<>();

  /** One operator. Which fields it takes follows from op, see Topologies. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Node {
    public String id;
    public String op;
    public List<String> in = new ArrayList<>();
    public String topic;

    /** Of a group whose repartition topic must not be named after the store. */
    public String name;

    /** Names of functions of the catalogue, see Functions. */
    public String fn;

    public String fn2;
    public String fn3;
    public List<String> fns = new ArrayList<>();
    public String init;

    /** Name of the store; empty for an operator that need not have one. */
    public String store;

    /** History kept by a versioned store, in ms; 0 for a plain one. */
    public long versioned;

    public Window window;

    /** inner, left or outer. */
    public String join;

    public long before;
    public long after;
    public long grace;

    /** close for results only when their window is closed. */
    public String emit;

    /** untilWindowCloses or untilTimeLimit. */
    public String until;

    public long limit;
    public long maxRecords;

    /** What a full buffer does: emit or shutdown. */
    public String full;


    /** The number of a branch; the rest is the last. */
    public int branch;
  }

  static final class Window {
    /** tumbling, hopping, sliding or session. */
    public String type;

    /** Length, time difference or inactivity gap in ms. */
    public long size;

    public long advance;
    public long grace;
  }

  /** A record of an input topic, or a step of the wall clock where topic is null. */
  static final class Event {
    public String topic;
    public String key;
    public String value;
    public long ts;

    /** Milliseconds by which the wall clock goes on. */
    public long wall;
  }
}
