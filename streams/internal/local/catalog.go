package local

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// catalog is what an engine's files say of spaces.
type catalog struct {
	spaces map[spaceID]*place
	next   uint32 // number of the next space
}

func readCatalog(e *engine) (c catalog, err error) {
	defer e.guard(&err)
	c = catalog{spaces: map[spaceID]*place{}, next: firstNumber}
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte(catalogPrefix), UpperBound: after([]byte(catalogPrefix))})
	if err != nil {
		return c, e.failed(err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		t, store, err := parseCatalogKey(it.Key())
		value, badly := it.ValueAndErr()
		if badly != nil {
			return c, e.failed(badly)
		}
		if err != nil || len(value) != 4 {
			return c, fmt.Errorf("%w: entry %x of the catalog", ErrCorrupt, it.Key())
		}
		p, err := readPlace(e, binary.BigEndian.Uint32(value))
		if err != nil {
			return c, err
		}
		c.spaces[spaceID{t, store}] = p
		c.next = max(c.next, p.number+1)
	}
	return c, e.failed(it.Error())
}

// readPlace reads the mark of the space with that number.
func readPlace(e *engine, number uint32) (*place, error) {
	p := newPlace(e, number)
	value, ok, err := e.get(offsetKey(number))
	if err != nil || !ok {
		return p, err
	}
	m, err := parseMark(value)
	if err != nil {
		return nil, err
	}
	p.mark.Store(&m)
	return p, nil
}

func (e *engine) has(key []byte) (bool, error) {
	_, ok, err := e.get(key)
	return ok, err
}

func (e *engine) get(key []byte) (value []byte, ok bool, err error) {
	defer e.guard(&err)
	found, closer, err := e.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, e.failed(err)
	}
	value = append(value, found...)
	return value, true, e.failed(closer.Close())
}

func newPlace(e *engine, number uint32) *place {
	p := &place{engine: e, number: number}
	p.mark.Store(&mark{next: -1})
	return p
}

// diskSpace finds or makes one. db.mu is held.
func (db *DB) diskSpace(id spaceID, renew bool) (Space, error) {
	s := db.spaces[id]
	if s != nil && (!renew || s.at.Load().engine == db.engine) {
		return s, nil
	}
	if s == nil {
		s = &diskSpace{db: db, id: id}
	}
	if err := db.settle(s, nil); err != nil {
		return nil, err
	}
	db.spaces[id] = s
	return s, nil
}

// Clear gives the space a new place, so that what is read there meets no tombstones.
func (s *diskSpace) Clear() error {
	db := s.db
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.spaces[s.id] != s {
		return ErrClosed // dropped
	}
	old := s.at.Load()
	if old.engine != db.engine {
		old = nil // thrown away as a whole
	}
	if err := db.settle(s, old); err != nil {
		return err
	}
	return db.engine.flush()
}

var errNumbers = errors.New("all numbers of spaces are used up: delete the folder to restore the stores from Kafka")

// settle gives s a new place, and deletes what it has in the old one. db.mu is held.
func (db *DB) settle(s *diskSpace, old *place) error {
	if why := db.engine.dead.Load(); why != nil && errors.Is(*why, ErrCorrupt) { // not replaced yet
		if err := db.startAnew(db.engine.number+1, *why); err != nil {
			return err
		}
		old = nil
	}
	if db.next > lastNumber {
		return errNumbers
	}
	p := newPlace(db.engine, db.next)
	err := db.engine.change(func(b *pebble.Batch) error {
		if err := erase(b, old); err != nil {
			return err
		}
		return b.Set(catalogKey(s.id.task, s.id.store), encodeNumber(p.number), nil)
	})
	if err != nil {
		return err
	}
	db.next++
	s.at.Store(p)
	return nil
}

// drop deletes s with its entry in the catalog, from the disk with the next flush. db.mu is held.
func (db *DB) drop(s *diskSpace) error {
	old := s.at.Load()
	if old.engine == db.engine {
		err := db.engine.change(func(b *pebble.Batch) error {
			return errors.Join(erase(b, old), b.Delete(catalogKey(s.id.task, s.id.store), nil))
		})
		if err != nil {
			return err
		}
	}
	delete(db.spaces, s.id)
	return nil
}

func erase(b *pebble.Batch, p *place) error {
	if p == nil {
		return nil
	}
	lower, upper := dataBounds(p.number, nil, nil)
	return errors.Join(b.DeleteRange(lower, upper, nil), b.Delete(offsetKey(p.number), nil))
}

// change makes a small batch.
func (e *engine) change(fill func(b *pebble.Batch) error) (err error) {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	defer e.guard(&err)
	b := e.db.NewBatch()
	defer b.Close()
	if err := fill(b); err != nil {
		return err
	}
	return e.commit(b)
}

// entryRoom is what a memory table needs for an entry besides its bytes.
const entryRoom = 32

// commit makes a batch, which is in one memory table as a whole: tables are flushed in
// order, and each at once, so that what a kill leaves ends between two batches.
func (e *engine) commit(b *pebble.Batch) error {
	if err := e.flusher.admit(int64(b.Len()) + entryRoom*int64(b.Count())); err != nil {
		return e.failed(err)
	}
	return e.failed(b.Commit(pebble.NoSync))
}

func (e *engine) flush() (err error) {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	defer e.guard(&err)
	return e.failed(e.flusher.flush())
}
