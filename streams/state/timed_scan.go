package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// timedEntry is one on disk; its slices are valid until the next.
type timedEntry struct {
	disk, key, value []byte
	a, b             int64
}

// span selects entries by their first time, both inclusive, and by keys: one, from <= key
// <= to, or all.
type span struct {
	key, from, to    []byte
	prefix           []byte
	timeFrom, timeTo int64
	reverse          bool
}

// has says that a key is within.
func (s span) has(key []byte) bool {
	if s.key != nil {
		return bytes.Equal(s.key, key)
	}
	if !bytes.HasPrefix(key, s.prefix) {
		return false
	}
	return (s.from == nil || bytes.Compare(key, s.from) >= 0) && (s.to == nil || bytes.Compare(key, s.to) <= 0)
}

func (s span) hasTime(a int64) bool { return s.timeFrom <= a && a <= s.timeTo }

// scan yields the entries of a span in the order of the disk. timeTo must not be far beyond
// the last entry, because every segment up to it is looked at.
func (l timedLayout) scan(r local.Reader, s span) iter.Seq2[timedEntry, error] {
	return func(yield func(timedEntry, error) bool) {
		if s.timeFrom > s.timeTo {
			return
		}
		for low, high := range l.ranges(s) {
			for p, err := range r.Scan(low, high, s.reverse) {
				if err != nil {
					yield(timedEntry{}, err)
					return
				}
				e := timedEntry{disk: p.Key, value: p.Value}
				e.key, e.a, e.b, err = l.parse(p.Key[min(l.headBytes(), len(p.Key)):])
				if err == nil && (!s.hasTime(e.a) || !s.has(e.key)) {
					continue
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// ranges are the bounds on disk to look at: all segments at once, or for keys one each.
func (l timedLayout) ranges(s span) iter.Seq2[[]byte, []byte] {
	return func(yield func(low, high []byte) bool) {
		bounds := func(segmentOf int64) (low, high []byte) {
			if s.key != nil {
				return l.one(segmentOf, s.key, s.timeFrom, s.timeTo)
			}
			return l.many(segmentOf, s.from, s.to, s.timeTo)
		}
		if l.interval == 0 {
			yield(bounds(0))
			return
		}
		if s.key == nil && s.from == nil && s.to == nil {
			low := l.head(nil, s.timeFrom)
			_, high := prefixBounds(l.head(nil, s.timeTo))
			yield(low, high)
			return
		}
		first, last := l.segment(s.timeFrom), l.segment(s.timeTo)
		for i := range last - first + 1 {
			n := first + i
			if s.reverse {
				n = last - i
			}
			if !yield(bounds(n * l.interval)) {
				return
			}
		}
	}
}

// observed reads the stream time noted in a space, -1 if none.
func observed(r local.Reader) (int64, error) {
	value, ok, err := r.Get(observedKey, nil)
	if err != nil || !ok {
		return -1, err
	}
	if len(value) != 8 {
		return -1, fmt.Errorf("%w: stream time %x", local.ErrCorrupt, value)
	}
	return int64(binary.BigEndian.Uint64(value)), nil
}
