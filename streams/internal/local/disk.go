package local

import (
	"errors"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// diskSpace is a range of keys of the engine.
type diskSpace struct {
	db *DB
	id spaceID
	at atomic.Pointer[place]
}

// place is where a space's keys are. Clearing a space gives it a new one.
type place struct {
	engine *engine
	number uint32
	mark   atomic.Pointer[mark]
}

var keyBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 128); return &b }}

func (s *diskSpace) Get(key, dst []byte) ([]byte, bool, error) {
	p := s.at.Load()
	return p.get(p.engine.db, key, dst)
}

func (s *diskSpace) Scan(from, to []byte, reverse bool) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		p := s.at.Load()
		p.scan(p.engine.db, from, to, reverse, yield)
	}
}

func (s *diskSpace) Offset() (int64, bool) {
	p := s.at.Load()
	next := p.mark.Load().next
	if next < 0 || p.engine.dead.Load() != nil {
		return 0, false
	}
	return next, true
}

func (s *diskSpace) Mark() Mark {
	p := s.at.Load()
	if p.engine.dead.Load() != nil {
		return Mark{}
	}
	return p.mark.Load().Mark
}

func (s *diskSpace) Follow(topic TopicID) { s.at.Load().follow(topic) }

func (p *place) follow(topic TopicID) {
	p.update(func(m mark) mark { m.Topic = topic; return m })
}

func (p *place) update(change func(mark) mark) {
	for {
		old := p.mark.Load()
		now := change(*old)
		if p.mark.CompareAndSwap(old, &now) {
			return
		}
	}
}

// Snapshot keeps what it sees on the disk until it is closed.
func (s *diskSpace) Snapshot() (Snapshot, error) {
	p := s.at.Load()
	if err := p.engine.enter(); err != nil {
		return nil, err
	}
	return &diskSnapshot{place: p, snap: p.engine.db.NewSnapshot()}, nil // leaves in Close
}

type diskSnapshot struct {
	place  *place
	snap   *pebble.Snapshot
	closed atomic.Bool
}

func (s *diskSnapshot) Get(key, dst []byte) ([]byte, bool, error) {
	if s.closed.Load() {
		return dst, false, ErrClosed
	}
	return s.place.get(s.snap, key, dst)
}

func (s *diskSnapshot) Scan(from, to []byte, reverse bool) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		if s.closed.Load() {
			yield(Pair{}, ErrClosed)
			return
		}
		s.place.scan(s.snap, from, to, reverse, yield)
	}
}

func (s *diskSnapshot) Close() (err error) {
	if s.closed.Swap(true) {
		return nil
	}
	defer s.place.engine.leave()
	defer s.place.engine.guard(&err)
	return failure(s.snap.Close())
}

func (p *place) get(r pebble.Reader, key, dst []byte) (value []byte, ok bool, err error) {
	if err := p.engine.enter(); err != nil {
		return dst, false, err
	}
	defer p.engine.leave()
	defer p.engine.guard(&err)
	buf := keyBuffers.Get().(*[]byte)
	defer keyBuffers.Put(buf)
	*buf = dataKey((*buf)[:0], p.number, key)
	found, closer, err := r.Get(*buf)
	if errors.Is(err, pebble.ErrNotFound) {
		return dst, false, nil
	}
	if err != nil {
		return dst, false, p.engine.failed(err)
	}
	dst = append(dst, found...)
	return dst, true, p.engine.failed(closer.Close())
}

func (p *place) scan(r pebble.Reader, from, to []byte, reverse bool, yield func(Pair, error) bool) {
	if err := p.engine.enter(); err != nil {
		yield(Pair{}, err)
		return
	}
	defer p.engine.leave()
	c, err := p.cursor(r, from, to)
	if err != nil {
		yield(Pair{}, err)
		return
	}
	defer c.close()
	for c.step(reverse) {
		if !yield(Pair{c.key[4:], c.value}, nil) {
			return
		}
	}
	if c.err != nil {
		yield(Pair{}, c.err)
	}
}

// cursor is an iterator whose panics, of damaged files, are errors.
type cursor struct {
	engine     *engine
	it         *pebble.Iterator
	begun      bool
	key, value []byte
	err        error
}

func (p *place) cursor(r pebble.Reader, from, to []byte) (c *cursor, err error) {
	defer p.engine.guard(&err)
	lower, upper := dataBounds(p.number, from, to)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, p.engine.failed(err)
	}
	return &cursor{engine: p.engine, it: it}, nil
}

func (c *cursor) step(reverse bool) (ok bool) {
	defer c.engine.guard(&c.err)
	if ok = c.move(reverse); !ok {
		c.err = c.engine.failed(c.it.Error())
		return false
	}
	value, err := c.it.ValueAndErr()
	if err != nil {
		c.err = c.engine.failed(err)
		return false
	}
	c.key, c.value = c.it.Key(), value
	return true
}

func (c *cursor) move(reverse bool) bool {
	first := !c.begun
	c.begun = true
	switch {
	case first && reverse:
		return c.it.Last()
	case first:
		return c.it.First()
	case reverse:
		return c.it.Prev()
	}
	return c.it.Next()
}

func (c *cursor) close() {
	defer c.engine.guard(&c.err)
	c.it.Close()
}
