package event

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// NewID returns a UUIDv7 (RFC 9562) as text. The ids of one process ascend,
// also within a millisecond: the 12 bits after the time hold its fraction and
// step on when two calls meet.
func NewID() string {
	var id [16]byte
	if _, err := rand.Read(id[6:]); err != nil {
		panic("event: no randomness: " + err.Error()) // crypto/rand never returns one
	}
	stamp := nextStamp(time.Now())
	binary.BigEndian.PutUint64(id[:8], stamp>>12<<16|0x7<<12|stamp&0xfff)
	id[8] = id[8]&0x3f | 0x80
	return format(id)
}

var lastStamp struct {
	sync.Mutex
	value uint64
}

// nextStamp is the milliseconds since 1970 and 12 bits of their fraction,
// always above the one before.
func nextStamp(now time.Time) uint64 {
	nanos := uint64(now.UnixNano())
	stamp := nanos/1e6<<12 | (nanos%1e6)<<12/1e6
	lastStamp.Lock()
	defer lastStamp.Unlock()
	if stamp <= lastStamp.value {
		stamp = lastStamp.value + 1
	}
	lastStamp.value = stamp
	return stamp
}

func format(id [16]byte) string {
	var out [36]byte
	hex.Encode(out[0:8], id[0:4])
	hex.Encode(out[9:13], id[4:6])
	hex.Encode(out[14:18], id[6:8])
	hex.Encode(out[19:23], id[8:10])
	hex.Encode(out[24:36], id[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
