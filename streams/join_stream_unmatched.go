package streams

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/serde"
)

// joinTimes are what the two sides of a left or outer join know of time together.
type joinTimes struct {
	stream int64
	// min is a time before which no record waits; it may be later than that of one that
	// waits, which is then emitted later. The order of results depends on it, so it is kept
	// by Kafka Streams' rules.
	min int64
}

func (t *joinTimes) advance(timestamp int64) { t.stream = max(t.stream, timestamp) }

// unmatched holds the records of a left or outer join that have met none of the other side
// and may still do so. Both sides have one, with the store in common.
type unmatched[K, O any] struct {
	times                *joinTimes
	store                *pendingStore
	before, after, grace int64 // ms, of the join's windows
	keys                 serde.Serde[K]
	// alone makes the result of a record of the left or the right side from its bytes.
	alone func(left bool, value []byte) (O, error)
	key   []byte // reused
}

// The store's keys are the time, the side and the key; its values the values of the records
// that have these in common. Both formats are Kafka Streams'.
const (
	rightSide = 0
	leftSide  = 1
)

func (u *unmatched[K, O]) encode(key K, timestamp int64, left bool) error {
	side := byte(rightSide)
	if left {
		side = leftSide
	}
	u.key = append(binary.BigEndian.AppendUint64(u.key[:0], uint64(timestamp)), side)
	var err error
	u.key, err = u.keys.Append(u.key, key)
	return err
}

// add lets a record wait.
func (u *unmatched[K, O]) add(key K, timestamp int64, left bool, value []byte) error {
	u.times.min = min(u.times.min, timestamp)
	if err := u.encode(key, timestamp, left); err != nil {
		return err
	}
	old, found, err := u.store.get(u.key)
	if err != nil {
		return err
	}
	list := appendToList(slices.Clone(old), u.key[8], value)
	if !found {
		old = nil
	}
	return u.store.put(u.key, old, list)
}

// drop forgets the waiting records of that key, time and side, which have met one.
func (u *unmatched[K, O]) drop(key K, timestamp int64, left bool) error {
	if n, err := u.store.len(); n == 0 || err != nil {
		return err
	}
	if err := u.encode(key, timestamp, left); err != nil {
		return err
	}
	return u.store.delete(u.key)
}

// emit sends the results of records whose window has closed. after is that of the side
// that moves time.
func (u *unmatched[K, O]) emit(after int64, headers []kgo.RecordHeader, next receiver[K, O]) error {
	if u.times.min+after+u.grace >= u.times.stream {
		return nil
	}
	due, err := u.due()
	if err != nil {
		return err
	}
	for _, key := range due {
		if err := u.emitOne(key, headers, next); err != nil {
			return err
		}
	}
	return nil
}

// due are the keys of records whose window has closed, in order. Those of a side are
// in order of time, so the first that is open ends the search of its side.
func (u *unmatched[K, O]) due() (keys []string, err error) {
	var leftOpen, rightOpen bool
	var failed error
	u.times.min = math.MaxInt64
	err = u.store.ascend(func(key string) bool {
		timestamp, left := int64(binary.BigEndian.Uint64([]byte(key[:8]))), key[8] == leftSide
		u.times.min = timestamp
		if leftOpen && rightOpen {
			return false
		}
		apart := u.before
		if left {
			apart = u.after
		}
		switch {
		case timestamp+apart+u.grace < u.times.stream:
			keys = append(keys, key)
		case left:
			leftOpen = true
		default:
			rightOpen = true
		}
		if !leftOpen || !rightOpen {
			return true
		}
		// It ends with the next record, which may be of the same time, side and key.
		var several bool
		several, failed = u.several(key)
		return !several && failed == nil
	})
	return keys, errors.Join(err, failed)
}

// several says whether more than one record waits with that key.
func (u *unmatched[K, O]) several(key string) (bool, error) {
	list, _, err := u.store.get([]byte(key))
	if err == nil && len(list) < listHeader {
		err = errList
	}
	return err == nil && binary.BigEndian.Uint32(list[1:]) > 1, err
}

func (u *unmatched[K, O]) emitOne(pending string, headers []kgo.RecordHeader, next receiver[K, O]) error {
	bytes := []byte(pending)
	key, err := u.keys.Decode(bytes[9:])
	if err != nil {
		return err
	}
	list, _, err := u.store.get(bytes)
	if err != nil {
		return err
	}
	if err := u.store.delete(bytes); err != nil {
		return err
	}
	r := Record[K, O]{Key: key, Timestamp: int64(binary.BigEndian.Uint64(bytes)), Headers: headers}
	return eachInList(list, func(value []byte) error {
		if len(value) == 0 {
			return errList
		}
		if r.Value, err = u.alone(value[0] == leftSide, value[1:]); err != nil {
			return err
		}
		return next(r)
	})
}

// A list of values is that of Kafka's ListSerializer for entries of any length: a byte for
// that, 4 of the number, and 4 of its length before each entry. An entry begins with the
// side it is of.
const (
	listOfAnyLength = 1
	listHeader      = 5
)

var errList = errors.New("the list of unmatched records is damaged")

func appendToList(list []byte, side byte, value []byte) []byte {
	if len(list) < listHeader {
		list = append(list[:0], listOfAnyLength, 0, 0, 0, 0)
	}
	binary.BigEndian.PutUint32(list[1:], binary.BigEndian.Uint32(list[1:])+1)
	list = binary.BigEndian.AppendUint32(list, uint32(1+len(value)))
	return append(append(list, side), value...)
}

func eachInList(list []byte, f func(value []byte) error) error {
	if len(list) < listHeader {
		return errList
	}
	for list = list[listHeader:]; len(list) > 0; {
		if len(list) < 4 {
			return errList
		}
		n := int(binary.BigEndian.Uint32(list))
		if n > len(list)-4 {
			return errList
		}
		if err := f(list[4 : 4+n]); err != nil {
			return err
		}
		list = list[4+n:]
	}
	return nil
}
