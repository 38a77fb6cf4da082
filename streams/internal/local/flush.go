package local

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Without a log, what is not flushed is lost in a kill and has to be restored: so it is
// flushed by time as well as by bytes.
const flushAfter = 2 * time.Second

// Bounds of the wait for a flush: while the disk fails, and while it is slow.
const (
	failingPatience = 3 * time.Second
	slowPatience    = 60 * time.Second
	lookEvery       = 10 * time.Millisecond
)

// Where the first level has that many layers, each commit waits a little, so that
// compactions catch up and reads stay fast.
const (
	tooManyLayers = 20
	layersDelay   = 500 * time.Millisecond
)

var errSlow = errors.New("the disk does not keep up with the changes of stores")

// flusher decides when memory tables are flushed, and holds commits back while too much
// waits for that. Pebble can do that too, but without an end while flushes fail.
type flusher struct {
	db    *pebble.DB
	limit int64 // bytes of a memory table
	// patience with a disk that fails.
	patience time.Duration

	// What Pebble tells, with its locks held.
	flushTrouble, compactTrouble atomic.Pointer[error]
	changed                      atomic.Bool // tables were made since layers was looked up
	layers                       atomic.Int32

	mu     sync.Mutex
	open   int64        // bytes in the present table
	queue  []tableFlush // tables that wait or are being written
	due    *time.Timer  // of the present table; nil where it is empty
	closed bool
}

type tableFlush struct {
	bytes int64
	done  <-chan struct{}
}

// admit returns when there is room for a batch.
func (f *flusher) admit(bytes int64) error {
	f.slowDown()
	for {
		busy, err := f.take(bytes)
		if busy == nil || err != nil {
			return err
		}
		if err := f.await(busy); err != nil {
			return err
		}
	}
}

// take counts bytes in the present table, or returns what to wait for.
func (f *flusher) take(bytes int64) (busy <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if oldest := f.reap(); oldest != nil && f.queued()+f.open+bytes > 3*f.limit {
		return oldest, nil
	}
	if f.open > 0 && f.open+bytes > f.limit {
		if err := f.rotate(); err != nil {
			return nil, err
		}
	}
	f.open += bytes
	if f.due == nil && !f.closed {
		f.due = time.AfterFunc(flushAfter, f.dueNow)
	}
	return nil, nil
}

// reap forgets what is flushed, and returns the oldest that is not.
func (f *flusher) reap() <-chan struct{} {
	for len(f.queue) > 0 {
		select {
		case <-f.queue[0].done:
			f.queue = f.queue[1:]
		default:
			return f.queue[0].done
		}
	}
	return nil
}

func (f *flusher) queued() (n int64) {
	for _, q := range f.queue {
		n += q.bytes
	}
	return n
}

// rotate has the present table flushed. f.mu is held.
func (f *flusher) rotate() error {
	done, err := f.db.AsyncFlush()
	if err != nil {
		return failure(err)
	}
	f.queue = append(f.queue, tableFlush{f.open, done})
	f.open = 0
	if f.due != nil {
		f.due.Stop()
		f.due = nil
	}
	return nil
}

func (f *flusher) dueNow() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.due = nil
	switch {
	case f.closed || f.open == 0:
	case f.reap() != nil: // slow or failing: more tables would not help
		f.due = time.AfterFunc(flushAfter, f.dueNow)
	default:
		if err := f.rotate(); err != nil {
			f.flushTrouble.Store(&err)
		}
	}
}

// flush writes all there is, and returns when that is done.
func (f *flusher) flush() error {
	f.mu.Lock()
	err := f.rotate()
	var last <-chan struct{}
	if err == nil {
		last = f.queue[len(f.queue)-1].done
	}
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.await(last)
}

// await gives up soon where the disk fails, and late where it is slow.
func (f *flusher) await(done <-chan struct{}) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for began := time.Now(); ; {
		select {
		case <-done:
			return nil
		case <-tick.C:
		}
		waited := time.Since(began)
		if trouble := f.trouble(); trouble != nil && waited > f.patience {
			return trouble
		}
		if waited > slowPatience {
			return errSlow
		}
	}
}

// slowDown waits for compactions where they are far behind.
func (f *flusher) slowDown() {
	for began := time.Now(); f.crowded() && time.Since(began) < layersDelay; {
		time.Sleep(lookEvery)
	}
}

func (f *flusher) crowded() bool {
	if f.changed.CompareAndSwap(true, false) {
		f.layers.Store(f.db.Metrics().Levels[0].Sublevels)
	}
	return f.layers.Load() >= tooManyLayers
}

// trouble is what failed last in the background, nil where that went well.
func (f *flusher) trouble() error {
	for _, p := range []*atomic.Pointer[error]{&f.flushTrouble, &f.compactTrouble} {
		if err := p.Load(); err != nil {
			return fmt.Errorf("writing the stores to disk: %w", *err)
		}
	}
	return nil
}

func (f *flusher) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.due != nil {
		f.due.Stop()
	}
}
