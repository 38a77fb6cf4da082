package streams

import (
	"strings"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Option of an operator. One that an operator does not know is a problem that Build
// reports.
type Option func(*options)

// options of one operator.
type options struct {
	given           optionSet
	name            string
	store           string
	inMemory        bool
	cached          bool
	notLogged       bool
	changelogConfig map[string]string
	retention       time.Duration
	history         time.Duration
	grace           time.Duration
	emitOnClose     bool
	timestamp       any // func(Record[K, V]) int64
	reset           plan.Reset
	topicIsLog      bool
	partitions      int32
	partitionBy     any // func(K, V, int32) int32
	stores          []string
}

// optionSet is a set of kinds of options.
type optionSet int

const (
	optName optionSet = 1 << iota
	optStore
	optRetention
	optVersioned
	optEmit
	optTimestamp
	optReset
	optTopicIsLog
	optPartitions
	optPartitionBy
	optStores
	optGrace
)

var optionNames = []string{"Named", "Materialized (and its like)", "Retention", "Versioned", "EmitOnClose", "WithTimestamp",
	"Earliest or Latest", "TopicIsChangelog", "Partitions", "PartitionBy", "Using", "Grace"}

// readOptions applies opts, of which an operator knows some.
func (b *Builder) readOptions(what string, known optionSet, opts []Option) options {
	var o options
	for _, opt := range opts {
		if opt == nil {
			b.problem("%s: an option is nil", what)
			continue
		}
		opt(&o)
	}
	if unknown := o.given &^ known; unknown != 0 {
		b.problem("%s takes no option %s", what, unknown)
	}
	if o.given&optStore != 0 && o.store != "" {
		b.valid("store's name", o.store)
	}
	return o
}

func (s optionSet) String() string {
	var names []string
	for i, n := range optionNames {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// Named names a node, and of an operator that repartitions the topic: what is named keeps
// its topics and stores when the topology changes elsewhere.
func Named(name string) Option {
	return func(o *options) { o.given |= optName; o.name = name }
}

// Materialized keeps a table in a store of that name, which can be queried. "" lets the
// name be generated.
func Materialized(store string, opts ...Option) Option {
	return func(o *options) {
		o.given |= optStore
		o.store = store
		for _, opt := range opts {
			opt(o)
		}
	}
}

// InMemory keeps a store in memory instead of on disk; it is restored from its changelog
// after a restart.
func InMemory() Option { return func(o *options) { o.given |= optStore; o.inMemory = true } }

// Cached keeps a table's updates back until a commit, so that several of one key leave as one,
// within Config.CacheBytes.
func Cached() Option { return func(o *options) { o.given |= optStore; o.cached = true } }

// NotLogged gives a store no changelog: what it holds is lost with the disk.
func NotLogged() Option { return func(o *options) { o.given |= optStore; o.notLogged = true } }

// Logged overrides settings of a store's changelog topic, for example
// "min.insync.replicas".
func Logged(config map[string]string) Option {
	return func(o *options) { o.given |= optStore; o.changelogConfig = config }
}

// Retention is for how long a windowed store keeps its windows (at least their size and
// grace).
func Retention(d time.Duration) Option {
	return func(o *options) { o.given |= optStore | optRetention; o.retention = d }
}

// Versioned makes a table's store keep the values of a key for that long, so that a join
// finds the one that held at a record's time.
func Versioned(history time.Duration) Option {
	return func(o *options) { o.given |= optStore | optVersioned; o.history = history }
}

// EmitOnClose has a windowed aggregation emit each window once, when it is closed.
func EmitOnClose() Option { return func(o *options) { o.given |= optEmit; o.emitOnClose = true } }

// WithTimestamp gives records another time (ms since 1970) than Kafka's, which the record
// has; a negative one drops it.
func WithTimestamp[K, V any](f func(Record[K, V]) int64) Option {
	return func(o *options) { o.given |= optTimestamp; o.timestamp = f }
}

// Earliest begins at a topic's first record where no offset was committed.
func Earliest() Option {
	return func(o *options) { o.given |= optReset; o.reset = plan.ResetEarliest }
}

// Latest begins at a topic's end where no offset was committed.
func Latest() Option {
	return func(o *options) { o.given |= optReset; o.reset = plan.ResetLatest }
}

// TopicIsChangelog lets a table's topic stand for the changelog of its store, which then
// needs none of its own. The topic must be compacted, and its bytes are restored as they
// are, without WithTimestamp. Records that cannot be decoded are left out then, as they were when
// they were read.
func TopicIsChangelog() Option {
	return func(o *options) { o.given |= optTopicIsLog; o.topicIsLog = true }
}

// Partitions is the number of a repartition topic's. Without it, they are as many as those
// of what it is joined with, or of what it is made of.
func Partitions(n int32) Option {
	return func(o *options) { o.given |= optPartitions; o.partitions = n }
}

// PartitionBy chooses a record's partition, 0 <= p < n, instead of the hash of its key.
func PartitionBy[K, V any](f func(key K, value V, n int32) int32) Option {
	return func(o *options) { o.given |= optPartitionBy; o.partitionBy = f }
}

// Using names the stores that a processor uses, see Builder.AddStore.
func Using(stores ...string) Option {
	return func(o *options) { o.given |= optStores; o.stores = append(o.stores, stores...) }
}

// typedOption is an option's function of the operator's own types.
func typedOption[F any](b *Builder, node, option string, given any) F {
	f, ok := given.(F)
	if given != nil && !ok {
		b.problem("%s: %s takes a %T, not a %T", node, option, *new(F), given)
	}
	return f
}
