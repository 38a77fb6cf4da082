package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Keys of the database. Each space has a number, and its keys are that number (4 bytes,
// big-endian) and the store's own key. What is about spaces themselves is under 0:
//
//	0 'c' sub partition name  ->  number          the catalog
//	0 'o' number              ->  offset time id  of the changelog: see mark
//	0 'm'                     ->                  written when the database was made
const (
	madeKey       = "\x00m"
	catalogPrefix = "\x00c"
	offsetPrefix  = "\x00o"
	// Numbers below it would begin with the byte 0.
	firstNumber = 1 << 24
	lastNumber  = 1<<32 - 2
)

var errKey = errors.New("not a key of the catalog")

func catalogKey(t TaskID, store string) []byte {
	return append(taskPrefix(t), store...)
}

// taskPrefix begins the catalog's keys of one task.
func taskPrefix(t TaskID) []byte {
	b := append(make([]byte, 0, 32), catalogPrefix...)
	b = binary.BigEndian.AppendUint32(b, uint32(t.Sub)^1<<31)
	return binary.BigEndian.AppendUint32(b, uint32(t.Partition)^1<<31)
}

func parseCatalogKey(key []byte) (t TaskID, store string, err error) {
	const head = len(catalogPrefix)
	if len(key) < head+8 || string(key[:head]) != catalogPrefix {
		return t, "", errKey
	}
	t.Sub = int32(binary.BigEndian.Uint32(key[head:]) ^ 1<<31)
	t.Partition = int32(binary.BigEndian.Uint32(key[head+4:]) ^ 1<<31)
	return t, string(key[head+8:]), nil
}

func offsetKey(number uint32) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, 8), offsetPrefix...), number)
}

func encodeNumber(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// mark is how far a space goes in its changelog, and what it knows of that: the offset (8
// bytes, big-endian), Mark.AsOf (8 bytes, ms since 1970, 0 not known) and Mark.Topic. What has
// only the offset is read as well.
type mark struct {
	next int64 // -1: never written
	Mark
}

const markBytes = 8 + 8 + len(TopicID{})

func (m mark) encode() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, markBytes), uint64(m.next))
	asOf := int64(0)
	if !m.AsOf.IsZero() {
		asOf = m.AsOf.UnixMilli()
	}
	return append(binary.BigEndian.AppendUint64(b, uint64(asOf)), m.Topic[:]...)
}

func parseMark(b []byte) (m mark, err error) {
	if len(b) != 8 && len(b) != markBytes {
		return m, fmt.Errorf("%w: offset %x", ErrCorrupt, b)
	}
	m.next = int64(binary.BigEndian.Uint64(b))
	if len(b) == markBytes {
		if asOf := int64(binary.BigEndian.Uint64(b[8:])); asOf != 0 {
			m.AsOf = time.UnixMilli(asOf)
		}
		copy(m.Topic[:], b[16:])
	}
	return m, nil
}

// with is m after what a batch notes.
func (m mark) with(n noted) mark {
	if n.next >= 0 {
		m.next = n.next
	}
	if !n.asOf.IsZero() {
		m.AsOf = n.asOf
	}
	return m
}

// noted is what a batch notes of a space.
type noted struct {
	next int64 // -1: nothing
	asOf time.Time
}

// dataKey appends the database's key to dst.
func dataKey(dst []byte, number uint32, key []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, number), key...)
}

// dataBounds are the database's keys for from <= key < to, nil being the ends.
func dataBounds(number uint32, from, to []byte) (lower, upper []byte) {
	lower = dataKey(make([]byte, 0, 4+len(from)), number, from)
	if to == nil {
		return lower, encodeNumber(number + 1)
	}
	return lower, dataKey(make([]byte, 0, 4+len(to)), number, to)
}

// after is the first key behind all that begin with prefix.
func after(prefix []byte) []byte {
	b := append([]byte(nil), prefix...)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return b[:i+1]
		}
	}
	return nil
}
