package local

import (
	"cmp"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options of Open.
type Options struct {
	// Dir is made where it is missing.
	Dir string
	// MemoryBytes caps what the database holds for itself: see split. 0 is 64 MiB.
	MemoryBytes int64
	// Budget counts what spaces in memory hold; nil does not count.
	Budget *Budget
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
	// FS is the file system; nil is the real one.
	FS vfs.FS
	// OnDiscard is called when stored data cannot be used and was thrown away: what stores
	// had is to be restored. May be nil; it must not call the database.
	OnDiscard func(error)
	// OnStop is called when the database has stopped for good and its files are not damaged:
	// close it and open it anew. May be nil; it must not call the database.
	OnStop func(error)

	patience time.Duration // failingPatience where 0
}

// DB has the spaces of a process. It is safe for use by many goroutines.
type DB struct {
	opts   Options
	log    *slog.Logger
	folder *folder // nil: all in memory
	memory *Part

	mu     sync.Mutex
	engine *engine // nil: all in memory
	spaces map[spaceID]*diskSpace
	inMem  map[spaceID]*memorySpace
	next   uint32 // number of the next space
	closed atomic.Bool

	retired sync.WaitGroup // dead engines that are not closed yet
}

type spaceID struct {
	task  TaskID
	store string
}

// ErrClosed is of a database that was closed.
var ErrClosed = errors.New("the store's database is closed")

const defaultMemory = 64 << 20

// Open opens the folder, or makes it. It fails with ErrLocked where another process has
// it. A folder that is damaged is thrown away (OnDiscard) and the database is empty.
func Open(o Options) (*DB, error) {
	o.MemoryBytes = cmp.Or(o.MemoryBytes, defaultMemory)
	if o.FS == nil {
		o.FS = vfs.Default
	}
	db := newDB(o)
	f, err := openFolder(o.FS, o.Dir)
	if err != nil {
		return nil, err
	}
	db.folder = f
	if err := db.openEngine(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return db, nil
}

// OpenMemory opens a database without a disk: all its spaces are in memory.
func OpenMemory() *DB { return newDB(Options{}) }

func newDB(o Options) *DB {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Budget == nil {
		o.Budget = NewBudget(1 << 62)
	}
	return &DB{
		opts: o, log: o.Logger, memory: o.Budget.Part(), next: firstNumber,
		spaces: map[spaceID]*diskSpace{}, inMem: map[spaceID]*memorySpace{},
	}
}

// Space of a store of a task; the same one each time. One that is not persistent is empty after
// a restart. What the disk has of a store that no longer is persistent is deleted. One whose data
// was thrown away fails with ErrCorrupt until it is cleared or renewed: whoever uses
// it must not take it for an empty one.
func (db *DB) Space(t TaskID, store string, persistent bool) (Space, error) {
	return db.space(t, store, persistent, false)
}

// Renew is Space for who restores the store from what its Offset says, or has nothing to restore:
// one whose data was thrown away is empty from now on. Nobody else uses the space.
func (db *DB) Renew(t TaskID, store string, persistent bool) (Space, error) {
	return db.space(t, store, persistent, true)
}

func (db *DB) space(t TaskID, store string, persistent, renew bool) (Space, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed.Load() {
		return nil, ErrClosed
	}
	id := spaceID{t, store}
	if persistent && db.folder != nil {
		return db.diskSpace(id, renew)
	}
	if s := db.spaces[id]; s != nil {
		if err := errors.Join(db.drop(s), db.engine.flush()); err != nil {
			return nil, err
		}
	}
	s := db.inMem[id]
	if s == nil {
		s = newMemorySpace(db.memory)
		db.inMem[id] = s
	}
	return s, nil
}

// Saved is a store that the disk has something of.
type Saved struct {
	Task  TaskID
	Store string
	// Offset is the next one to be restored.
	Offset int64
}

// Saved lists what was saved, in order of task and store.
func (db *DB) Saved() []Saved {
	db.mu.Lock()
	defer db.mu.Unlock()
	var out []Saved
	for id, s := range db.spaces { // of those of a damaged database Offset says no
		if next, ok := s.Offset(); ok {
			out = append(out, Saved{id.task, id.store, next})
		}
	}
	slices.SortFunc(out, func(a, b Saved) int {
		return cmp.Or(cmp.Compare(a.Task.Sub, b.Task.Sub), cmp.Compare(a.Task.Partition, b.Task.Partition), cmp.Compare(a.Store, b.Store))
	})
	return out
}

// Tasks that something is kept of, on disk or in memory.
func (db *DB) Tasks() ([]TaskID, error) {
	db.mu.Lock()
	all := make(map[spaceID]Space, len(db.spaces)+len(db.inMem))
	for id, s := range db.spaces {
		all[id] = s
	}
	for id, s := range db.inMem {
		all[id] = s
	}
	db.mu.Unlock()
	found := map[TaskID]bool{}
	for id, s := range all {
		if found[id.task] {
			continue
		}
		kept, err := holds(s)
		if err != nil {
			return nil, err
		}
		if kept {
			found[id.task] = true
		}
	}
	return slices.Collect(maps.Keys(found)), nil
}

// holds says whether there is anything in a space.
func holds(s Space) (bool, error) {
	if _, ok := s.Offset(); ok {
		return true, nil
	}
	for _, err := range s.Scan(nil, nil, false) { // one without a changelog has no offset
		return err == nil, err
	}
	return false, nil
}

// Drop deletes all spaces of a task. They must not be used afterwards. It does not wait for the
// disk: after a crash they may be there again, see Flush.
func (db *DB) Drop(t TaskID) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	for id, s := range db.inMem {
		if id.task == t {
			s.Clear()
			delete(db.inMem, id)
		}
	}
	for id, s := range db.spaces {
		if id.task != t {
			continue
		}
		if err := db.drop(s); err != nil {
			return err
		}
	}
	return nil
}

// Memory is what the database holds at the moment: caches, buffers and spaces in memory.
func (db *DB) Memory() int64 {
	n := db.memory.Used()
	if e := db.current(); e != nil {
		n += e.memory()
	}
	return n
}

// InMemory is what the spaces in memory hold, estimated. It is part of Memory.
func (db *DB) InMemory() int64 { return db.memory.Used() }

func (db *DB) current() *engine {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.engine
}
