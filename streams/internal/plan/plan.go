// Package plan is a topology without its types: what the runtime and the test driver
// run. The builder of package streams makes it, by Kafka Streams' rules and names.
package plan

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// TaskID is a sub-topology and a partition.
type TaskID = local.TaskID

// Topology is made by Build and not changed afterwards.
type Topology struct {
	Subs    []*Sub
	Globals []*Global
}

// Sub is a sub-topology: nodes that are connected without a topic between them, and
// the stores they share. Its tasks are as many as the partitions of its topics.
type Sub struct {
	ID int32
	// Nodes, parents before their children.
	Nodes  []*Node
	Stores []*Store
	// Copartitioned groups of source topics must have the same number of partitions.
	Copartitioned [][]Topic
}

// Sources are the source nodes among its Nodes.
func (s *Sub) Sources() []*Node {
	var out []*Node
	for _, n := range s.Nodes {
		if n.Kind == SourceNode {
			out = append(out, n)
		}
	}
	return out
}

// Global is a store that every process fills from all partitions of a topic. Its Node is
// the source; its children, if any, write the store.
type Global struct {
	Topic Topic
	Nodes []*Node
	Store *Store
}

// Kind of a node, as in Kafka Streams' descriptions.
type Kind string

// The kinds.
const (
	SourceNode    Kind = "Source"
	ProcessorNode Kind = "Processor"
	SinkNode      Kind = "Sink"
)

// Node is one of a topology's.
type Node struct {
	// Name is unique, for example KSTREAM-FILTER-0000000003.
	Name              string
	Kind              Kind
	Parents, Children []*Node
	// Stores it reads or writes, also global ones.
	Stores []*Store
	// Topics of a source; of a sink its topic, none where each record chooses.
	Topics []Topic
	// Reset of a source: where to begin without a committed offset.
	Reset Reset
	// New makes the node for one task. Its children are there already, in order of
	// Children: their Receivers.
	New func(c Context, children []any) (Instance, error)
}

// Reset says where a source begins without a committed offset.
type Reset int

// The resets. Zero is the application's default.
const (
	ResetDefault Reset = iota
	ResetEarliest
	ResetLatest
)

// Topic is a topic of the topology.
type Topic struct {
	// Name is the local one: with Config.Prefix before it, and for an internal topic with
	// the application id and the suffix, see Names.
	Name string
	// Repartition topics are made and deleted by the application.
	Repartition bool
	// Unsuffixed repartition topics are named without -repartition: those of foreign-key
	// joins.
	Unsuffixed bool
	// Partitions of a repartition topic; 0 takes as many as its sub-topology's sources.
	Partitions int32
}

// Instance is a node within a task.
type Instance struct {
	// Receiver is the func(Record[K, V]) error that package streams casts it to; nil for a
	// source.
	Receiver any
	// Head makes a source's reader for one topic partition.
	Head func(topic string, partition int32) (Head, error)
	// Close ends the node; nil is nothing to do.
	Close func() error
	// Count is how many records reached it; nil is not counted. Read by the task's owner.
	Count func() int64
}

// Head holds the first record of a partition's queue, decoded.
type Head interface {
	// Load decodes rec and returns its time (ms since 1970, of the extractor; negative
	// drops the record). partitionTime is the highest time of the partition so far, -1
	// before the first.
	Load(rec *kgo.Record, partitionTime int64) (timestamp int64, err error)
	// Process sends what was loaded down the topology.
	Process() error
}

// Store is a store of a topology.
type Store struct {
	Name string
	// Persistent stores are on disk, others in memory.
	Persistent bool
	// Logged stores have a changelog topic.
	Logged bool
	// Source is the topic that stands for the changelog of a table read from it; nil has
	// its own.
	Source *Topic
	// Global stores are shared by all tasks of a process and never logged.
	Global bool
	// Cached stores keep records back until a commit (the record cache).
	Cached bool
	// Windowed stores' changelogs are compacted and deleted after Retention.
	Windowed  bool
	Retention time.Duration
	// ChangelogConfig overrides settings of the changelog topic.
	ChangelogConfig map[string]string
	// Kind in words, for descriptions: "key-value", "window", "session", "versioned".
	Kind string
	// New makes it for a task.
	New func(c StoreContext) (StateStore, error)
	// View makes the typed read-only store over a moment of its space, for queries: a
	// state.ReadOnlyKeyValue[K, V] or its like.
	View func(r local.Reader) (any, error)
	// Restored turns changelog records into changes of the space, without a task: once for a
	// batch, because it looks at what the space has. More at a time are faster; the offset is
	// the caller's to note.
	Restored func(b local.Batch, s local.Space, recs []*kgo.Record) error
	// Decodes says why a record of the Source topic cannot be decoded; nil is not asked. See
	// Taken.
	Decodes func(rec *kgo.Record) error
	// PartitionKey returns the bytes by which a changelog key is partitioned: the record's
	// key without window and session.
	PartitionKey func(changelogKey []byte) []byte
	// EncodeKey encodes a key given as text (string, number or JSON) for queries by
	// console, CLI and HTTP. Such keys are partitioned by the bytes as they are.
	EncodeKey func(text string) ([]byte, error)
	// KeyBytes encodes a key of the store's type, for typed queries.
	KeyBytes func(key any) ([]byte, error)
	// Read yields entries for people, in the order of the store. Bytes that cannot be
	// decoded are an error of that entry; the next ones follow.
	Read func(r local.Reader, q Query) iter.Seq2[RenderedEntry, error]
}

// Taken are those records of a changelog that belong into the store: of a Source topic not what
// cannot be decoded, because processing skipped it, too. leftOut is called for those.
func (s *Store) Taken(recs []*kgo.Record, leftOut func(rec *kgo.Record, why error)) []*kgo.Record {
	if s.Source == nil || s.Decodes == nil {
		return recs
	}
	taken := make([]*kgo.Record, 0, len(recs))
	for _, rec := range recs {
		if why := s.Decodes(rec); why != nil {
			leftOut(rec, why)
			continue
		}
		taken = append(taken, rec)
	}
	return taken
}

// Query selects entries. Keys are bytes as EncodeKey makes them; nil ones do not bound.
type Query struct {
	// Key alone, or From <= key <= To, or the keys that begin with Prefix.
	Key, From, To, Prefix []byte
	// TimeFrom and TimeTo bound, both inclusive, the starts of windows and the ends of
	// sessions (ms); a TimeTo of 0 does not bound.
	TimeFrom, TimeTo int64
	Reverse          bool
}

// RenderedEntry is a store's entry for people: JSON values, and the window where it has one.
type RenderedEntry struct {
	Key, Value  any
	Timestamp   int64 // ms, 0 unknown
	WindowStart int64 // ms
	WindowEnd   int64 // ms, 0: no window
}

// StoreContext is what a store is made with.
type StoreContext struct {
	Task  TaskID
	Store *Store
	Space local.Space
	// ChangelogTopic is the full name; "" is not logged.
	ChangelogTopic string
	// Log produces a record to the changelog (nil value: tombstone); key and value belong to it
	// from then on. It is nil for a store without one.
	Log func(key, value []byte, timestamp int64, headers []kgo.RecordHeader)
	// Memory to count what the store holds with.
	Memory Memory
	// CacheBytes is the store's share of Config.CacheBytes, for the record cache; 0 forwards
	// every change at once.
	CacheBytes int64
	// StreamTime of the task (ms, -1 before the first record).
	StreamTime func() int64
}

// Memory counts bytes against the process's cap. It is safe for use by many goroutines.
type Memory interface {
	// Add counts n bytes more, or less.
	Add(n int64)
	// Tight says that the cap is near: clean entries are to be dropped, dirty ones flushed.
	Tight() bool
}

// StateStore is a store within a task. Changes stay in it, over the space, until Apply.
type StateStore interface {
	// Flush sends the records kept back by the record cache down the topology.
	Flush() error
	// Log sends every change since the last Apply or Discard to the changelog, each key
	// once with its last value. It may be called again after more changes.
	Log() error
	// Apply puts those changes into b, to be committed by the caller; after that the
	// changes are of the past.
	Apply(b local.Batch) error
	// Discard forgets the changes.
	Discard()
	// Dirty estimates the bytes of the changes.
	Dirty() int64
	// Close releases memory.
	Close()
}

// Context is what nodes have of their task.
type Context interface {
	Context() context.Context
	Task() TaskID
	ApplicationID() string
	Logger() *slog.Logger
	// Produce sends rec: Topic is the full name, Partition -1 leaves it to the hash of
	// the key (murmur2, as Kafka's). rec belongs to it from then on. node is for errors.
	Produce(node string, rec *kgo.Record)
	// Topic is the full name of a topic; Partitions their number.
	Topic(t Topic) string
	Partitions(fullName string) (int32, error)
	// Store returns the StateStore of that name; for a global store what its View made
	// over its present contents.
	Store(name string) (any, error)
	// Record being processed; nil in a punctuator or a flush.
	Record() *kgo.Record
	// StreamTime is the highest time of the task's records (ms, -1 before the first);
	// Now the wall clock.
	StreamTime() int64
	Now() int64
	// Schedule calls f with the time, every interval ms of stream time or of wall-clock time,
	// until the returned cancel is called.
	Schedule(interval int64, wall bool, f func(timestamp int64) error) (cancel func())
	// OnIdle has f called when stream time was moved on because no records came
	// (Config.IdleWindowClose): windows close that no record would close. It is not called
	// when records move stream time.
	OnIdle(f func(streamTime int64) error)
	// Metadata is a number that SetMetadata keeps with the task's committed offsets, as
	// Kafka Streams' processor metadata: it is there again after a restart and where the task
	// moves to. What was set is committed even if no record was.
	Metadata(key string) (int64, bool)
	SetMetadata(key string, value int64)
	// Keep gives *value what was committed under key, if anything, and has what it is at each
	// commit committed: for a node's own time, which changes with each record.
	Keep(key string, value *int64)
	// RequestCommit asks for a commit soon.
	RequestCommit()
	// Failed decides on an error of a node's user code, with Config's handler: nil goes on
	// with the next, else the error to return.
	Failed(node string, err error) error
	// Dropped counts a record that is left out by the rules (null key, too late, ...).
	Dropped(node, reason string)
}
