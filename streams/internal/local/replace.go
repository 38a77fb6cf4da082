package local

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// openEngine opens the folder's database. Where that is damaged it makes an empty one.
func (db *DB) openEngine() error {
	db.mu.Lock() // an engine may die already
	defer db.mu.Unlock()
	err := db.folder.checkFormat()
	numbers, listing := db.folder.engines()
	if listing != nil {
		return failure(listing)
	}
	number := 1
	if len(numbers) > 0 {
		number = slices.Max(numbers)
	}
	if err == nil {
		err = db.adopt(number)
	}
	if errors.Is(err, ErrCorrupt) {
		number++
		err = db.startAnew(number, err)
	}
	if err != nil {
		return failure(err)
	}
	db.removeOthers(number)
	return nil
}

// adopt opens the database of that number with what it has.
func (db *DB) adopt(number int) error {
	e, err := db.startEngine(number)
	if err != nil {
		return err
	}
	c, err := readCatalog(e)
	if err == nil {
		err = db.prove(e)
	}
	if err != nil {
		return errors.Join(err, e.close())
	}
	db.engine, db.next = e, c.next
	for id, p := range c.spaces {
		s := &diskSpace{db: db, id: id}
		s.at.Store(p)
		db.spaces[id] = s
	}
	return nil
}

// prove tells a new database from one that lost all it had. That happens where its list
// of tables is damaged, because Pebble takes the list's readable beginning.
func (db *DB) prove(e *engine) error {
	noted, err := db.folder.has(madeName(e.number))
	if err != nil {
		return failure(err)
	}
	made, err := e.has([]byte(madeKey))
	switch {
	case err != nil:
		return err
	case made && noted:
		return nil
	case noted:
		return fmt.Errorf("%w: the list of tables in %s", ErrCorrupt, e.dir)
	}
	err = e.change(func(b *pebble.Batch) error { return b.Set([]byte(madeKey), nil, nil) })
	if err != nil {
		return err
	}
	if err := e.flush(); err != nil {
		return err
	}
	return failure(db.folder.write(madeName(e.number), ""))
}

// startAnew makes an empty database in place of a damaged one. When its folder is there,
// the old one does not count any more.
func (db *DB) startAnew(number int, why error) error {
	if err := db.folder.writeFormat(); err != nil {
		return err
	}
	e, err := db.startEngine(number)
	if err != nil {
		return err
	}
	if err := db.prove(e); err != nil {
		return errors.Join(err, e.close())
	}
	if db.engine != nil {
		db.retire(db.engine)
	}
	db.engine, db.next = e, firstNumber
	db.log.Error("the stores on disk are damaged; they are thrown away and restored from Kafka", "folder", db.folder.dir, "error", why)
	if db.opts.OnDiscard != nil {
		db.opts.OnDiscard(why)
	}
	return nil
}

// replace follows an engine's death: one that is damaged is thrown away. It runs in a
// goroutine of the engine's that Close waits for.
func (db *DB) replace(dead *engine, why error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	switch {
	case db.closed.Load() || db.engine != dead:
	case !errors.Is(why, ErrCorrupt):
		db.log.Error("the stores' database stopped; open it anew", "folder", db.folder.dir, "error", why)
		if db.opts.OnStop != nil {
			db.opts.OnStop(why)
		}
	default:
		if err := db.startAnew(dead.number+1, why); err != nil {
			db.log.Error("an empty database could not take the place of the damaged one", "folder", db.folder.dir, "error", err)
		}
	}
}

// retire closes a dead engine when nobody reads it any more, and removes its files.
func (db *DB) retire(e *engine) {
	db.retired.Go(func() {
		e.close() // it fails: the engine is damaged
		if err := db.folder.removeEngine(e.number); err != nil {
			db.log.Warn("damaged stores could not be removed", "folder", e.dir, "error", err)
		}
	})
}

// removeOthers removes what is not the database of that number. What cannot be removed
// takes space and does no harm.
func (db *DB) removeOthers(number int) {
	numbers, err := db.folder.engines()
	for _, n := range numbers {
		if n != number {
			err = errors.Join(err, db.folder.removeEngine(n))
		}
	}
	if err != nil {
		db.log.Warn("old stores could not be removed", "folder", db.folder.dir, "error", err)
	}
}

// Err is what went wrong in the background and still is: ErrFull while writing to disk
// fails for that, ErrCorrupt until the spaces that lost their data are cleared, or what
// else stopped the database. It is nil where all is well.
func (db *DB) Err() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.engine == nil {
		return nil
	}
	for id, s := range db.spaces {
		if e := s.at.Load().engine; e.dead.Load() != nil {
			return fmt.Errorf("store %s of task %d_%d: %w", id.store, id.task.Sub, id.task.Partition, *e.dead.Load())
		}
	}
	if why := db.engine.dead.Load(); why != nil {
		return *why
	}
	return db.engine.flusher.trouble()
}
