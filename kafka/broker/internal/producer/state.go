// Package producer is what a partition knows of its idempotent and transactional
// producers: the last batches of each, so that a retry is answered and not appended;
// open transactions and aborted ones, which bound and filter what read_committed sees.
// It does no I/O and is not safe for concurrent use: the partition's log holds it.
package producer

import (
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
)

// remembered is how many batches of a producer are known: as many as a client may have
// in flight.
const remembered = 5

// none is an offset or an epoch that is not there.
const none = -1

// State is a partition's producers. Offsets are those of the partition's log, times
// milliseconds since 1970.
type State struct {
	producers map[int64]*entry
	open      map[int64]*entry // those with an open transaction
	// ended are transactions whose marker may not be acknowledged yet, by marker.
	ended   []span
	aborted []Aborted
}

// entry is one producer.
type entry struct {
	epoch            int16
	coordinatorEpoch int32
	first            int64 // of the open transaction, or none
	seen             int64 // when it last appended
	batches          []sequences
}

// sequences are a batch's first and last one, and its offsets.
type sequences struct {
	first, last        int32
	offset, lastOffset int64
}

// span is a transaction's first offset and that of its marker.
type span struct{ first, marker int64 }

// Aborted is a transaction that was aborted: the first offset, and that of its marker.
type Aborted struct{ ProducerID, First, Last int64 }

// New makes a state without producers.
func New() *State { return &State{producers: map[int64]*entry{}, open: map[int64]*entry{}} }

// Appended takes in a data batch that was appended at its base offset, at the time now.
// The batch was checked before, or comes from the log itself.
func (s *State) Appended(h batch.Header, now int64) {
	if !h.Idempotent() || h.Control() {
		return
	}
	e := s.entry(h.ProducerID)
	e.raise(h.ProducerEpoch)
	e.seen = max(e.seen, now)
	if len(e.batches) == remembered {
		e.batches = slices.Delete(e.batches, 0, 1)
	}
	e.batches = append(e.batches, sequences{h.BaseSequence, h.LastSequence(), h.BaseOffset, h.LastOffset()})
	if h.Transactional() && e.first == none {
		e.first = h.BaseOffset
		s.open[h.ProducerID] = e
	}
}

func (s *State) entry(id int64) *entry {
	e := s.producers[id]
	if e == nil {
		e = &entry{epoch: none, coordinatorEpoch: none, first: none}
		s.producers[id] = e
	}
	return e
}

// raise begins a new epoch, whose sequences begin again.
func (e *entry) raise(epoch int16) {
	if epoch != e.epoch {
		e.epoch, e.batches = epoch, nil
	}
}

// Ended takes in a marker that was appended at offset, at the time now.
func (s *State) Ended(m batch.Marker, offset, now int64) {
	e := s.entry(m.ProducerID)
	e.raise(m.ProducerEpoch)
	e.coordinatorEpoch = m.CoordinatorEpoch
	e.seen = max(e.seen, now)
	if e.first == none {
		return
	}
	s.ended = append(s.ended, span{e.first, offset})
	if !m.Commit {
		s.aborted = append(s.aborted, Aborted{m.ProducerID, e.first, offset})
	}
	e.first = none
	delete(s.open, m.ProducerID)
}

// Stable returns the last stable offset: the first offset of the earliest transaction
// that is open, or whose marker is not below the high watermark; highWatermark where
// there is none.
func (s *State) Stable(highWatermark int64) int64 {
	s.ended = slices.DeleteFunc(s.ended, func(t span) bool { return t.marker < highWatermark })
	stable := highWatermark
	for _, t := range s.ended {
		stable = min(stable, t.first)
	}
	for _, e := range s.open {
		stable = min(stable, e.first)
	}
	return stable
}

// Open says whether a producer has an open transaction, and where that begins.
func (s *State) Open(id int64) (first int64, ok bool) {
	e := s.producers[id]
	if e == nil || e.first == none {
		return none, false
	}
	return e.first, true
}

// Between returns the aborted transactions with data in [from, to), by marker.
func (s *State) Between(from, to int64) []Aborted {
	i, _ := slices.BinarySearchFunc(s.aborted, from, func(a Aborted, from int64) int { return int(min(max(a.Last-from, -1), 1)) })
	var found []Aborted
	for _, a := range s.aborted[i:] {
		if a.First < to {
			found = append(found, a)
		}
	}
	return found
}

// Forget drops aborted transactions that ended below offset: their data is gone.
func (s *State) Forget(offset int64) {
	i, _ := slices.BinarySearchFunc(s.aborted, offset, func(a Aborted, offset int64) int { return int(min(max(a.Last-offset, -1), 1)) })
	s.aborted = slices.Clone(s.aborted[i:])
}

// Expire drops producers that have appended nothing since the time before and have no
// open transaction. It returns how many.
func (s *State) Expire(before int64) int {
	n := len(s.producers)
	for id, e := range s.producers {
		if e.seen < before && e.first == none {
			delete(s.producers, id)
		}
	}
	return n - len(s.producers)
}

// Len returns how many producers there are.
func (s *State) Len() int { return len(s.producers) }

// Lasts returns the last offset of each producer's last batch, whose sequence must stay
// in the log, through compaction too.
func (s *State) Lasts() map[int64]int64 {
	lasts := make(map[int64]int64, len(s.producers))
	for id, e := range s.producers {
		if n := len(e.batches); n > 0 {
			lasts[id] = e.batches[n-1].lastOffset
		}
	}
	return lasts
}

// Producer is what DescribeProducers tells of one.
type Producer struct {
	ID               int64
	Epoch            int16
	LastSequence     int32 // -1: none in this epoch
	LastTimestamp    int64 // milliseconds since 1970, when it last appended
	CoordinatorEpoch int32
	OpenFirst        int64 // of its open transaction, -1 without one
}

// Producers returns all, by id.
func (s *State) Producers() []Producer {
	all := make([]Producer, 0, len(s.producers))
	for id, e := range s.producers {
		p := Producer{id, e.epoch, none, e.seen, e.coordinatorEpoch, e.first}
		if n := len(e.batches); n > 0 {
			p.LastSequence = e.batches[n-1].last
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Producer) int { return int(min(max(a.ID-b.ID, -1), 1)) })
	return all
}
