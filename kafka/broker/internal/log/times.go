package log

import (
	"errors"
	"fmt"
	"io"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
)

// maxDecompressed bounds the memory of looking into one batch.
const maxDecompressed = 256 << 20

// Found is a record's place. Offset is -1 where there is none.
type Found struct {
	Offset, Timestamp int64
	LeaderEpoch       int32
}

var notFound = Found{-1, -1, -1}

// ByTime returns the first record, in order of offsets, with a timestamp of at least ms
// milliseconds, below the high watermark or where committed below the last stable offset.
func (l *Log) ByTime(ms int64, committed bool) (Found, error) {
	return l.search(committed, func(v *view) (Found, error) {
		for i, s := range v.segments {
			if v.maxTimes[i] < ms {
				continue
			}
			found, err := s.byTime(ms, v.Start, v.bound, v.sizes[i])
			if err != nil || found.Offset >= 0 {
				return found, err
			}
		}
		return notFound, nil
	})
}

// MaxTimestamp returns the first record that has the largest timestamp, within the same
// bounds.
func (l *Log) MaxTimestamp(committed bool) (Found, error) {
	return l.search(committed, func(v *view) (Found, error) {
		best := notFound
		for i, s := range v.segments {
			if v.maxTimes[i] <= best.Timestamp {
				continue
			}
			largest, err := s.largest(v.Start, v.bound, v.sizes[i], v.maxTimes[i])
			if err != nil {
				return notFound, err
			}
			if largest <= best.Timestamp {
				continue
			}
			if best, err = s.byTime(largest, v.Start, v.bound, v.sizes[i]); err != nil {
				return notFound, err
			}
		}
		return best, nil
	})
}

func (l *Log) search(committed bool, find func(*view) (Found, error)) (Found, error) {
	v, err := l.view(l.Offsets().Start, committed)
	if errors.Is(err, ErrOffsetOutOfRange) { // the start was raised in between
		v, err = l.view(l.Offsets().Start, committed)
	}
	if err != nil {
		return notFound, err
	}
	defer v.release()
	found, err := find(v)
	if err == nil && found.Offset >= 0 {
		l.mu.RLock()
		found.LeaderEpoch = l.epochAt(found.Offset)
		l.mu.RUnlock()
	}
	return found, err
}

func (s *segment) byTime(ms, start, bound, size int64) (Found, error) {
	pos, err := s.findTime(ms, size)
	if err != nil {
		return notFound, err
	}
	for scan := newScanner(s.file, pos, size, false); ; {
		at := scan.pos
		h, _, err := scan.next()
		if err == io.EOF || err == nil && h.LastOffset() >= bound {
			return notFound, nil
		}
		if err != nil {
			return notFound, fmt.Errorf("%s at %d: %w", s.path(segmentSuffix), at, err)
		}
		if h.MaxTimestamp < ms || h.LastOffset() < start || h.Count == 0 {
			continue
		}
		found, err := s.record(at, h, ms, start)
		if err != nil || found.Offset >= 0 {
			return found, err
		}
	}
}

// record returns the first record of a batch with a timestamp of at least ms.
func (s *segment) record(at int64, h batch.Header, ms, start int64) (Found, error) {
	if h.LogAppendTime() && h.BaseOffset >= start {
		return Found{h.BaseOffset, h.MaxTimestamp, h.LeaderEpoch}, nil
	}
	b := make([]byte, h.Size)
	if n, err := s.file.ReadAt(b, at); n < len(b) {
		return notFound, noEOF(err)
	}
	found := notFound
	err := batch.Times(b, maxDecompressed, func(offset, timestamp int64) bool {
		if timestamp >= ms && offset >= start {
			found = Found{offset, timestamp, h.LeaderEpoch}
		}
		return found.Offset < 0
	})
	return found, err
}

// largest returns the largest timestamp within bounds, -1 without records. hint is that
// of the whole segment, at which the search may end.
func (s *segment) largest(start, bound, size, hint int64) (int64, error) {
	if found, err := s.byTime(hint, start, bound, size); err != nil || found.Offset >= 0 {
		return hint, err
	}
	best := int64(-1)
	for scan := newScanner(s.file, 0, size, false); ; {
		at := scan.pos
		h, _, err := scan.next()
		if err == io.EOF || err == nil && h.LastOffset() >= bound {
			return best, nil
		}
		if err != nil {
			return -1, fmt.Errorf("%s at %d: %w", s.path(segmentSuffix), at, err)
		}
		if h.BaseOffset >= start && h.Count > 0 {
			best = max(best, h.MaxTimestamp)
		}
	}
}
