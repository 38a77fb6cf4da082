package log

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// Log is one partition's log. All methods are safe for concurrent use; appends are one
// after another, and reads do not wait for the disk's writes.
type Log struct {
	fs  vfs.FS
	dir string
	now func() time.Time

	// compacting is held by one that compacts, before maintenance.
	compacting sync.Mutex
	// maintenance is held by one that rewrites or removes files, before mu.
	maintenance sync.Mutex

	mu            sync.RWMutex
	config        Config
	segments      []*segment // by base; the last one is appended to
	start, next   int64
	highWatermark int64
	stable        int64
	cleaned       int64 // compacted up to here
	horizon       int64 // when the first tombstone or marker below that may go; 0: there is none
	epochs        []EpochStart
	producers     *producer.State
	unsaved       int64 // bytes appended since the last checkpoint
	captured      int64
	failed        error
	report        Report
	expiredSince  Expired
}

// Appended is where a batch is.
type Appended struct {
	Base, Last int64
	// Timestamp is the broker's time of the append in milliseconds, where the topic
	// has log append time; -1 otherwise.
	Timestamp int64
	// Duplicate says that the batch was there before. It may not be durable yet: it is
	// acknowledged when the high watermark is past Last.
	Duplicate bool
}

// Append writes one batch, which h is the header of and package batch has verified: it
// gives b, in place, offsets and the leader epoch, and keeps nothing of it. after, where
// not nil, is called with the batch as written before any later one, for a journal: it
// must not call the log. The high watermark is the caller's to raise.
//
// Errors are those of producer.State.Check, batch.ErrTooLarge, ErrFailed, and of writing:
// the log then is as before, or has failed.
func (l *Log) Append(b []byte, h batch.Header, leaderEpoch int32, after func(b []byte, base int64)) (Appended, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return Appended{}, l.failed
	}
	duplicate, err := l.producers.Check(h)
	if err != nil {
		return Appended{}, err
	}
	if duplicate != nil {
		return Appended{Base: duplicate.Base, Last: duplicate.Last, Timestamp: -1, Duplicate: true}, nil
	}
	now, timestamp := l.millis(), int64(-1)
	if l.config.LogAppendTime {
		timestamp = now
		batch.SetLogAppendTime(b[:h.Size], now)
		h.MaxTimestamp = now
	}
	base, err := l.write(b[:h.Size], h, leaderEpoch, now)
	if err != nil {
		return Appended{}, err
	}
	h.BaseOffset = base
	l.producers.Appended(h, now)
	if after != nil {
		after(b[:h.Size], base)
	}
	return Appended{Base: base, Last: h.LastOffset(), Timestamp: timestamp}, nil
}

// AppendMarker ends a transaction in this partition. It is Append otherwise.
func (l *Log) AppendMarker(m batch.Marker, leaderEpoch int32, after func(b []byte, base int64)) (Appended, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return Appended{}, l.failed
	}
	if err := l.producers.CheckMarker(m); err != nil {
		return Appended{}, err
	}
	now := l.millis()
	b := m.Batch(now)
	h, err := batch.Parse(b)
	if err != nil {
		return Appended{}, err
	}
	base, err := l.write(b, h, leaderEpoch, now)
	if err != nil {
		return Appended{}, err
	}
	l.producers.Ended(m, base, now)
	l.restable()
	if after != nil {
		after(b, base)
	}
	return Appended{Base: base, Last: base, Timestamp: -1}, nil
}

// write puts a batch at the end of the log.
func (l *Log) write(b []byte, h batch.Header, leaderEpoch int32, now int64) (int64, error) {
	if h.Size > maxBatch {
		return 0, fmt.Errorf("%w: %d bytes, the most are %d", batch.ErrTooLarge, h.Size, maxBatch)
	}
	s := l.active()
	if l.full(s, h, now) {
		if err := l.roll(l.next); err != nil {
			return 0, err
		}
		s = l.active()
	}
	base := l.next
	batch.SetOffset(b, base, leaderEpoch)
	h.BaseOffset, h.LeaderEpoch = base, leaderEpoch
	return base, l.put(s, b, h, now)
}

func (l *Log) put(s *segment, b []byte, h batch.Header, now int64) error {
	if _, err := s.file.WriteAt(b, s.size); err != nil {
		err = fmt.Errorf("append to %s: %w", s.path(segmentSuffix), err)
		if undo := s.file.Truncate(s.size); undo != nil {
			return l.fail(errors.Join(err, undo))
		}
		return err
	}
	s.added(h, now)
	l.next = h.NextOffset()
	l.unsaved += int64(h.Size)
	l.epochs = withEpoch(l.epochs, h)
	return nil
}

func (l *Log) active() *segment { return l.segments[len(l.segments)-1] }

func (l *Log) full(s *segment, h batch.Header, now int64) bool {
	if s.size == 0 {
		return s.next != l.next // offsets were skipped
	}
	return s.gen > 0 || s.next != l.next || s.size+int64(h.Size) > l.config.SegmentBytes ||
		l.next+int64(h.LastDelta)-s.base > 1<<31-1 || now-s.created >= l.config.SegmentAge.Milliseconds()
}

// roll begins a segment at an offset, in place of an empty one at the end.
func (l *Log) roll(base int64) error {
	s := &segment{segmentName: segmentName{base: base}, fs: l.fs, dir: l.dir, next: base, maxTime: -1, created: l.millis(), appended: l.millis(), idx: newIndex()}
	var err error
	if s.file, err = l.fs.Create(s.path(segmentSuffix)); err != nil {
		return fmt.Errorf("new segment: %w", err)
	}
	if n := len(l.segments); n > 0 && l.segments[n-1].size == 0 && l.segments[n-1].base != base {
		l.segments[n-1].drop()
		l.segments = l.segments[:n-1]
	}
	l.segments = append(l.segments[:len(l.segments):len(l.segments)], s)
	return nil
}

// SetHighWatermark says that what is below offset is durable, or as durable as is asked
// for. It does not go back, nor past the end.
func (l *Log) SetHighWatermark(offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.highWatermark = max(l.highWatermark, min(offset, l.next))
	l.restable()
}

// restable is called where the high watermark or transactions have changed.
func (l *Log) restable() { l.stable = l.producers.Stable(l.highWatermark) }

// Offsets are the ends of a log: its first offset, the ones after the last record, after
// the last durable one, and after the last one that is in no open transaction.
type Offsets struct{ Start, Next, HighWatermark, Stable int64 }

// Offsets returns the log's ends.
func (l *Log) Offsets() Offsets {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return Offsets{l.start, l.next, l.highWatermark, min(l.stable, l.highWatermark)}
}

// Size returns the bytes of all segments.
func (l *Log) Size() (n int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.segments {
		n += s.size
	}
	return n
}

// Unsaved returns how many bytes a log that is opened after a kill would read: those
// since the last Checkpoint.
func (l *Log) Unsaved() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.unsaved
}

// Producers returns what is known of producers, by id.
func (l *Log) Producers() []producer.Producer {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.producers.Producers()
}

// SetConfig changes the settings.
func (l *Log) SetConfig(c Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.config = c.withDefaults()
}

// Fail has the log append nothing more, as a sync of its data failed elsewhere. It
// returns the error with ErrFailed.
func (l *Log) Fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fail(err)
}

func (l *Log) fail(err error) error {
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return l.failed
}

// Failed returns why the log has failed, or nil.
func (l *Log) Failed() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.failed
}

// Close syncs and notes all, so that the log opens at once, and closes the files. A log
// that has failed is closed too, and says so.
func (l *Log) Close() error {
	l.maintenance.Lock()
	defer l.maintenance.Unlock()
	err := l.checkpoint(0)
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.failed, ErrClosed) {
		return nil
	}
	for _, s := range l.segments {
		err = errors.Join(err, s.file.Close())
	}
	l.failed = errors.Join(ErrClosed, l.failed)
	return err
}

// Kill closes the files and writes nothing, as if the process had died, or because the
// log is to be removed. When it has returned nothing is written any more.
func (l *Log) Kill() {
	l.mu.Lock()
	if !errors.Is(l.failed, ErrClosed) {
		l.failed = errors.Join(ErrClosed, l.failed)
		for _, s := range l.segments {
			_ = s.file.Close()
		}
	}
	l.mu.Unlock()
	l.compacting.Lock() // one that compacts meets closed files
	defer l.compacting.Unlock()
	l.maintenance.Lock()
	defer l.maintenance.Unlock()
}

func (l *Log) millis() int64 { return l.now().UnixMilli() }
