package log

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// segmentName is a file of batches. Generation 0 is as received, without gaps, named by
// its first offset; later ones were rewritten, and take the place of all files of lower
// generations that begin in [base, end).
type segmentName struct {
	base, end int64 // end is 0 in generation 0
	gen       int
}

const segmentSuffix = ".log"

func (n segmentName) String() string {
	if n.gen == 0 {
		return fmt.Sprintf("%020d", n.base)
	}
	return fmt.Sprintf("%020d-%020d-%d", n.base, n.end, n.gen)
}

func parseSegmentName(file string) (n segmentName, ok bool) {
	stem, ok := strings.CutSuffix(file, segmentSuffix)
	if !ok {
		return n, false
	}
	parts := strings.Split(stem, "-")
	var err1, err2, err3 error
	n.base, err1 = strconv.ParseInt(parts[0], 10, 64)
	if len(parts) == 3 {
		n.end, err2 = strconv.ParseInt(parts[1], 10, 64)
		n.gen, err3 = strconv.Atoi(parts[2])
	}
	return n, err1 == nil && err2 == nil && err3 == nil && n.String() == stem
}

// segment is an open file of batches. The log's lock guards all but mu and what it guards.
type segment struct {
	segmentName
	fs   vfs.FS
	dir  string
	file vfs.File

	size    int64
	next    int64 // the offset after the last batch
	maxTime int64 // milliseconds since 1970; -1 without batches
	// created and appended are the broker's time of the first and of the last append.
	created, appended int64
	synced            atomic.Int64 // bytes that survive a power cut

	mu   sync.Mutex
	refs int
	dead bool
	idx  *index // nil where it is to be loaded
}

func (s *segment) path(suffix string) string { return s.dir + "/" + s.String() + suffix }

// acquire keeps the file open and there until release.
func (s *segment) acquire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refs++
}

func (s *segment) release() {
	s.mu.Lock()
	s.refs--
	last := s.dead && s.refs == 0
	s.mu.Unlock()
	if last {
		s.remove()
	}
}

// drop removes the files as soon as nobody reads them.
func (s *segment) drop() {
	s.acquire()
	s.mu.Lock()
	s.dead = true
	s.mu.Unlock()
	s.release()
}

// remove does not fail: files that stay are removed when the log is opened.
func (s *segment) remove() {
	_ = s.file.Close()
	_ = s.fs.Remove(s.path(segmentSuffix))
	_ = s.fs.Remove(s.path(indexSuffix))
}

const indexSuffix = ".index"

// index returns the index of a segment of that size, loaded or rebuilt where needed.
func (s *segment) index(size int64) (*index, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idx != nil {
		return s.idx, nil
	}
	x, err := readIndex(s.fs, s.path(indexSuffix))
	if err != nil || x.upTo != size {
		if x, err = s.rebuild(newIndex(), size); err != nil {
			return nil, err
		}
		_ = writeIndex(s.fs, s.path(indexSuffix), x)
	}
	s.idx = x
	return x, nil
}

// rebuild adds the batches after what the index describes, by their headers. Damaged ones
// are left out: who reads them is told.
func (s *segment) rebuild(x *index, upTo int64) (*index, error) {
	scan := newScanner(s.file, x.upTo, upTo, false)
	for next := s.base; scan.pos < upTo; {
		at := scan.pos
		h, _, err := scan.next()
		if err == nil && (at == 0 || next > s.base) {
			err = s.follows(next, h)
		}
		if errors.Is(err, errBad) {
			if at, err = nextBatch(s.file, at+1, upTo, next); err != nil {
				return nil, fmt.Errorf("%s: %w", s.path(segmentSuffix), err)
			}
			x.upTo, next = at, s.base
			scan = newScanner(s.file, at, upTo, false)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s at %d: %w", s.path(segmentSuffix), at, err)
		}
		next = h.NextOffset()
		x.add(s.base, h)
	}
	return x, nil
}

// unload frees the index's memory.
func (s *segment) unload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idx = nil
}

// find returns where to begin to look for offset, and the offset of the batch there.
func (s *segment) find(offset, size int64) (pos, first int64, err error) {
	x, err := s.index(size)
	if err != nil {
		return 0, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pos, first = x.byOffset(offset - s.base)
	return pos, first + s.base, nil
}

// findTime returns where to begin to look for a timestamp of at least ms.
func (s *segment) findTime(ms, size int64) (int64, error) {
	x, err := s.index(size)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return x.byTime(ms), nil
}

// follows checks that a batch is where offset next should be. The CRC does not cover a
// batch's offset. Only files that were rewritten have gaps.
func (n segmentName) follows(next int64, h batch.Header) error {
	if h.BaseOffset < next || n.gen == 0 && h.BaseOffset > next || n.gen > 0 && h.BaseOffset >= n.end {
		return fmt.Errorf("%w: offset %d where %d follows", errBad, h.BaseOffset, next)
	}
	return nil
}

// added takes in a batch that was written at the end.
func (s *segment) added(h batch.Header, now int64) {
	if s.size == 0 {
		s.created = now
	}
	s.mu.Lock()
	if s.idx != nil {
		s.idx.add(s.base, h)
	}
	s.mu.Unlock()
	s.size += int64(h.Size)
	s.next = h.NextOffset()
	s.maxTime = max(s.maxTime, h.MaxTimestamp)
	s.appended = now
}
