package state

import (
	"maps"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// Definition is a store to be made for each task of a topology. It is used for one
// topology.
type Definition struct{ store *plan.Store }

// Plan is for the packages of streams.
func (d Definition) Plan() *plan.Store { return d.store }

// Name of the store.
func (d Definition) Name() string { return d.store.Name }

// Option of a store.
type Option func(*settings)

type settings struct {
	*plan.Store
	retainDuplicates bool
}

// InMemory keeps the store in memory only: it is restored from its changelog after a
// restart, and lost then without one. Else it is on disk.
func InMemory() Option { return func(s *settings) { s.Persistent = false } }

// NotLogged leaves the store without a changelog. Else it has one.
func NotLogged() Option { return func(s *settings) { s.Logged = false } }

// Logged gives the store a changelog with these topic configurations instead of, or in
// addition to, the usual ones.
func Logged(config map[string]string) Option {
	return func(s *settings) {
		s.Store.Logged = true
		maps.Copy(s.ChangelogConfig, config)
	}
}

// Cached gives the store a record cache: of the changes of a key between two commits only the
// last is forwarded, as far as Config.CacheBytes allows. It has no effect on a window
// store that retains duplicates or on a versioned one.
func Cached() Option { return func(s *settings) { s.Store.Cached = true } }

// RetainDuplicates makes a window store keep every value put for the same key and start,
// instead of the last one.
func RetainDuplicates() Option { return func(s *settings) { s.retainDuplicates = true } }

// defaultRetention is that of a retention of 0.
const defaultRetention = 24 * time.Hour

func apply(name, kind string, opts []Option) *settings {
	s := &settings{Store: &plan.Store{
		Name: name, Kind: kind, Persistent: true, Logged: true, ChangelogConfig: map[string]string{},
	}}
	for _, o := range opts {
		o(s)
	}
	return s
}

// windowed sets the retention in whole milliseconds.
func (s *settings) windowed(retention time.Duration) {
	if retention <= 0 {
		retention = defaultRetention
	}
	s.Windowed = true
	s.Retention = max(retention.Truncate(time.Millisecond), time.Millisecond)
}

// configure sets a configuration of the changelog, unless the user did.
func (s *settings) configure(name, value string) {
	if _, ok := s.ChangelogConfig[name]; !ok {
		s.ChangelogConfig[name] = value
	}
}

// KeyValue defines a key-value store.
func KeyValue[K, V any](name string, keys serde.Serde[K], values serde.Serde[V], opts ...Option) Definition {
	s := apply(name, "key-value", opts)
	defineKeyValue(s, keys, values, func(v serde.Serde[V]) codec[V] { return plain[V]{v} })
	return Definition{s.Store}
}

// TimestampedKeyValue defines a key-value store of Timestamped values, as tables have.
func TimestampedKeyValue[K, V any](name string, keys serde.Serde[K], values serde.Serde[V], opts ...Option) Definition {
	s := apply(name, "key-value", opts)
	defineKeyValue(s, keys, values, func(v serde.Serde[V]) codec[Timestamped[V]] { return timestamped[V]{v} })
	return Definition{s.Store}
}

// formats has the serdes of a store. Those that depend on the topic are resolved when
// the first task's store is made; views before that take them as they are.
type formats[K, V any] struct {
	keys     serde.Serde[K]
	values   serde.Serde[V]
	resolved atomic.Pointer[formats[K, V]]
}

// of returns the serdes for a changelog topic.
func (f *formats[K, V]) of(c plan.StoreContext) (*formats[K, V], error) {
	topic := c.ChangelogTopic
	if topic == "" {
		topic = c.Store.Name + "-changelog"
	}
	keys, err := serde.Of(f.keys, topic, true)
	if err != nil {
		return nil, storeError(c.Store.Name, err)
	}
	values, err := serde.Of(f.values, topic, false)
	if err != nil {
		return nil, storeError(c.Store.Name, err)
	}
	r := &formats[K, V]{keys: keys, values: values}
	f.resolved.Store(r)
	return r, nil
}

// known returns the resolved serdes, if there are.
func (f *formats[K, V]) known() *formats[K, V] {
	if r := f.resolved.Load(); r != nil {
		return r
	}
	return f
}
