package state

import (
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// Versioned defines a versioned store: each key's values with the times from which they
// held. Versions that ended longer ago than history, in stream time, are given up, and
// changes from before that are left out. A history of 0 is 24 hours.
func Versioned[K, V any](name string, history time.Duration, keys serde.Serde[K], values serde.Serde[V], opts ...Option) Definition {
	s := apply(name, "versioned", opts)
	s.Cached = false
	if history <= 0 {
		history = defaultRetention
	}
	s.Retention = history
	// All versions are needed to restore.
	s.configure("min.compaction.lag.ms", strconv.FormatInt((history+24*time.Hour).Milliseconds(), 10))
	ms := history.Milliseconds()
	defineTimed(s.Store, timedParts[K, V, version[V]]{
		keys: keys, values: values,
		codec: func(v serde.Serde[V]) codec[version[V]] { return versions[V]{v} },
		store: func(t *timed[K, version[V]]) (plan.StateStore, error) {
			t.byTime = true
			return &versionedStore[K, V]{timed: t, history: ms}, nil
		},
		view:  func(v timedView[K, version[V]]) any { return versionedView[K, V]{v, ms} },
		place: func(r *plan.RenderedEntry, a, _ int64) { r.Timestamp = a },
	})
	return Definition{s.Store}
}

// version is a value, or that there is none from then on. Its time is the cell's.
type version[V any] struct {
	Value V
	Dead  bool
}

// versions have a byte before them on disk: 1, or 0 where there is no value.
type versions[V any] struct{ values serde.Serde[V] }

func (f versions[V]) append(dst []byte, v version[V]) ([]byte, error) {
	if v.Dead {
		return append(dst, 0), nil
	}
	return f.values.Append(append(dst, 1), v.Value)
}

func (f versions[V]) decode(data []byte) (v version[V], err error) {
	switch {
	case len(data) == 1 && data[0] == 0:
		v.Dead = true
	case len(data) > 0 && data[0] == 1:
		v.Value, err = f.values.Decode(data[1:])
	default:
		err = fmt.Errorf("version: expected a byte 1 and a value, or a byte 0, got %d bytes", len(data))
	}
	return v, err
}

func (f versions[V]) logged(data []byte) []byte {
	if data[0] == 0 {
		return nil
	}
	return data[1:]
}

func (f versions[V]) restored(dst, value []byte, _ int64) []byte {
	if value == nil {
		return append(dst, 0)
	}
	return append(append(dst, 1), value...)
}

func (f versions[V]) shown(v version[V]) (any, int64) {
	if v.Dead {
		return nil, 0
	}
	return readable(v.Value), 0
}

func (f versions[V]) stamp(_ version[V], otherwise int64) int64 { return otherwise }
func (f versions[V]) stampOf(_ []byte, otherwise int64) int64   { return otherwise }
func (f versions[V]) tombstone(int64) version[V]                { return version[V]{Dead: true} }

// versionedStore is a task's VersionedStore.
type versionedStore[K, V any] struct {
	*timed[K, version[V]]
	history int64
	swept   timedEntry // the last one that the sweep of the space looked at
}

// held is a version as it is read: of a cell or from disk.
type held[V any] struct {
	from, to int64
	version[V]
}

// oldest is the first time that can be asked for and changed.
func oldest(observed, history int64) int64 { return observed - history }

func (s *versionedStore[K, V]) Get(key K) (Timestamped[V], bool, error) {
	return latest(s.read(key))
}

func (s *versionedStore[K, V]) GetAsOf(key K, timestamp int64) (Timestamped[V], bool, error) {
	all, err := s.read(key)
	return asOf(all, err, timestamp, oldest(s.observed, s.history))
}

func (s *versionedStore[K, V]) History(key K, from, to int64) iter.Seq2[Version[V], error] {
	return func(yield func(Version[V], error) bool) {
		all, err := s.read(key)
		history(all, err, from, to, oldest(s.observed, s.history), yield)
	}
}

func (s *versionedStore[K, V]) Put(key K, value V, timestamp int64) (int64, bool, error) {
	return s.set(key, version[V]{Value: value}, timestamp)
}

func (s *versionedStore[K, V]) Delete(key K, timestamp int64) (Timestamped[V], bool, error) {
	if timestamp < oldest(s.observed, s.history) {
		return Timestamped[V]{}, false, nil
	}
	had, ok, err := s.GetAsOf(key, timestamp)
	if err != nil {
		return had, ok, err
	}
	_, _, err = s.set(key, version[V]{Dead: true}, timestamp)
	return had, ok, err
}

// PutTombstone is Put of no value from timestamp on.
func (s *versionedStore[K, V]) PutTombstone(key K, timestamp int64) (to int64, ok bool, err error) {
	return s.set(key, version[V]{Dead: true}, timestamp)
}

func (s *versionedStore[K, V]) set(key K, v version[V], timestamp int64) (to int64, ok bool, err error) {
	if timestamp < oldest(s.observed, s.history) {
		return 0, false, nil
	}
	if ok, err = s.put(key, timestamp, 0, v); err != nil {
		return 0, false, err
	}
	g, err := s.whole(key)
	if err != nil {
		return 0, false, err
	}
	s.prune(g)
	to = forever
	if i, _ := g.search(timestamp+1, 0); i < len(g.cells) {
		to = g.cells[i].a
	}
	return to, ok, nil
}

// whole returns a key's group with all its versions.
func (s *versionedStore[K, V]) whole(key K) (*group[version[V]], error) {
	g, err := s.group(key)
	if err != nil {
		return nil, err
	}
	return g, s.complete(g, 0)
}

// read returns a key's versions, oldest first.
func (s *versionedStore[K, V]) read(key K) ([]held[V], error) {
	g, err := s.whole(key)
	if err != nil {
		return nil, err
	}
	var out []held[V]
	for _, c := range g.cells {
		v, ok, err := s.timed.read(c)
		if err != nil {
			return nil, err
		}
		if ok {
			out = follow(out, c.a, v)
		}
	}
	return out, nil
}

// follow appends a version, which ends the one before.
func follow[V any](all []held[V], from int64, v version[V]) []held[V] {
	if n := len(all); n > 0 {
		all[n-1].to = from
	}
	return append(all, held[V]{from, forever, v})
}

// prune removes the versions that have expired; the changelog's are compacted away.
func (s *versionedStore[K, V]) prune(g *group[version[V]]) {
	bound := oldest(s.observed, s.history)
	for i, c := range g.cells {
		ended := i+1 < len(g.cells) && g.cells[i+1].a <= bound
		if !ended {
			return
		}
		if c.is(present) {
			c.flags |= silent
			c.flags &^= present
			s.touched(c)
		}
	}
}
