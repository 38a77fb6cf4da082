package state

import (
	"iter"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// Windows defines a window store. size is that of its windows; it keeps them for the retention
// after their start, at least for size, in stream time. A retention of 0 is 24 hours.
func Windows[K, V any](name string, size, retention time.Duration, keys serde.Serde[K], values serde.Serde[V], opts ...Option) Definition {
	return defineWindow(name, size, retention, keys, values, opts,
		func(v serde.Serde[V]) codec[V] { return plain[V]{v} })
}

// TimestampedWindow defines a window store of Timestamped values, as windowed aggregations
// have.
func TimestampedWindow[K, V any](name string, size, retention time.Duration, keys serde.Serde[K], values serde.Serde[V], opts ...Option) Definition {
	return defineWindow(name, size, retention, keys, values, opts,
		func(v serde.Serde[V]) codec[Timestamped[V]] { return timestamped[V]{v} })
}

func defineWindow[K, V, T any](name string, size, retention time.Duration, keys serde.Serde[K], values serde.Serde[V], opts []Option, makeCodec func(serde.Serde[V]) codec[T]) Definition {
	s := apply(name, "window", opts)
	if retention > 0 {
		retention = max(retention, size)
	}
	s.windowed(retention)
	if s.retainDuplicates {
		s.Cached = false
		s.configure("cleanup.policy", "delete")
	}
	ms := size.Milliseconds()
	defineTimed(s.Store, timedParts[K, V, T]{
		keys: keys, values: values, codec: makeCodec,
		lay: timedLayout{interval: segmentInterval(s.Retention), second: 4}, retention: s.Retention.Milliseconds(),
		store: func(t *timed[K, T]) (plan.StateStore, error) {
			return newWindowStore(t, ms, s.retainDuplicates)
		},
		view: func(v timedView[K, T]) any { return windowView[K, T]{v, ms} },
		place: func(r *plan.RenderedEntry, start, _ int64) {
			r.WindowStart, r.WindowEnd = start, windowOf(start, ms).End
		},
	})
	return Definition{s.Store}
}

// segmentInterval is Kafka Streams': half the retention, at least a minute.
func segmentInterval(retention time.Duration) int64 {
	return max(retention/2, time.Minute).Milliseconds()
}

// windowOf is the window that begins at start; an end past all times is the last one.
func windowOf(start, size int64) Window {
	if end := start + size; end >= start {
		return Window{start, end}
	}
	return Window{start, forever}
}

// windowStore is a task's WindowStore[K, T]; T is V or Timestamped[V].
type windowStore[K, T any] struct {
	*timed[K, T]
	size       int64
	duplicates bool
	sequence   int64 // of the last duplicate
}

func newWindowStore[K, T any](t *timed[K, T], size int64, duplicates bool) (*windowStore[K, T], error) {
	s := &windowStore[K, T]{timed: t, size: size, duplicates: duplicates}
	if duplicates {
		if err := s.firstSequence(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Fetch returns the value of a window; of duplicates the first.
func (s *windowStore[K, T]) Fetch(key K, start int64) (value T, ok bool, err error) {
	if !s.duplicates {
		return s.get(key, start, 0)
	}
	for e, err := range s.FetchRange(key, start, start) {
		return e.Value, err == nil, err
	}
	return value, false, nil
}

// Put sets the value of a window, or adds a duplicate.
func (s *windowStore[K, T]) Put(key K, start int64, value T) error {
	if !s.duplicates {
		_, err := s.put(key, start, 0, value)
		return err
	}
	next := (s.sequence + 1) & 0x7fffffff
	put, err := s.put(key, start, next, value)
	if put {
		s.sequence = next
	}
	return err
}

// Delete removes a window.
func (s *windowStore[K, T]) Delete(key K, start int64) error {
	if s.duplicates {
		return nil
	}
	return s.remove(key, start, 0)
}

// SetFlush is Flushing's.
func (s *windowStore[K, T]) SetFlush(forward func(Windowed[K], Change[T]) error) bool {
	return s.setFlush(func(key K, start, _ int64, change Change[T]) error {
		return forward(Windowed[K]{key, windowOf(start, s.size)}, change)
	})
}

func (s *windowStore[K, T]) FetchRange(key K, from, to int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return s.fetch(key, from, to, false)
}

func (s *windowStore[K, T]) ReverseFetchRange(key K, from, to int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return s.fetch(key, from, to, true)
}

func (s *windowStore[K, T]) fetch(key K, from, to int64, reverse bool) iter.Seq2[Pair[Windowed[K], T], error] {
	return func(yield func(Pair[Windowed[K], T], error) bool) {
		for c, err := range s.between(key, from, to, reverse) {
			p := Pair[Windowed[K], T]{Key: Windowed[K]{Key: key}}
			if err == nil {
				p.Key.Window = windowOf(c.a, s.size)
				p.Value, _, err = s.read(c)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// AppendRange appends what FetchRange yields.
func (s *windowStore[K, T]) AppendRange(dst []Pair[Windowed[K], T], key K, from, to int64) ([]Pair[Windowed[K], T], error) {
	_, cells, err := s.within(key, from, to)
	if err != nil {
		return dst, err
	}
	for _, c := range cells {
		value, ok, err := s.read(c)
		if err != nil {
			return dst, err
		}
		if ok {
			dst = append(dst, Pair[Windowed[K], T]{Windowed[K]{key, windowOf(c.a, s.size)}, value})
		}
	}
	return dst, nil
}

func (s *windowStore[K, T]) FetchKeys(from, to K, timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return fetchKeys[K, T](s.keys, s.walk, s.Store.Name, from, to, span{timeFrom: timeFrom, timeTo: timeTo})
}

func (s *windowStore[K, T]) ReverseFetchKeys(from, to K, timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return fetchKeys[K, T](s.keys, s.walk, s.Store.Name, from, to, span{timeFrom: timeFrom, timeTo: timeTo, reverse: true})
}

func (s *windowStore[K, T]) FetchAll(timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return s.walk(span{timeFrom: timeFrom, timeTo: timeTo})
}

func (s *windowStore[K, T]) ReverseFetchAll(timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return s.walk(span{timeFrom: timeFrom, timeTo: timeTo, reverse: true})
}

func (s *windowStore[K, T]) All() iter.Seq2[Pair[Windowed[K], T], error] {
	return s.walk(span{timeTo: forever})
}

func (s *windowStore[K, T]) ReverseAll() iter.Seq2[Pair[Windowed[K], T], error] {
	return s.walk(span{timeTo: forever, reverse: true})
}

func (s *windowStore[K, T]) walk(q span) iter.Seq2[Pair[Windowed[K], T], error] {
	return pairs(s.all(q), func(a, _ int64) Window { return windowOf(a, s.size) })
}

// pairs turns what a walk yields into the pairs of the public stores.
func pairs[K, T any](seq iter.Seq2[timedValue[K, T], error], window func(a, b int64) Window) iter.Seq2[Pair[Windowed[K], T], error] {
	return func(yield func(Pair[Windowed[K], T], error) bool) {
		for v, err := range seq {
			if !yield(Pair[Windowed[K], T]{Windowed[K]{v.key, window(v.a, v.b)}, v.value}, err) {
				return
			}
		}
	}
}

// fetchKeys walks over the keys from <= key <= to.
func fetchKeys[K, T any](keys serde.Serde[K], walk func(span) iter.Seq2[Pair[Windowed[K], T], error], store string, from, to K, q span) iter.Seq2[Pair[Windowed[K], T], error] {
	var err error
	if q.from, err = keys.Append([]byte{}, from); err == nil {
		q.to, err = keys.Append([]byte{}, to)
	}
	if err != nil {
		return failing[Pair[Windowed[K], T]](keyError(store, err))
	}
	return walk(q)
}
