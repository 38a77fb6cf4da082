package streams

import (
	"fmt"
	"math"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// suppressor holds a table's changes back within a task. Of several changes of a key the
// latest leaves, at the place of the first.
type suppressor[K, V any] struct {
	c     plan.Context
	node  string
	rule  Suppression
	wait  int64 // ms after the time below
	store *pendingStore
	ks    serde.Serde[K]
	vs    serde.Serde[V]
	// windowEnd of the scratch key; nil waits from the record's time.
	windowEnd interface{ WindowEnd() int64 }
	scratch   K
	next      receiver[K, change[V]]
	time      int64
	key       []byte // reused
}

func (p *suppressor[K, V]) receive(r Record[K, change[V]]) error {
	p.time = max(p.time, r.Timestamp)
	if err := p.hold(r); err != nil {
		return err
	}
	return p.release()
}

// hold puts the change into the buffer.
func (p *suppressor[K, V]) hold(r Record[K, change[V]]) error {
	var err error
	if p.key, err = p.ks.Append(p.key[:0], r.Key); err != nil {
		return err
	}
	s := suppressed{timestamp: r.Timestamp, headers: r.Headers, offset: -1, partition: p.c.Task().Partition}
	if rec := p.c.Record(); rec != nil {
		s.topic, s.offset, s.partition = rec.Topic, rec.Offset, rec.Partition
	}
	if s.old, err = p.bytes(r.Value.prior, r.Value.hasPrior); err != nil {
		return err
	}
	if s.latest, err = p.bytes(r.Value.next, r.Value.hasNext); err != nil {
		return err
	}
	before, found, err := p.store.get(p.key)
	if err != nil {
		return err
	}
	if !found {
		s.prior, s.until = s.old, p.until(r)
		return p.store.put(p.key, nil, s.append(nil))
	}
	first, err := parseSuppressed(before)
	if err != nil {
		return err
	}
	s.prior, s.until = first.prior, first.until
	return p.store.put(p.key, before, s.append(nil))
}

// until is the time from which the change waits.
func (p *suppressor[K, V]) until(r Record[K, change[V]]) int64 {
	if p.windowEnd == nil {
		return r.Timestamp
	}
	p.scratch = r.Key
	return p.windowEnd.WindowEnd()
}

// bytes of a value, nil for none.
func (p *suppressor[K, V]) bytes(v V, has bool) ([]byte, error) {
	if !has {
		return nil, nil
	}
	return p.vs.Append([]byte{}, v)
}

// release lets go what has waited for long enough, and what is too much.
func (p *suppressor[K, V]) release() error {
	expired := p.time - p.wait
	for {
		until, key, ok, err := p.store.first()
		if err != nil {
			return err
		}
		full := p.full()
		if !ok || until > expired && !full {
			return nil
		}
		if until > expired && p.rule.shutDown {
			n, _ := p.store.len()
			return fmt.Errorf("the suppression buffer is full: %d records of at most %s, %d bytes of at most %s; give it more or let it emit early",
				n, limit(p.rule.records), p.store.size, limit(p.rule.bytes))
		}
		if err := p.emit(key); err != nil {
			return err
		}
	}
}

// limit in words.
func limit(n int64) string {
	if n == math.MaxInt64 {
		return "any"
	}
	return fmt.Sprint(n)
}

func (p *suppressor[K, V]) full() bool {
	n, _ := p.store.len()
	return int64(n) > p.rule.records || p.store.size > p.rule.bytes
}

// emit passes on the change of a key. It stays in the buffer until then: who looks the key
// up meanwhile sees the value before.
func (p *suppressor[K, V]) emit(key []byte) error {
	value, _, err := p.store.get(key)
	if err != nil {
		return err
	}
	s, err := parseSuppressed(value)
	if err != nil {
		return err
	}
	if s.latest != nil || !p.rule.final {
		if err := p.pass(key, s); err != nil {
			return err
		}
	}
	return p.store.delete(key)
}

func (p *suppressor[K, V]) pass(key []byte, s suppressed) error {
	out := Record[K, change[V]]{Timestamp: s.timestamp, Headers: s.headers}
	var err error
	if out.Key, err = p.ks.Decode(key); err != nil {
		return err
	}
	if s.latest != nil {
		if out.Value.next, err = p.vs.Decode(s.latest); err != nil {
			return err
		}
		out.Value.hasNext = true
	}
	if s.old != nil {
		if out.Value.prior, err = p.vs.Decode(s.old); err != nil {
			return err
		}
		out.Value.hasPrior = true
	}
	return p.next(out)
}

// idle lets go what has waited when stream time moved on without a record.
func (p *suppressor[K, V]) idle(streamTime int64) error {
	p.time = max(p.time, streamTime)
	return p.release()
}
