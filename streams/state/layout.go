package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The regions of a space with times.
const (
	observedRegion = 0 // stream time
	dataRegion     = 1
	sequenceRegion = 2 // of duplicates, where there is no changelog
)

// timedLayout is that of stores with times. In the changelog a key is followed by its times, as in
// Kafka Streams; on disk segments of time come before it, so that what has expired is
// one range.
type timedLayout struct {
	// interval is the length of a segment in ms; 0 has none.
	interval int64
	// second is the length of the second time or sequence: 4 of windows, 8 of sessions, 0 of
	// versions.
	second int
	key    func(key []byte) string // for errors
}

// suffix is the length of what follows the key.
func (l timedLayout) suffix() int { return 8 + l.second }

func (l timedLayout) segment(a int64) int64 { return a / l.interval }

func (l timedLayout) disk(dst []byte, key string, a, b int64) []byte {
	return l.times(append(l.head(dst, a), key...), a, b)
}

// head is what comes before the key.
func (l timedLayout) head(dst []byte, a int64) []byte {
	dst = append(dst, dataRegion)
	if l.interval > 0 {
		dst = binary.BigEndian.AppendUint64(dst, uint64(l.segment(a)))
	}
	return dst
}

func (l timedLayout) headBytes() int {
	if l.interval > 0 {
		return 9
	}
	return 1
}

func (l timedLayout) times(dst []byte, a, b int64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(a))
	switch l.second {
	case 4:
		dst = binary.BigEndian.AppendUint32(dst, uint32(b))
	case 8:
		dst = binary.BigEndian.AppendUint64(dst, uint64(b))
	}
	return dst
}

// log is the key in the changelog; that of a version is the plain key.
func (l timedLayout) log(dst []byte, key string, a, b int64) []byte {
	dst = append(dst, key...)
	if l.second == 0 {
		return dst
	}
	return l.times(dst, a, b)
}

func (l timedLayout) show(key string, a, b int64) string {
	switch l.second {
	case 8:
		return fmt.Sprintf("%s, session %d to %d", l.key([]byte(key)), b, a)
	case 4:
		return fmt.Sprintf("%s, window of %d", l.key([]byte(key)), a)
	}
	return fmt.Sprintf("%s, version of %d", l.key([]byte(key)), a)
}

// parse splits a key of the changelog, or one on disk after its head.
func (l timedLayout) parse(data []byte) (key []byte, a, b int64, err error) {
	n := len(data) - l.suffix()
	if n < 0 {
		return nil, 0, 0, fmt.Errorf("expected a key and %d bytes of times, got %d bytes", l.suffix(), len(data))
	}
	a = int64(binary.BigEndian.Uint64(data[n:]))
	switch l.second {
	case 4:
		b = int64(binary.BigEndian.Uint32(data[n+8:]))
	case 8:
		b = int64(binary.BigEndian.Uint64(data[n+8:]))
	}
	if a < 0 || b < 0 {
		return nil, 0, 0, fmt.Errorf("the time %d is negative", min(a, b))
	}
	return data[:n], a, b, nil
}

// last follows the last possible second time.
var last = bytes.Repeat([]byte{0xff}, 9)

// one are the bounds on disk of a key within a segment: low is included, high is not.
func (l timedLayout) one(segmentOf int64, key []byte, from, to int64) (low, high []byte) {
	head := append(l.head(make([]byte, 0, 9+len(key)+17), segmentOf), key...)
	low = binary.BigEndian.AppendUint64(bytes.Clone(head), uint64(from))
	high = append(binary.BigEndian.AppendUint64(head, uint64(to)), last...)
	return low, high
}

// many are the bounds on disk of the keys from <= key <= to within a segment; nil bounds are
// its ends. Keys of different lengths interleave with times: what is between the
// bounds may have other keys.
func (l timedLayout) many(segmentOf int64, from, to []byte, timeTo int64) (low, high []byte) {
	low = append(l.head(nil, segmentOf), from...)
	if to == nil {
		_, high = prefixBounds(l.head(nil, segmentOf))
		return low, high
	}
	var end []byte // the highest of to, and of the keys that to begins with
	for n := range len(to) + 1 {
		at := append(binary.BigEndian.AppendUint64(bytes.Clone(to[:n]), uint64(timeTo)), last...)
		if bytes.Compare(at, end) > 0 {
			end = at
		}
	}
	return low, append(l.head(nil, segmentOf), end...)
}

// observedKey has stream time in a space: 8 bytes, big-endian.
var observedKey = []byte{observedRegion}
