package local

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// engine is one Pebble database. When it turns out to be damaged it is dead: everything
// fails with the reason, nothing more is written, and another engine takes its place.
type engine struct {
	db      *pebble.DB
	dir     string
	number  int
	gate    *gate
	flusher *flusher
	dead    atomic.Pointer[error]
	onDeath func(error) // called once, in a goroutine of its own

	mu     sync.RWMutex // users are not added once it is closed
	users  sync.WaitGroup
	closed bool
}

// startEngine opens the database of that number, or makes it.
func (db *DB) startEngine(number int) (*engine, error) {
	e := &engine{dir: db.folder.enginePath(number), number: number}
	e.gate = newGate(db.opts.FS, e.die)
	e.onDeath = func(why error) { db.replace(e, why) }
	o := pebbleOptions(db.opts.MemoryBytes, e)
	e.flusher = &flusher{limit: int64(o.MemTableSize) / 10 * 8, patience: cmp.Or(db.opts.patience, failingPatience)}
	if err := e.open(o); err != nil {
		return nil, fmt.Errorf("open the stores in %s: %w", e.dir, err)
	}
	if why := e.dead.Load(); why != nil {
		e.close()
		return nil, fmt.Errorf("open the stores in %s: %w", e.dir, *why)
	}
	return e, nil
}

// enter is called around every use; it fails when the engine is dead or closed.
func (e *engine) enter() error {
	if why := e.dead.Load(); why != nil {
		return *why
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return ErrClosed
	}
	e.users.Add(1)
	return nil
}

func (e *engine) leave() { e.users.Done() }

// close waits for the uses under way. What is not flushed is lost.
func (e *engine) close() error {
	e.mu.Lock()
	closed := e.closed
	e.closed = true
	e.mu.Unlock()
	if closed {
		return nil
	}
	e.users.Wait()
	e.flusher.close()
	close(e.gate.ended)
	return failure(e.db.Close())
}

// die ends an engine whose files are damaged, or in a state that only opening them anew
// makes out.
func (e *engine) die(why error) {
	e.gate.shut.Store(true)
	if e.dead.CompareAndSwap(nil, &why) {
		go e.onDeath(why)
	}
}

// failed names err, and ends the engine where that is damage.
func (e *engine) failed(err error) error {
	if err == nil {
		return nil
	}
	err = failure(err)
	if errors.Is(err, ErrCorrupt) {
		e.die(err)
	}
	return err
}

// guard turns a panic into ErrCorrupt: a file that is damaged in a way no checksum showed.
func (e *engine) guard(err *error) {
	switch r := recover(); r := r.(type) {
	case nil:
	case error:
		if errors.Is(r, pebble.ErrClosed) {
			*err = ErrClosed
			return
		}
		*err = e.failed(fmt.Errorf("%w: %w", ErrCorrupt, r))
	default:
		*err = e.failed(fmt.Errorf("%w: %v", ErrCorrupt, r))
	}
}

func (e *engine) memory() int64 {
	if e.enter() != nil {
		return 0
	}
	defer e.leave()
	m := e.db.Metrics()
	return m.BlockCache.Size + int64(m.MemTable.Size) + m.FileCache.Size
}

// failure gives errors of file system and database the names callers know.
func failure(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrFull), errors.Is(err, ErrCorrupt):
		return err
	case vfs.IsNoSpaceError(err), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case damaged(err):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// damaged: the files are not what was written; a missing one is damage as well.
func damaged(err error) bool {
	return pebble.IsCorruptionError(err) || errors.Is(err, fs.ErrNotExist)
}

// openFailure takes for damage whatever is not the operating system's refusal: Pebble does
// not mark every file that it cannot read as corrupt.
func openFailure(err error) error {
	if err = failure(err); err == nil {
		return nil
	}
	var refused syscall.Errno
	if errors.As(err, &refused) || errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrFull) || errors.Is(err, ErrCorrupt) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}
