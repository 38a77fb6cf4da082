package local

import (
	"errors"
	"time"
)

// Flush writes what is in memory to disk, so that a kill loses nothing of it.
func (db *DB) Flush() error {
	if e := db.current(); e != nil {
		return e.flush()
	}
	return nil
}

// closePatience is for reads, and snapshots, that are still open.
const closePatience = 10 * time.Second

var errInUse = errors.New("the stores' database was closed while it was still read")

// Close flushes and releases the folder. It waits a while for reads under way and for
// snapshots to be closed.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed.Swap(true) {
		return nil
	}
	db.memory.Release()
	if db.engine == nil {
		return nil
	}
	err := db.engine.flush()
	ended := make(chan error, 1)
	go func() {
		err := db.engine.close()
		db.retired.Wait()
		ended <- err
	}()
	select {
	case closing := <-ended:
		err = errors.Join(err, closing)
	case <-time.After(closePatience):
		err = errors.Join(err, errInUse)
	}
	if why := db.engine.dead.Load(); why != nil {
		err = *why // the others follow from it
	}
	return errors.Join(err, db.folder.close())
}
