package commit

import (
	"errors"
	"fmt"
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
	logs   map[Key]*log.Log
}

const fileSuffix = ".journal"

func fileName(number uint64) string { return fmt.Sprintf("%016d%s", number, fileSuffix) }

func fileNumber(name string) (uint64, bool) {
	stem, ok := strings.CutSuffix(path.Base(name), fileSuffix)
	n, err := strconv.ParseUint(stem, 10, 64)
	return n, ok && err == nil && fileName(n) == path.Base(name)
}

// write makes a group durable.
func (f *files) write(g group) error {
	if f.current.size > 0 && f.current.size+int64(len(g.data)) > f.limit {
		if err := f.switchOver(); err != nil {
			return err
		}
	}
	c := f.current
	seal(g.data, c.number)
	if _, err := c.WriteAt(g.data, c.size); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := c.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	c.size += int64(len(g.data))
	for key, m := range g.logs {
		c.logs[key] = m.log
	}
	return nil
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
	if err := full.end(); err != nil {
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
		err = f.fs.SyncDir(f.dir)
	}
	if err != nil {
		return fmt.Errorf("next journal file: %w", err)
	}
	f.current = next
	return nil
}

// release has the logs sync what a file has; it is free then.
func (f *files) release(full *file, done chan struct{}) {
	defer close(done)
	var failed error
	for _, l := range full.logs {
		err := l.Checkpoint()
		if errors.Is(err, log.ErrClosed) && !errors.Is(err, log.ErrFailed) {
			continue // which synced it
		}
		failed = errors.Join(failed, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if failed != nil {
		f.failed = fmt.Errorf("sync of the logs behind %s: %w", fileName(full.number), failed)
		return
	}
	f.free = full
}

func (f *files) close() {
	<-f.syncing
	_ = f.current.Close()
	if f.free != nil {
		_ = f.free.Close()
	}
}
