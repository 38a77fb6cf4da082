package log

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
)

// Batches are what a read found.
type Batches struct {
	Offsets
	// Data is whole batches, in the caller's buffer where that was large enough. The
	// first one may begin below the offset asked for.
	Data []byte
	// Aborted are the aborted transactions with records among them, of a read that
	// is committed.
	Aborted []producer.Aborted
}

// Read returns batches from an offset on, at most maxBytes of them, though at least one.
// They are below the high watermark, or where committed below the last stable offset.
// Nothing is found where offset is at that bound or past it, up to the log's end. It
// fails with ErrOffsetOutOfRange, and where a file cannot be read.
func (l *Log) Read(offset int64, maxBytes int, committed bool, buf []byte) (Batches, error) {
	return l.ReadInto(offset, maxBytes, committed, func(n int) []byte {
		if cap(buf) < n {
			buf = make([]byte, n)
		}
		return buf[:n]
	})
}

// ReadInto is Read with memory that is asked for when it is known how much is needed:
// room returns n bytes. It may be called more than once; what it returned before is not
// used any more then, and Data is a part of what it returned last.
func (l *Log) ReadInto(offset int64, maxBytes int, committed bool, room func(n int) []byte) (Batches, error) {
	view, err := l.view(offset, committed)
	if err != nil {
		return Batches{Offsets: view.Offsets}, err
	}
	defer view.release()
	result := Batches{Offsets: view.Offsets}
	for i, s := range view.segments {
		data, last, err := s.read(reading{offset, view.bound, view.nexts[i], maxBytes}, view.sizes[i], room)
		if err != nil {
			return Batches{Offsets: view.Offsets}, fmt.Errorf("read %s: %w", s.path(segmentSuffix), err)
		}
		if len(data) > 0 {
			result.Data = data
			result.Aborted = slices.DeleteFunc(view.aborted, func(a producer.Aborted) bool { return a.First > last })
			break
		}
	}
	return result, nil
}

// view is what a reader sees of the log, and keeps there until it is released.
type view struct {
	Offsets
	bound    int64
	segments []*segment
	sizes    []int64
	nexts    []int64
	maxTimes []int64
	aborted  []producer.Aborted
}

func (v *view) release() {
	for _, s := range v.segments {
		s.release()
	}
}

// view returns the segments from the one with offset on. They and the aborted
// transactions are of one moment: compaction removes both at once.
func (l *Log) view(offset int64, committed bool) (*view, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	v := &view{Offsets: Offsets{l.start, l.next, l.highWatermark, min(l.stable, l.highWatermark)}}
	if errors.Is(l.failed, ErrClosed) {
		return v, l.failed
	}
	if offset < l.start || offset > l.next {
		return v, fmt.Errorf("%w: %d, the log has %d to %d", ErrOffsetOutOfRange, offset, l.start, l.next)
	}
	v.bound = v.HighWatermark
	if committed {
		v.bound = v.Stable
	}
	if offset >= v.bound {
		return v, nil
	}
	i := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].base > offset })
	for _, s := range l.segments[max(i-1, 0):] {
		if s.base < v.bound && s.size > 0 {
			s.acquire()
			v.segments, v.sizes = append(v.segments, s), append(v.sizes, s.size)
			v.nexts, v.maxTimes = append(v.nexts, s.next), append(v.maxTimes, s.maxTime)
		}
	}
	if committed {
		v.aborted = l.producers.Between(offset, v.bound)
	}
	l.limitIndexes(v.segments)
	return v, nil
}

// maxIndexes is how many indexes of older segments stay in memory.
const maxIndexes = 8

// limitIndexes frees indexes of segments that are not read now, where they are many.
func (l *Log) limitIndexes(used []*segment) {
	if len(l.segments) <= maxIndexes {
		return
	}
	loaded := 0
	for _, s := range l.segments[:len(l.segments)-1] {
		s.mu.Lock()
		if s.idx != nil && s.synced.Load() == s.size {
			if loaded++; loaded > maxIndexes && (len(used) == 0 || s != used[0]) {
				s.idx = nil
			}
		}
		s.mu.Unlock()
	}
}

// reading is what a reader asks for: batches from an offset on that end below bound, at
// most maxBytes. The segment has offsets below end.
type reading struct {
	offset, bound, end int64
	maxBytes           int
}

// read returns those batches of the segment's first bytes, and their last offset.
func (s *segment) read(r reading, size int64, room func(int) []byte) ([]byte, int64, error) {
	pos, next, err := s.find(r.offset, size)
	if err != nil {
		return nil, 0, err
	}
	from, first := pos, next
	slack, passed := indexInterval, false
	for want := 0; pos < size; {
		n := min(int64(max(r.maxBytes+slack, want, batch.HeaderSize)), size-pos)
		buf := room(int(n))
		got, err := s.file.ReadAt(buf, pos)
		if int64(got) < n {
			return nil, 0, noEOF(err)
		}
		p := s.pick(buf, next, r)
		switch {
		case p.to > p.from:
			return buf[p.from:p.to], p.last, nil
		case p.done:
			return nil, 0, nil
		}
		pos, next = pos+int64(p.from), p.next
		if want, slack = p.want, 0; p.err == nil && pos != size && int64(want) > size-pos {
			p.err = fmt.Errorf("%w: %d bytes, and %d are left", batch.ErrShort, want, size-pos)
		}
		if p.err != nil {
			bad := fmt.Errorf("at %d: %w", pos, p.err)
			if passed {
				return nil, 0, bad
			}
			if pos, next, err = s.past(from, first, r, size); err != nil {
				return nil, 0, errors.Join(bad, err)
			}
			want, passed = 0, true
		}
	}
	return nil, 0, nil
}

// past finds the first batch from pos on that ends past the reader's offset, where some are
// damaged: those before the offset are passed over. The offset of the batch at pos is next.
func (s *segment) past(pos, next int64, r reading, size int64) (int64, int64, error) {
	damaged := false
	for {
		at, err := nextBatch(s.file, pos, size, next)
		if err != nil {
			return 0, 0, err
		}
		if at == size {
			return 0, 0, fmt.Errorf("%w: there is no batch of offset %d", batch.ErrCorrupt, r.offset)
		}
		h, err := readHeader(s.file, at)
		if err != nil {
			return 0, 0, err
		}
		damaged = damaged || at > pos
		if h.NextOffset() > r.end || !damaged && s.follows(next, h) != nil {
			pos, damaged = at+1, true // the CRC does not cover the offset
			continue
		}
		if damaged && next <= r.offset && r.offset < h.BaseOffset {
			return 0, 0, fmt.Errorf("%w: the batches of offsets %d to %d are no more", batch.ErrCorrupt, next, h.BaseOffset-1)
		}
		if h.LastOffset() >= r.offset {
			return at, h.BaseOffset, nil
		}
		pos, next, damaged = at+int64(h.Size), h.NextOffset(), false
	}
}

func readHeader(f io.ReaderAt, at int64) (batch.Header, error) {
	b := make([]byte, batch.HeaderSize)
	if n, err := f.ReadAt(b, at); n < len(b) {
		return batch.Header{}, noEOF(err)
	}
	return batch.Parse(b)
}

func noEOF(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// picked is a part of a buffer. Where it is empty and nothing is done, the buffer ended
// before from was a whole batch, which has want bytes.
type picked struct {
	from, to, want int
	last           int64
	next           int64 // the offset of the batch at from, at least
	done           bool
	err            error
}

// pick looks for batches from an offset on. The first one in b has the offset next.
func (n segmentName) pick(b []byte, next int64, r reading) (p picked) {
	p.next = next
	for at := 0; ; {
		if len(b)-at < batch.HeaderSize {
			p.want = batch.HeaderSize
			return p
		}
		h, err := batch.Parse(b[at:])
		if err == nil {
			err = n.follows(next, h)
		}
		if err == nil && h.NextOffset() > r.end {
			err = fmt.Errorf("%w: offsets %d to %d, and the segment ends at %d", batch.ErrCorrupt, h.BaseOffset, h.LastOffset(), r.end)
		}
		if err == nil && h.Size > maxBatch {
			err = fmt.Errorf("%w: %d bytes", batch.ErrCorrupt, h.Size)
		}
		if err != nil {
			if p.to == 0 { // else it is for the next read
				p.err = err
			}
			return p
		}
		next = h.NextOffset()
		if h.LastOffset() >= r.bound {
			p.done = true
			return p
		}
		wanted := h.LastOffset() >= r.offset
		if wanted && p.to > 0 && at+h.Size-p.from > r.maxBytes {
			return p
		}
		if h.Size > len(b)-at {
			if !wanted && p.to == 0 {
				p.from, p.next = at+h.Size, next // past the buffer: skipped unread
				return p
			}
			p.want = h.Size
			return p
		}
		at += h.Size
		if wanted {
			p.to, p.last = at, h.LastOffset()
		} else {
			p.from, p.next = at, next
		}
	}
}
