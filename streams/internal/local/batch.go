package local

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// NewBatch of changes; an empty one costs nothing.
func (db *DB) NewBatch() Batch { return &batch{db: db} }

// batch has one Pebble batch for the spaces on disk and lists for those in memory. The
// disk comes first: only that can fail.
type batch struct {
	db     *DB
	engine *engine
	disk   *pebble.Batch
	notes  map[*place]noted
	memory map[*memorySpace]*changes
	bytes  int
	err    error // of gathering: Commit returns it
}

type changes struct {
	list []change
	noted
}

func (b *batch) Set(s Space, key, value []byte) {
	b.bytes += len(key) + len(value)
	switch s := s.(type) {
	case *diskSpace:
		if p := b.place(s); p != nil {
			op := b.disk.SetDeferred(4+len(key), len(value))
			dataKey(op.Key[:0], p.number, key)
			copy(op.Value, value)
			b.note(op.Finish())
		}
	case *memorySpace:
		b.add(s, setChange, key, value)
	}
}

func (b *batch) Delete(s Space, key []byte) {
	b.bytes += len(key)
	switch s := s.(type) {
	case *diskSpace:
		if p := b.place(s); p != nil {
			op := b.disk.DeleteDeferred(4 + len(key))
			dataKey(op.Key[:0], p.number, key)
			b.note(op.Finish())
		}
	case *memorySpace:
		b.add(s, deleteChange, key, nil)
	}
}

func (b *batch) DeleteRange(s Space, from, to []byte) {
	b.bytes += len(from) + len(to)
	switch s := s.(type) {
	case *diskSpace:
		if p := b.place(s); p != nil {
			lower, upper := dataBounds(p.number, from, to)
			b.note(b.disk.DeleteRange(lower, upper, nil))
		}
	case *memorySpace:
		b.add(s, deleteRangeChange, from, to)
	}
}

func (b *batch) SetOffset(s Space, next int64) {
	b.mark(s, func(n *noted) { n.next = next })
}

func (b *batch) SetAsOf(s Space, at time.Time) {
	b.mark(s, func(n *noted) { n.asOf = at })
}

func (b *batch) mark(s Space, set func(*noted)) {
	switch s := s.(type) {
	case *diskSpace:
		if p := b.place(s); p != nil {
			n, ok := b.notes[p]
			if !ok {
				n.next = -1
			}
			set(&n)
			b.notes[p] = n
		}
	case *memorySpace:
		set(&b.of(s).noted)
	}
}

func (b *batch) Bytes() int { return b.bytes }

// Commit makes the changes on disk, and where that went well in memory.
func (b *batch) Commit() error {
	defer b.Close()
	err := b.err
	if err == nil && b.disk != nil {
		err = b.commitDisk()
	}
	if err != nil {
		return err
	}
	for s, c := range b.memory {
		s.apply(c.list, c.noted)
	}
	return nil
}

func (b *batch) commitDisk() (err error) {
	if err := b.engine.enter(); err != nil {
		return err
	}
	defer b.engine.leave()
	defer b.engine.guard(&err)
	for p, n := range b.notes {
		if m := p.mark.Load().with(n); m.next >= 0 {
			b.note(b.disk.Set(offsetKey(p.number), m.encode(), nil))
		}
	}
	if b.err != nil {
		return b.err
	}
	if err := b.engine.commit(b.disk); err != nil {
		return err
	}
	for p, n := range b.notes {
		p.update(func(m mark) mark { return m.with(n) })
	}
	return nil
}

// Close gives up what was gathered.
func (b *batch) Close() {
	if b.disk != nil {
		b.disk.Close()
	}
	*b = batch{db: b.db}
}

var errMixed = errors.New("a batch of spaces from before and after their database was replaced")

// place makes the Pebble batch where there is none yet; nil where that is too late.
func (b *batch) place(s *diskSpace) *place {
	p := s.at.Load()
	if b.disk == nil {
		b.engine, b.disk = p.engine, p.engine.db.NewBatch()
		b.notes = map[*place]noted{}
	}
	if b.engine != p.engine {
		b.note(fmt.Errorf("%w: %w", ErrCorrupt, errMixed))
		return nil
	}
	return p
}

func (b *batch) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *batch) of(s *memorySpace) *changes {
	c := b.memory[s]
	if c == nil {
		if b.memory == nil {
			b.memory = map[*memorySpace]*changes{}
		}
		c = &changes{noted: noted{next: -1}}
		b.memory[s] = c
	}
	return c
}

// add copies key and value, which stay the caller's.
func (b *batch) add(s *memorySpace, kind changeKind, key, value []byte) {
	both := append(append(make([]byte, 0, len(key)+len(value)), key...), value...)
	e := entry{key: both[:len(key):len(key)], value: both[len(key):]}
	if kind == deleteRangeChange && value == nil {
		e.value = nil // to the end
	}
	c := b.of(s)
	c.list = append(c.list, change{kind, e})
}
