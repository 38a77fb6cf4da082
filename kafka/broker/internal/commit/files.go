package commit

import (
	"errors"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// files are the journal's files: the one that is written, one whose batches the logs are
// syncing, and one that is free to be written over, which spares the file system the
// work of making it longer.
type files struct {
	fs    vfs.FS
	dir   string
	limit int64

	current *file
	// syncing is closed when the logs have what the former file has.
	syncing chan struct{}

	mu     sync.Mutex
	free   *file
	failed error
}

// file is one journal file. Its number, in its name, is larger than those before it.
type file struct {
	vfs.File
	number uint64
	size   int64
	// length is that of the file, with what lies ahead of size.
	length int64
	logs   map[Key]*log.Log
	// handles are for syncs that overlap: a system tells each once of a write that failed,
	// and with a common one another's sync could be told instead.
	handles []vfs.File
}

const fileSuffix = ".journal"

func fileName(number uint64) string { return fmt.Sprintf("%016d%s", number, fileSuffix) }

func fileNumber(name string) (uint64, bool) {
	stem, ok := strings.CutSuffix(path.Base(name), fileSuffix)
	n, err := strconv.ParseUint(stem, 10, 64)
	return n, ok && err == nil && fileName(n) == path.Base(name)
}

// full says that the file is, so that a group is for the next one.
func (f *files) full(g group) bool {
	return f.current.size > 0 && f.current.size+int64(len(g.data)) > f.limit
}

// write writes a group, and begins the next file for it where this one is full; no sync is
// under way then.
//
// sync makes it durable, by a handle that only those in the slot have.
func (f *files) write(g group, slot int) (sync func() error, err error) {
	if f.full(g) {
		if err := f.switchOver(); err != nil {
			return nil, err
		}
	}
	c := f.current
	seal(g.data, c.number)
	if _, err := c.WriteAt(g.data, c.size); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	c.size += int64(len(g.data))
	if len(g.data) <= smallFlights {
		c.lengthen()
	}
	for key, m := range g.logs {
		c.logs[key] = m.log
	}
	handle := c.handles[slot]
	return func() error {
		if err := handle.Sync(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		return nil
	}, nil
}

// lengthened is by how much a file grows at a time.
const lengthened = 512 << 10

var zeros [lengthened]byte

// lengthen makes the file longer before it has to be: a sync that changes no length costs
// the file system half. It need not succeed, and is not tried again where it does not.
func (f *file) lengthen() {
	if f.length = max(f.length, f.size); f.length-f.size >= lengthened/8 {
		return
	}
	if _, err := f.WriteAt(zeros[:], f.length); err != nil {
		f.length = math.MaxInt64
		return
	}
	f.length += lengthened
}

// switchOver begins the next file, and has the logs sync what this one has. It waits
// while they still sync what the file before has.
func (f *files) switchOver() error {
	<-f.syncing
	f.mu.Lock()
	spare, failed := f.free, f.failed
	f.free = nil
	f.mu.Unlock()
	if failed != nil {
		return failed
	}
	full := f.current
	if err := errors.Join(full.end(), full.closeHandles()); err != nil {
		return err
	}
	if err := f.begin(spare, full.number+1); err != nil {
		return err
	}
	f.syncing = make(chan struct{})
	go f.release(full, f.syncing)
	return nil
}

// end writes a frame without a batch, which says that the file is whole.
func (f *file) end() error {
	frame := appendFrame(nil, Key{}, nil)
	seal(frame, f.number)
	_, err := f.WriteAt(frame, f.size)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// begin makes a file the current one, of one to be written over where there is one. Its
// name is durable before anything is in it.
func (f *files) begin(spare *file, number uint64) (err error) {
	next := &file{number: number, logs: map[Key]*log.Log{}}
	name := f.dir + "/" + fileName(number)
	if spare != nil { // closed, for not every system renames files that are open
		if err = errors.Join(spare.Close(), f.fs.Rename(f.dir+"/"+fileName(spare.number), name)); err == nil {
			next.File, err = f.fs.Open(name)
		}
	} else {
		next.File, err = f.fs.Create(name)
	}
	if err == nil {
		next.length, err = next.Size()
	}
	if err == nil {
		err = errors.Join(f.fs.SyncDir(f.dir), next.open(f.fs, name))
	}
	if err != nil {
		if next.File != nil {
			_ = errors.Join(next.Close(), next.closeHandles())
		}
		return fmt.Errorf("next journal file: %w", err)
	}
	f.current = next
	return nil
}

// open opens the file's handles.
func (f *file) open(fs vfs.FS, name string) error {
	for range mostFlights {
		handle, err := fs.Open(name)
		if err != nil {
			return errors.Join(err, f.closeHandles())
		}
		f.handles = append(f.handles, handle)
	}
	return nil
}

func (f *file) closeHandles() (err error) {
	for _, handle := range f.handles {
		err = errors.Join(err, handle.Close())
	}
	f.handles = nil
	return err
}

// release has the logs sync what a file has; it is free then.
func (f *files) release(full *file, done chan struct{}) {
	defer close(done)
	var failed error
	for _, l := range full.logs {
		if err := l.Checkpoint(); err != nil && errors.Is(l.Failed(), log.ErrFailed) {
			failed = errors.Join(failed, err)
		} // else it is synced, and only not noted: the log is closed, or the disk is full
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if failed != nil {
		_ = full.Close()
		f.failed = fmt.Errorf("sync of the logs behind %s: %w", fileName(full.number), failed)
		return
	}
	f.free = full
}

func (f *files) close() {
	<-f.syncing
	_ = errors.Join(f.current.Close(), f.current.closeHandles())
	if f.free != nil {
		_ = f.free.Close()
	}
}
