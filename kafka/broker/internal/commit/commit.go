// Package commit makes appends durable. All partitions of a data folder share one
// journal: the batches that arrive while one fdatasync runs are the group of the next
// one, so that an acknowledgement costs a part of one fdatasync, whatever the number of
// partitions and producers. The partitions' own files are written without a sync; they
// are synced in the background before the journal file that has their batches is used
// again. After a crash the journal is replayed onto the logs.
package commit

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// Mode is what an acknowledgement means.
type Mode int

const (
	// Fsync: the batch is on the disk; it survives a power cut. The default.
	Fsync Mode = iota
	// OS: the operating system has the batch; it survives a kill of this process.
	OS
	// Memory: this process has the batch.
	Memory
)

// ParseMode reads fsync, os or memory.
func ParseMode(s string) (Mode, error) {
	for m, name := range modes {
		if s == name {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("durability %q is not known: use fsync, os or memory", s)
}

var modes = [...]string{"fsync", "os", "memory"}

// String is what ParseMode reads.
func (m Mode) String() string {
	if m < 0 || int(m) >= len(modes) {
		return fmt.Sprintf("mode %d", int(m))
	}
	return modes[m]
}

// Key names a partition.
type Key struct {
	Topic     [16]byte // the topic's id
	Partition int32
}

var (
	// ErrFailed says that a write or sync of the journal failed: nothing is
	// acknowledged after it.
	ErrFailed = errors.New("journal has failed")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("journal is closed")
)

// Options are the journal's. The zero value has the defaults.
type Options struct {
	Mode Mode
	// GroupBytes bounds what one fdatasync writes, and the memory that waits for the
	// next, but for one batch of each that appends (default 8 MiB).
	GroupBytes int
	// FileBytes is when the next journal file is begun (default 64 MiB); at most
	// three exist.
	FileBytes int64
	// Overlap is how long the latest sync is under way before another begins beside it,
	// twice that where it is the only one; negative: none does (default 250 µs on Linux, and
	// elsewhere none).
	Overlap time.Duration
}

func (o Options) withDefaults() Options {
	if o.GroupBytes <= 0 {
		o.GroupBytes = 8 << 20
	}
	if o.FileBytes <= 0 {
		o.FileBytes = 64 << 20
	}
	if o.Overlap == 0 && runtime.GOOS == "linux" { // where each handle is told of failures
		o.Overlap = 250 * time.Microsecond
	}
	return o
}

// Journal makes appends durable. All methods are safe for concurrent use.
type Journal struct {
	fs   vfs.FS
	dir  string
	opts Options

	mu      sync.Mutex
	changed sync.Cond // of pending, failed, closing
	pending group
	spare   [][]byte // to be used again
	failed  error
	closing bool
	killed  bool
	done    chan struct{}
	syncs   atomic.Uint64
	bell    doorbell

	files files
}

// group is what one fdatasync makes durable.
type group struct {
	data  []byte
	logs  map[Key]mark
	waits []*waiter
}

// mark is a log and how far it is durable with a group.
type mark struct {
	log  *log.Log
	next int64
}

// Append appends a batch to a log, as log.Log.Append does, and calls done when it is as
// durable as the mode says, after the log's high watermark was raised, or with the
// error why it is not. done must not block, nor call the journal. A retry of a batch is
// done when the batch is durable. Append waits while a full group waits.
func (j *Journal) Append(key Key, l *log.Log, b []byte, h batch.Header, leaderEpoch int32, done func(log.Appended, error)) {
	j.append(key, l, done, func(after func([]byte, int64)) (log.Appended, error) {
		return l.Append(b, h, leaderEpoch, after)
	})
}

// AppendMarker is Append of a transaction's end.
func (j *Journal) AppendMarker(key Key, l *log.Log, m batch.Marker, leaderEpoch int32, done func(log.Appended, error)) {
	j.append(key, l, done, func(after func([]byte, int64)) (log.Appended, error) {
		return l.AppendMarker(m, leaderEpoch, after)
	})
}

func (j *Journal) append(key Key, l *log.Log, done func(log.Appended, error), write func(after func([]byte, int64)) (log.Appended, error)) {
	if err := j.room(); err != nil {
		done(log.Appended{}, err)
		return
	}
	var enqueue func([]byte, int64)
	wait := &waiter{done: done}
	if j.opts.Mode == Fsync {
		enqueue = func(b []byte, base int64) { j.enqueue(key, l, b, base, wait) }
	}
	at, err := write(enqueue)
	switch {
	case err != nil:
		done(at, err)
	case j.opts.Mode != Fsync:
		l.SetHighWatermark(at.Last + 1)
		done(at, nil)
	case at.Duplicate:
		j.flush(wait)
		wait.appended(at)
	default:
		wait.appended(at)
	}
}

// waiter is done when the append has returned and the group is on the disk.
type waiter struct {
	mu          sync.Mutex
	at          log.Appended
	err         error
	here, there bool
	done        func(log.Appended, error)
}

func (w *waiter) appended(at log.Appended) {
	w.mu.Lock()
	w.at, w.here = at, true
	finished := w.there
	w.mu.Unlock()
	if finished {
		w.done(w.at, w.err)
	}
}

func (w *waiter) synced(err error) {
	w.mu.Lock()
	w.err, w.there = err, true
	finished := w.here
	w.mu.Unlock()
	if finished {
		w.done(w.at, w.err)
	}
}

// room waits until a group may take more. A log's lock is not held meanwhile.
func (j *Journal) room() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.failed == nil && !j.closing && len(j.pending.data) >= j.opts.GroupBytes {
		j.changed.Wait()
	}
	return j.stopped()
}

// enqueue is called in the order of the log's offsets. It copies the batch.
func (j *Journal) enqueue(key Key, l *log.Log, b []byte, base int64, w *waiter) {
	h, err := batch.Parse(b)
	j.mu.Lock()
	if err == nil {
		err = j.stopped()
	}
	if err != nil {
		j.mu.Unlock()
		w.synced(err)
		return
	}
	j.pending.data = appendFrame(j.pending.data, key, b)
	j.pending.logs[key] = mark{l, base + int64(h.LastDelta) + 1}
	j.pending.waits = append(j.pending.waits, w)
	j.mu.Unlock()
	j.changed.Broadcast()
	j.bell.ring()
}

// flush has the waiter wait for what was appended before.
func (j *Journal) flush(w *waiter) {
	j.mu.Lock()
	if err := j.stopped(); err != nil {
		j.mu.Unlock()
		w.synced(err)
		return
	}
	j.pending.waits = append(j.pending.waits, w)
	j.mu.Unlock()
	j.changed.Broadcast()
	j.bell.ring()
}

func (j *Journal) stopped() error {
	if j.failed == nil && j.closing {
		return ErrClosed
	}
	return j.failed
}

// Failed returns why the journal has failed, or nil.
func (j *Journal) Failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}

// Close makes durable what was appended and stops. The logs are closed after it; what
// the journal has is then in them too.
func (j *Journal) Close() error {
	j.mu.Lock()
	first := !j.closing
	j.closing = true
	j.mu.Unlock()
	j.changed.Broadcast()
	<-j.done
	if first {
		j.files.close()
	}
	return j.Failed()
}

// Kill stops without writing what has not been written yet, as if the process had died:
// who waits for it is told ErrClosed. When it has returned nothing is written any more.
func (j *Journal) Kill() {
	j.mu.Lock()
	j.killed = true
	j.mu.Unlock()
	_ = j.Close()
}

// Syncs returns how many groups were made durable.
func (j *Journal) Syncs() uint64 { return j.syncs.Load() }
