package streams

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// Grace has JoinTable and LeftJoinTable hold each record back until stream time is that
// much past it, so that it finds what a versioned table learns late of its time. The table
// is to keep at least as much history.
func Grace(d time.Duration) Option {
	return func(o *options) { o.given |= optGrace; o.grace = d }
}

// graceBuffer holds back the stream's records of a join, in order of their times.
type graceBuffer[K, V any] struct {
	store *plan.Store
	grace int64
	ks    serde.Serde[K]
	vs    serde.Serde[V]
}

func newGraceBuffer[K, V any](s *Stream[K, V], name string, o options) *graceBuffer[K, V] {
	if o.grace < 0 {
		s.b.problem("%s: Grace(%v) is negative", name, o.grace)
	}
	s.b.needSerdes(name+", which holds records back", s.ks, s.vs)
	store := state.KeyValue(name+"-Buffer", serde.Bytes(), serde.Bytes()).Plan()
	return &graceBuffer[K, V]{store: pending(store, pendingLayout{keyed: true}), grace: o.grace.Milliseconds(), ks: s.ks, vs: s.vs}
}

// write adds the store, and looks whether the table's remembers enough.
func (g *graceBuffer[K, V]) write(w *writer, name string, tables []string) {
	for _, t := range tables {
		s := w.storeOf[t]
		switch {
		case s == nil:
		case s.Kind != "versioned":
			w.problem("%s: Grace needs a versioned table, and store %s is %s", name, t, s.Kind)
		case s.Retention.Milliseconds() < g.grace:
			w.problem("%s: Grace(%v) is longer than the history of store %s, %v", name, time.Duration(g.grace)*time.Millisecond, t, s.Retention)
		}
	}
	w.store(g.store, name)
}

// wire holds records back before join.
func (g *graceBuffer[K, V]) wire(c plan.Context, name string, join receiver[K, V]) (receiver[K, V], error) {
	store, err := pendingOf(c, g.store.Name)
	if err != nil {
		return nil, err
	}
	h := &holding[K, V]{c: c, store: store, grace: g.grace, join: join, observed: -1, last: -1}
	if h.ks, h.vs, err = serdesOf(store.topic, g.ks, g.vs); err != nil {
		return nil, err
	}
	c.Keep(g.store.Name, &h.observed)
	return h.receive, nil
}

// holding is a graceBuffer within a task.
type holding[K, V any] struct {
	c        plan.Context
	store    *pendingStore
	grace    int64
	join     receiver[K, V]
	ks       serde.Serde[K]
	vs       serde.Serde[V]
	observed int64 // the highest time of a record
	last     int64 // number of the latest entry, -1 unknown
}

// receive holds a record back, or joins one that is late already, and then what is due.
func (h *holding[K, V]) receive(r Record[K, V]) error {
	if r.NoKey || r.NoValue || h.observed-h.grace > r.Timestamp {
		return h.join(r)
	}
	h.observed = max(h.observed, r.Timestamp)
	if err := h.hold(r); err != nil {
		return err
	}
	for {
		at, entry, ok, err := h.store.first()
		if err != nil || !ok || at > h.observed-h.grace {
			return err
		}
		if err := h.release(at, entry); err != nil {
			return err
		}
	}
}

// An entry is the time, 8 bytes, the key, and a number that tells equal ones apart, 8 bytes.
const entryNumber = 8

func (h *holding[K, V]) hold(r Record[K, V]) error {
	n, err := h.number()
	if err != nil {
		return err
	}
	entry := binary.BigEndian.AppendUint64(nil, uint64(r.Timestamp))
	if entry, err = h.ks.Append(entry, r.Key); err != nil {
		return fmt.Errorf("encode the key: %w", err)
	}
	value := suppressed{timestamp: r.Timestamp, headers: r.Headers}
	if rec := h.c.Record(); rec != nil {
		value.topic, value.partition, value.offset = rec.Topic, rec.Partition, rec.Offset
	}
	if value.latest, err = h.vs.Append([]byte{}, r.Value); err != nil {
		return fmt.Errorf("encode the value: %w", err)
	}
	return h.store.put(binary.BigEndian.AppendUint64(entry, uint64(n)), nil, value.append(nil))
}

// number is that of the next entry, above those that are held.
func (h *holding[K, V]) number() (int64, error) {
	if h.last < 0 {
		err := h.store.ascend(func(entry string) bool {
			h.last = max(h.last, int64(binary.BigEndian.Uint64([]byte(entry[len(entry)-entryNumber:]))))
			return true
		})
		if err != nil {
			return 0, err
		}
	}
	h.last++
	return h.last, nil
}

// release joins an entry and forgets it.
func (h *holding[K, V]) release(at int64, entry []byte) error {
	data, ok, err := h.store.get(entry)
	if err != nil || !ok {
		return err
	}
	if err := h.store.delete(entry); err != nil {
		return err
	}
	held, err := parseSuppressed(data)
	if err != nil {
		return err
	}
	r := Record[K, V]{Timestamp: at, Headers: held.headers}
	if r.Key, err = h.ks.Decode(entry[8 : len(entry)-entryNumber]); err != nil {
		return fmt.Errorf("decode the key: %w", err)
	}
	if r.Value, err = h.vs.Decode(held.latest); err != nil {
		return fmt.Errorf("decode the value: %w", err)
	}
	return h.join(r)
}
