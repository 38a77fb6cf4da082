// Package state has the stores of stream processing: key-value, timestamped, window,
// session and versioned ones, on disk or in memory, each with its changelog topic. The keys
// and values of changelogs have Kafka Streams' formats.
//
// Within a task a store sees its own changes at once; queries see what was committed.
//
// An iteration goes over the keys that were there when it began, each with the value it has
// when it is reached; those deleted meanwhile are left out. So a task may put and delete
// while it iterates.
//
// A value is the caller's: changing a map or a slice that was put or returned does not
// change the store. Values of types without pointers, slices, maps, interfaces and
// unexported fields are kept decoded and encoded once for each commit, so an error of their
// serde comes up then; it names the store and the key. All others are kept as bytes.
package state

import "iter"

// Pair is an entry.
type Pair[K, V any] struct {
	Key   K
	Value V
}

// Timestamped is a value with the time of the record that made it (ms since 1970).
type Timestamped[V any] struct {
	Value     V
	Timestamp int64
}

// Window is a span of time: Start <= t < End (ms since 1970); of a session, Start <= t <=
// End, the times of its first and last record.
type Window struct{ Start, End int64 }

// Windowed is a key within a window.
type Windowed[K any] struct {
	Key    K
	Window Window
}

// WindowEnd is Window.End, for code that does not know K.
func (w Windowed[K]) WindowEnd() int64 { return w.Window.End }

// ReadOnlyKeyValue reads a key-value store. Order is that of the keys' bytes.
type ReadOnlyKeyValue[K, V any] interface {
	// Get returns false where there is none.
	Get(key K) (V, bool, error)
	// Range yields from <= key <= to.
	Range(from, to K) iter.Seq2[Pair[K, V], error]
	ReverseRange(from, to K) iter.Seq2[Pair[K, V], error]
	All() iter.Seq2[Pair[K, V], error]
	ReverseAll() iter.Seq2[Pair[K, V], error]
	// Prefix yields the keys whose bytes begin with these.
	Prefix(prefix []byte) iter.Seq2[Pair[K, V], error]
	// ApproximateCount of the entries.
	ApproximateCount() int64
}

// KeyValueStore is one of a task: not for use by other goroutines.
type KeyValueStore[K, V any] interface {
	ReadOnlyKeyValue[K, V]
	Put(key K, value V) error
	// PutIfAbsent returns what was there.
	PutIfAbsent(key K, value V) (V, bool, error)
	// Delete returns what was there.
	Delete(key K) (V, bool, error)
}

// TimestampedStore is what a task has of a TimestampedKeyValue: V is not Timestamped here.
type TimestampedStore[K, V any] interface {
	KeyValueStore[K, Timestamped[V]]
	Flushing[K, Timestamped[V]]
	// DeleteAt is Delete at the time of the record that asks for it, in ms; Delete's is stream
	// time.
	DeleteAt(key K, timestamp int64) (Timestamped[V], bool, error)
}

// ReadOnlyWindow reads a window store. Times are starts of windows in ms, both inclusive.
// Windows past the retention are not seen. Those of one key come in order of their
// starts; those of several by segments of time first, then keys, then starts, as in
// Kafka Streams.
type ReadOnlyWindow[K, V any] interface {
	Fetch(key K, start int64) (V, bool, error)
	FetchRange(key K, from, to int64) iter.Seq2[Pair[Windowed[K], V], error]
	// FetchKeys yields the windows of from <= key <= to.
	FetchKeys(from, to K, timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], V], error]
	FetchAll(timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], V], error]
	All() iter.Seq2[Pair[Windowed[K], V], error]
	// The same from the end.
	ReverseFetchRange(key K, from, to int64) iter.Seq2[Pair[Windowed[K], V], error]
	ReverseFetchKeys(from, to K, timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], V], error]
	ReverseFetchAll(timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], V], error]
	ReverseAll() iter.Seq2[Pair[Windowed[K], V], error]
}

// WindowStore is one of a task.
type WindowStore[K, V any] interface {
	ReadOnlyWindow[K, V]
	// AppendRange appends what FetchRange yields, and needs no memory where dst has room.
	AppendRange(dst []Pair[Windowed[K], V], key K, from, to int64) ([]Pair[Windowed[K], V], error)
	// Put is ignored where the window is past the retention. In a store that retains
	// duplicates it adds a value.
	Put(key K, start int64, value V) error
	// Delete does nothing in a store that retains duplicates.
	Delete(key K, start int64) error
}

// ReadOnlySession reads a session store. Sessions past the retention are not seen. Those of
// one key come in order of their ends.
type ReadOnlySession[K, V any] interface {
	// Find yields the sessions of key that end at or after earliestEnd and start at or
	// before latestStart.
	Find(key K, earliestEnd, latestStart int64) iter.Seq2[Pair[Windowed[K], V], error]
	ReverseFind(key K, earliestEnd, latestStart int64) iter.Seq2[Pair[Windowed[K], V], error]
	FetchSession(key K, start, end int64) (V, bool, error)
	Fetch(key K) iter.Seq2[Pair[Windowed[K], V], error]
	All() iter.Seq2[Pair[Windowed[K], V], error]
}

// SessionStore is one of a task.
type SessionStore[K, V any] interface {
	ReadOnlySession[K, V]
	// AppendSessions appends what Find yields, and needs no memory where dst has room.
	AppendSessions(dst []Pair[Windowed[K], V], key K, earliestEnd, latestStart int64) ([]Pair[Windowed[K], V], error)
	Put(session Windowed[K], value V) error
	Remove(session Windowed[K]) error
}

// Version is a value with the span in which it held: From <= t < To (ms since 1970); To is
// math.MaxInt64 of the latest.
type Version[V any] struct {
	Value    V
	From, To int64
}

// ReadOnlyVersioned reads a versioned store. The latest version never expires; those before
// it are kept for the history retention.
type ReadOnlyVersioned[K, V any] interface {
	// Get is the latest version; false where there is none or it was deleted.
	Get(key K) (Timestamped[V], bool, error)
	// GetAsOf is the version that held at that time; false where that is longer ago than
	// the history retention, unless the latest one is older still.
	GetAsOf(key K, timestamp int64) (Timestamped[V], bool, error)
	// History yields the versions that held within from <= t <= to, oldest first.
	History(key K, from, to int64) iter.Seq2[Version[V], error]
}

// VersionedStore is one of a task.
type VersionedStore[K, V any] interface {
	ReadOnlyVersioned[K, V]
	// Put adds the version that begins at timestamp, or replaces it, and returns when it ends:
	// math.MaxInt64 of the latest one. It returns false where the version is older than the
	// history retention and was left out.
	Put(key K, value V, timestamp int64) (to int64, ok bool, err error)
	// Delete ends what held at that time and returns it.
	Delete(key K, timestamp int64) (Timestamped[V], bool, error)
}
