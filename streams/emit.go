package streams

import (
	"encoding/binary"
	"iter"
	"math"

	"github.com/tidwall/btree"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// Why a record is left out.
const (
	droppedNoKey        = "null key"
	droppedNoKeyOrValue = "null key or value"
	droppedLate         = "the window is closed"
)

// closing emits windows once, when they close: when stream time has passed their end and
// the grace. Up to where it went is kept with the committed offsets.
type closing[K, A any] struct {
	c     plan.Context
	store string
	// span says which windows (by start, or sessions by end) close when the close time moves
	// from last (-1 before the first) to now.
	span func(last, now int64) (from, to int64, any bool)
	// window makes one of the time that spans are of and its start.
	window func(time, start int64) state.Window
	get    func(key state.Windowed[K]) (value A, timestamp int64, found bool, err error)
	keys   serde.Serde[K]
	next   receiver[state.Windowed[K], change[A]]
	last   int64 // close time of the last emission, -1 before the first
	// open are the windows that are not emitted yet: time, start and key of each.
	open btree.Set[string]
	key  []byte // reused
}

// load notes the windows that are in the store.
func (e *closing[K, A]) load(all iter.Seq2[state.Windowed[K], error], time func(state.Window) int64) error {
	e.last = -1
	if last, ok := e.c.Metadata(e.store); ok {
		e.last = last
	}
	from, _, _ := e.span(e.last, math.MaxInt64)
	for w, err := range all {
		if err != nil {
			return err
		}
		if t := time(w.Window); t >= from {
			if err := e.opened(t, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// opened notes a window that is new.
func (e *closing[K, A]) opened(time int64, w state.Windowed[K]) error {
	if err := e.encode(time, w); err != nil {
		return err
	}
	e.open.Insert(string(e.key))
	return nil
}

// gone forgets a session that became part of another.
func (e *closing[K, A]) gone(time int64, w state.Windowed[K]) error {
	if err := e.encode(time, w); err != nil {
		return err
	}
	e.open.Delete(string(e.key))
	return nil
}

func (e *closing[K, A]) encode(time int64, w state.Windowed[K]) (err error) {
	e.key = binary.BigEndian.AppendUint64(e.key[:0], uint64(time))
	e.key = binary.BigEndian.AppendUint64(e.key, uint64(w.Window.Start))
	e.key, err = e.keys.Append(e.key, w.Key)
	return err
}

// emit sends what has closed by closeTime. It goes before the windows of the record that
// moved time are stored, for they may make the store forget those that close.
func (e *closing[K, A]) emit(closeTime int64, headers []kgo.RecordHeader) error {
	if e.last != -1 && e.last >= closeTime {
		return nil
	}
	_, to, some := e.span(e.last, closeTime)
	if !some {
		return nil
	}
	e.last = closeTime
	e.c.SetMetadata(e.store, closeTime)
	for {
		first, ok := e.open.Min()
		if !ok || int64(binary.BigEndian.Uint64([]byte(first[:8]))) > to {
			return nil
		}
		e.open.Delete(first)
		if err := e.emitOne([]byte(first), headers); err != nil {
			return err
		}
	}
}

func (e *closing[K, A]) emitOne(open []byte, headers []kgo.RecordHeader) error {
	key, err := e.keys.Decode(open[16:])
	if err != nil {
		return err
	}
	w := state.Windowed[K]{Key: key, Window: e.window(int64(binary.BigEndian.Uint64(open)), int64(binary.BigEndian.Uint64(open[8:])))}
	value, timestamp, found, err := e.get(w)
	if err != nil || !found {
		return err
	}
	return e.next(Record[state.Windowed[K], change[A]]{
		Key: w, Value: change[A]{next: value, hasNext: true}, Timestamp: timestamp, Headers: headers,
	})
}

// closedTimeWindows is the span of starts that close.
func closedTimeWindows(w TimeWindows) func(last, now int64) (int64, int64, bool) {
	size, advance := w.size.Milliseconds(), w.advance.Milliseconds()
	return func(last, now int64) (from, to int64, some bool) {
		if to = now - size; to < 0 {
			return 0, 0, false
		}
		if last == -1 {
			return 0, to, true
		}
		from = max(0, last-size) + 1
		// Nothing begins in between.
		sameFirst := w.firstStart(to) == w.firstStart(from-1)
		return from, to, !sameFirst || to/advance != (from-1)/advance
	}
}

// closedSlidingWindows is the span of starts that close.
func closedSlidingWindows(w SlidingWindows) func(last, now int64) (int64, int64, bool) {
	difference := w.difference.Milliseconds()
	return func(last, now int64) (from, to int64, some bool) {
		if to = now - difference - 1; to < 0 {
			return 0, 0, false
		}
		if last == -1 {
			return 0, to, true
		}
		return max(0, last-difference), to, true
	}
}

// closedSessions is the span of ends that close; now is the stream time less gap and grace.
func closedSessions(last, now int64) (from, to int64, some bool) {
	from, to = max(0, last), now-1
	return from, to, to >= from
}
