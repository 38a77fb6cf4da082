package local

import (
	"github.com/cockroachdb/pebble/v2"
)

// Size is what the space takes on disk; what is not flushed yet does not count.
func (s *diskSpace) Size() (n int64) {
	p := s.at.Load()
	if p.engine.enter() != nil {
		return 0
	}
	defer p.engine.leave()
	var err error
	defer p.engine.guard(&err)
	lower, upper := dataBounds(p.number, nil, nil)
	bytes, err := p.engine.db.EstimateDiskUsage(lower, upper)
	if p.engine.failed(err) != nil {
		return 0
	}
	return int64(bytes)
}

// countExactly is how many keys are counted one by one; of more the number is estimated.
const countExactly = 10_000

// Keys counts a small space, and estimates a larger one from its tables, where a key that was
// changed counts as often as tables have it.
func (s *diskSpace) Keys() int64 {
	p := s.at.Load()
	n := int64(0)
	complete := true
	p.scan(p.engine.db, nil, nil, false, func(_ Pair, err error) bool {
		n++
		complete = err == nil && n <= countExactly
		return complete
	})
	if complete {
		return n
	}
	return max(p.estimateKeys(), n)
}

func (p *place) estimateKeys() (n int64) {
	if p.engine.enter() != nil {
		return -1
	}
	defer p.engine.leave()
	var err error
	defer p.engine.guard(&err)
	lower, upper := dataBounds(p.number, nil, nil)
	levels, err := p.engine.db.SSTables(pebble.WithProperties(), pebble.WithKeyRangeFilter(lower, upper))
	if p.engine.failed(err) != nil {
		return -1
	}
	for _, tables := range levels {
		for _, t := range tables {
			entries := int64(t.Properties.NumEntries) - 2*int64(t.Properties.NumDeletions)
			if !p.holds(t) {
				entries /= 2 // shared with neighbours
			}
			n += max(entries, 0)
		}
	}
	return n
}

// holds says that all keys of a table are the space's.
func (p *place) holds(t pebble.SSTableInfo) bool {
	prefix := string(encodeNumber(p.number))
	of := func(key []byte) bool { return len(key) >= 4 && string(key[:4]) == prefix }
	return of(t.Smallest.UserKey) && of(t.Largest.UserKey)
}
