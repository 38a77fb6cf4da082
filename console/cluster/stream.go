package cluster

import (
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kgo"
)

// stream goes through [low, high) of one partition, in either direction. low (high,
// backwards) moves with what was shown or did not match, so that it is where the
// next page begins.
type stream struct {
	partition int32
	low, high int64
	back      bool

	// chunk was read and not looked at yet; it covers [chunkLow, chunkHigh), and
	// has all of that once at has come to chunkHigh.
	chunk               []*kgo.Record
	chunkLow, chunkHigh int64
	at                  int64
	reading             bool

	// head is the next match, not shown yet.
	head *api.Message

	// window is how many offsets to read at once backwards; size is what a record
	// takes, as seen so far.
	window int64
	size   int64
	// idle counts reads that came no further, since the first of them; broken says why it
	// cannot be read.
	idle   int
	since  time.Time
	broken error
}

// Bytes to ask a partition for at once.
const (
	chunkBytes    = 1 << 20
	chunkMinBytes = 16 << 10
)

// A broker may answer with nothing where there is something, as long as it does not know
// the place of its last stable record in the file, and a busy one takes its time for that. So
// a few answers must say it, each with more time than the one before, and for a while.
const (
	idleReads = 4
	idleStep  = 50 * time.Millisecond
	idleTime  = 2 * time.Second
)

func (s *stream) done() bool { return s.head == nil && s.low >= s.high }

// wants says that the stream has to read before it can tell its next match.
func (s *stream) wants() bool {
	return s.head == nil && len(s.chunk) == 0 && s.low < s.high && s.broken == nil || s.reading && s.broken == nil
}

// ask is the next read. Backwards it takes a small window first, which grows: the
// last message may be large.
func (s *stream) ask(share int32) ask {
	if !s.reading {
		s.reading = true
		s.chunkLow, s.chunkHigh = s.low, s.high
		if s.back {
			s.window = s.nextWindow()
			s.chunkLow = max(s.low, s.high-s.window)
		}
		s.at = s.chunkLow
	}
	maxBytes := int64(share)
	if s.back && s.size > 0 {
		maxBytes = min(maxBytes, max(2*s.size*(s.chunkHigh-s.at), chunkMinBytes))
	}
	return ask{partition: s.partition, offset: s.at, maxBytes: int32(maxBytes), patience: time.Duration(min(s.idle, 2*idleReads)) * idleStep}
}

func (s *stream) nextWindow() int64 {
	const growth, most = 8, 100_000
	next := min(max(s.window*growth, 1), most)
	if s.size > 0 {
		next = min(next, max(chunkBytes/s.size, 1))
	}
	return next
}

// got takes what was read. Forwards any progress will do, backwards the window must
// be whole, because its end comes first. dry says that no partition got anything: a
// partition alone may get nothing because others filled the answer.
func (s *stream) got(f fetched, dry bool, now time.Time) {
	if f.err != nil {
		s.broken = f.err
		s.drop()
		return
	}
	for _, r := range f.records {
		if r.Offset < s.chunkHigh {
			s.chunk = append(s.chunk, r)
		}
	}
	if n := int64(len(f.records)); n > 0 {
		s.size = max(int64(f.bytes)/n, 1)
	}
	switch {
	case f.next > s.at:
		s.at, s.idle = min(f.next, s.chunkHigh), 0
	case dry:
		if s.idle++; s.idle == 1 {
			s.since = now
		}
	}
	if s.idle > idleReads && now.Sub(s.since) >= idleTime { // nothing is there up to the end: its records were removed
		s.at, s.idle = s.chunkHigh, 0
	}
	if s.at >= s.chunkHigh || !s.back && s.at > s.chunkLow {
		s.reading = false
		s.chunkHigh = s.at
		s.settle()
	}
}

// drop forgets a window that is not whole.
func (s *stream) drop() {
	if s.reading && s.back {
		s.chunk = nil
	}
	s.reading = false
}

// next is the next record to look at; nil where more must be read first.
func (s *stream) next() *kgo.Record {
	if len(s.chunk) == 0 || s.reading {
		return nil
	}
	if s.back {
		return s.chunk[len(s.chunk)-1]
	}
	return s.chunk[0]
}

// pass goes past the record that next gave.
func (s *stream) pass(offset int64) {
	if s.back {
		s.chunk = s.chunk[:len(s.chunk)-1]
		s.high = offset
	} else {
		s.chunk[0] = nil
		s.chunk = s.chunk[1:]
		s.low = offset + 1
	}
	s.settle()
}

// settle goes past a chunk that has nothing more.
func (s *stream) settle() {
	if len(s.chunk) > 0 {
		return
	}
	if s.back {
		s.high = s.chunkLow
	} else {
		s.low = s.chunkHigh
	}
}

// restart goes on at the start of a log that was cut while it was read.
func (s *stream) restart(start int64) {
	s.low, s.high = max(s.low, start), max(s.high, start)
	s.chunk, s.reading, s.broken = nil, false, nil
}

// place is where the next page begins.
func (s *stream) place() partitionOffset {
	if s.back {
		return partitionOffset{s.partition, s.high}
	}
	return partitionOffset{s.partition, s.low}
}

// before says which of two heads is shown first: by time, then partition; backwards
// the other way around.
func (s *stream) before(o *stream) bool {
	a, b := s.head, o.head
	if s.back {
		a, b = b, a
	}
	if !a.Timestamp.Equal(b.Timestamp) {
		return a.Timestamp.Before(b.Timestamp)
	}
	return a.Partition < b.Partition
}
