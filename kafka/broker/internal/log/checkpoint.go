package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"

	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

const (
	checkpointFile    = "checkpoint"
	checkpointVersion = 1
	// maxCheckpoint bounds what is read: millions of producers.
	maxCheckpoint = 1 << 30
)

var errCheckpoint = errors.New("checkpoint is damaged")

// checkpoint is what is known to be on the disk: the segments with their sizes, of which
// the last one goes on, and the state after them.
type checkpoint struct {
	start, next, cleaned int64
	segments             []segmentState
	epochs               []EpochStart
	producers            []byte
}

type segmentState struct {
	segmentName
	size, next, maxTime, created, appended int64
}

func (c *checkpoint) encode() []byte {
	b := []byte{checkpointVersion}
	put := func(values ...int64) {
		for _, v := range values {
			b = binary.AppendVarint(b, v)
		}
	}
	put(c.start, c.next, c.cleaned, int64(len(c.segments)))
	for _, s := range c.segments {
		put(s.base, s.end, int64(s.gen), s.size, s.next, s.maxTime, s.created, s.appended)
	}
	put(int64(len(c.epochs)))
	for _, e := range c.epochs {
		put(int64(e.Epoch), e.Start)
	}
	b = append(b, c.producers...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeCheckpoint(b []byte) (*checkpoint, error) {
	n := len(b) - 4
	if n < 1 || b[0] != checkpointVersion || crc32.Checksum(b[:n], castagnoli) != binary.BigEndian.Uint32(b[n:]) {
		return nil, errCheckpoint
	}
	rest, bad := b[1:n], false
	get := func() int64 {
		v, n := binary.Varint(rest)
		if n <= 0 {
			rest, bad = nil, true
			return 0
		}
		rest = rest[n:]
		return v
	}
	c := &checkpoint{start: get(), next: get(), cleaned: get()}
	for range min(max(get(), 0), int64(len(rest))) {
		c.segments = append(c.segments, segmentState{segmentName{get(), get(), int(get())}, get(), get(), get(), get(), get()})
	}
	for range min(max(get(), 0), int64(len(rest))) {
		c.epochs = append(c.epochs, EpochStart{int32(get()), get()})
	}
	c.producers = rest
	if bad || len(c.segments) == 0 {
		return nil, errCheckpoint
	}
	return c, nil
}

// readCheckpoint returns nil where there is none.
func readCheckpoint(fsys vfs.FS, dir string) (*checkpoint, *producer.State, error) {
	b, err := vfs.ReadFile(fsys, dir+"/"+checkpointFile, maxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, producer.New(), nil
	}
	if err != nil {
		return nil, nil, err
	}
	c, err := decodeCheckpoint(b)
	if err != nil {
		return nil, nil, err
	}
	p, err := producer.Decode(c.producers)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errCheckpoint, err)
	}
	return c, p, nil
}

// Checkpoint syncs what was appended before the call and notes it, so that opening the
// log reads only what comes after. Appends go on meanwhile.
func (l *Log) Checkpoint() error {
	l.maintenance.Lock()
	defer l.maintenance.Unlock()
	return l.checkpoint(0)
}

// checkpoint is called with the maintenance lock. It raises the log start to start, once
// that is on the disk. Where only the note cannot be written, as on a full disk, the
// earlier one holds, and the log goes on.
func (l *Log) checkpoint(start int64) error {
	c, segments, err := l.capture(start)
	if err != nil {
		return err
	}
	if c.next > 0 { // a new log has nothing to sync
		if err := l.sync(c, segments); err != nil {
			return l.Fail(err)
		}
	}
	if err := vfs.WriteFile(l.fs, l.dir, checkpointFile, c.encode()); err != nil {
		return fmt.Errorf("checkpoint of %s: %w", l.dir, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start = max(l.start, c.start)
	l.unsaved -= l.captured
	return nil
}

// sync makes last what a checkpoint is to vouch for.
func (l *Log) sync(c *checkpoint, segments []*segment) error {
	for i, s := range segments {
		if size := c.segments[i].size; size > 0 && s.synced.Load() == size {
			continue
		}
		if err := s.file.Sync(); err != nil {
			return fmt.Errorf("sync %s: %w", s.path(segmentSuffix), err)
		}
		s.saveIndex(c.segments[i].size)
		s.synced.Store(c.segments[i].size)
	}
	if err := l.fs.SyncDir(l.dir); err != nil {
		return fmt.Errorf("sync %s: %w", l.dir, err)
	}
	return nil
}

// capture returns the state of this moment. The producers are those of its next offset.
func (l *Log) capture(start int64) (*checkpoint, []*segment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return nil, nil, l.failed
	}
	c := &checkpoint{start: max(l.start, start), next: l.next, cleaned: l.cleaned, producers: l.producers.Encode(nil)}
	c.epochs = append(c.epochs, l.epochs...)
	for _, s := range l.segments {
		c.segments = append(c.segments, segmentState{s.segmentName, s.size, s.next, s.maxTime, s.created, s.appended})
	}
	l.captured = l.unsaved
	return c, append([]*segment(nil), l.segments...), nil
}

// saveIndex writes the index of the first upTo bytes, which are synced.
func (s *segment) saveIndex(upTo int64) {
	s.mu.Lock()
	if s.idx == nil {
		s.mu.Unlock()
		return
	}
	x := *s.idx.cut(upTo)
	s.mu.Unlock()
	_ = writeIndex(s.fs, s.path(indexSuffix), &x)
}
