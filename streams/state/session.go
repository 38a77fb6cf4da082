package state

import (
	"iter"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// Session defines a session store. It keeps sessions for the retention after their end, in
// stream time. A retention of 0 is 24 hours.
func Session[K, V any](name string, retention time.Duration, keys serde.Serde[K], values serde.Serde[V], opts ...Option) Definition {
	s := apply(name, "session", opts)
	s.windowed(retention)
	defineTimed(s.Store, timedParts[K, V, V]{
		keys: keys, values: values,
		codec: func(v serde.Serde[V]) codec[V] { return plain[V]{v} },
		lay:   timedLayout{interval: segmentInterval(s.Retention), second: 8}, retention: s.Retention.Milliseconds(),
		store: func(t *timed[K, V]) (plan.StateStore, error) { return &sessionStore[K, V]{t}, nil },
		view:  func(v timedView[K, V]) any { return sessionView[K, V]{v} },
		place: func(r *plan.RenderedEntry, end, start int64) {
			r.WindowStart, r.WindowEnd = start, end
		},
	})
	return Definition{s.Store}
}

func sessionOf(end, start int64) Window { return Window{start, end} }

// sessionStore is a task's SessionStore. Sessions are ordered by end, then start.
type sessionStore[K, V any] struct{ *timed[K, V] }

func (s *sessionStore[K, V]) Find(key K, earliestEnd, latestStart int64) iter.Seq2[Pair[Windowed[K], V], error] {
	return s.find(key, earliestEnd, latestStart, false)
}

func (s *sessionStore[K, V]) ReverseFind(key K, earliestEnd, latestStart int64) iter.Seq2[Pair[Windowed[K], V], error] {
	return s.find(key, earliestEnd, latestStart, true)
}

func (s *sessionStore[K, V]) find(key K, earliestEnd, latestStart int64, reverse bool) iter.Seq2[Pair[Windowed[K], V], error] {
	return func(yield func(Pair[Windowed[K], V], error) bool) {
		for c, err := range s.between(key, earliestEnd, forever, reverse) {
			if err == nil && c.b > latestStart {
				continue
			}
			p := Pair[Windowed[K], V]{Key: Windowed[K]{Key: key}}
			if err == nil {
				p.Key.Window = sessionOf(c.a, c.b)
				p.Value, _, err = s.read(c)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// AppendSessions appends what Find yields.
func (s *sessionStore[K, V]) AppendSessions(dst []Pair[Windowed[K], V], key K, earliestEnd, latestStart int64) ([]Pair[Windowed[K], V], error) {
	_, cells, err := s.within(key, earliestEnd, forever)
	if err != nil {
		return dst, err
	}
	for _, c := range cells {
		if c.b > latestStart {
			continue
		}
		value, ok, err := s.read(c)
		if err != nil {
			return dst, err
		}
		if ok {
			dst = append(dst, Pair[Windowed[K], V]{Windowed[K]{key, sessionOf(c.a, c.b)}, value})
		}
	}
	return dst, nil
}

func (s *sessionStore[K, V]) FetchSession(key K, start, end int64) (V, bool, error) {
	return s.get(key, end, start)
}

func (s *sessionStore[K, V]) Fetch(key K) iter.Seq2[Pair[Windowed[K], V], error] {
	return s.find(key, 0, forever, false)
}

func (s *sessionStore[K, V]) All() iter.Seq2[Pair[Windowed[K], V], error] {
	return pairs(s.all(span{timeTo: forever}), sessionOf)
}

func (s *sessionStore[K, V]) Put(session Windowed[K], value V) error {
	_, err := s.put(session.Key, session.Window.End, session.Window.Start, value)
	return err
}

func (s *sessionStore[K, V]) Remove(session Windowed[K]) error {
	return s.remove(session.Key, session.Window.End, session.Window.Start)
}

// SetFlush is Flushing's.
func (s *sessionStore[K, V]) SetFlush(forward func(Windowed[K], Change[V]) error) bool {
	return s.setFlush(func(key K, end, start int64, change Change[V]) error {
		return forward(Windowed[K]{key, sessionOf(end, start)}, change)
	})
}

// sessionView is the ReadOnlySession of queries.
type sessionView[K, V any] struct{ v timedView[K, V] }

func (s sessionView[K, V]) Find(key K, earliestEnd, latestStart int64) iter.Seq2[Pair[Windowed[K], V], error] {
	return s.find(key, earliestEnd, latestStart, false)
}

func (s sessionView[K, V]) ReverseFind(key K, earliestEnd, latestStart int64) iter.Seq2[Pair[Windowed[K], V], error] {
	return s.find(key, earliestEnd, latestStart, true)
}

func (s sessionView[K, V]) find(key K, earliestEnd, latestStart int64, reverse bool) iter.Seq2[Pair[Windowed[K], V], error] {
	k, err := s.v.keys.Append([]byte{}, key)
	if err != nil {
		return failing[Pair[Windowed[K], V]](keyError(s.v.store, err))
	}
	return func(yield func(Pair[Windowed[K], V], error) bool) {
		all := s.v.all(span{key: k, timeFrom: earliestEnd, timeTo: forever, reverse: reverse})
		for p, err := range pairs(all, sessionOf) {
			if err == nil && p.Key.Window.Start > latestStart {
				continue
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

func (s sessionView[K, V]) FetchSession(key K, start, end int64) (V, bool, error) {
	return s.v.get(key, end, start)
}

func (s sessionView[K, V]) Fetch(key K) iter.Seq2[Pair[Windowed[K], V], error] {
	return s.find(key, 0, forever, false)
}

func (s sessionView[K, V]) All() iter.Seq2[Pair[Windowed[K], V], error] {
	return pairs(s.v.all(span{timeTo: forever}), sessionOf)
}
