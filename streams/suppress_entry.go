package streams

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"
)

// suppressed is a change that waits, as it is stored. Its bytes are those of Kafka Streams'
// suppression buffers: the record's time, offset, topic, partition and headers, the value
// before the first change that waits, the one before the latest, the latest, and until when
// it waits. Values are nil for none.
type suppressed struct {
	timestamp   int64
	offset      int64
	topic       string
	partition   int32
	headers     []kgo.RecordHeader
	prior       []byte
	old, latest []byte
	until       int64
}

const (
	noBytes   = -1 // the length of what is null
	samePrior = -2 // the length of old where it equals prior
)

func (s *suppressed) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(s.timestamp))
	b = binary.BigEndian.AppendUint64(b, uint64(s.offset))
	b = appendSized(b, []byte(s.topic))
	b = binary.BigEndian.AppendUint32(b, uint32(s.partition))
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.headers)))
	for _, h := range s.headers {
		b = appendNullable(appendSized(b, []byte(h.Key)), h.Value)
	}
	b = appendNullable(b, s.prior)
	if s.old != nil && s.sameOld() {
		b = appendLength(b, samePrior)
	} else {
		b = appendNullable(b, s.old)
	}
	b = appendNullable(b, s.latest)
	return binary.BigEndian.AppendUint64(b, uint64(s.until))
}

// sameOld says whether prior and old are equal; null equals null only.
func (s *suppressed) sameOld() bool {
	return (s.prior == nil) == (s.old == nil) && bytes.Equal(s.prior, s.old)
}

// size is what Kafka Streams counts for an entry in its limit of bytes.
func (s *suppressed) size(keyLength int) int64 {
	n := 8 + keyLength + 8 + 8 + len(s.topic) + 4 + len(s.prior) + len(s.latest)
	if !s.sameOld() {
		n += len(s.old)
	}
	for _, h := range s.headers {
		n += len(h.Key) + len(h.Value)
	}
	return int64(n)
}

func appendLength(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(int32(n))) }

func appendSized(b, v []byte) []byte { return append(appendLength(b, len(v)), v...) }

func appendNullable(b, v []byte) []byte {
	if v == nil {
		return appendLength(b, noBytes)
	}
	return appendSized(b, v)
}

var errSuppressed = errors.New("an entry of the suppression buffer is damaged")

// parseSuppressed reads an entry; its slices are parts of b.
func parseSuppressed(b []byte) (s suppressed, err error) {
	p := entryParser{rest: b}
	s.timestamp, s.offset = p.long(), p.long()
	s.topic = string(p.sized())
	s.partition = p.int()
	if n := p.int(); n > 0 && int(n) <= len(p.rest) {
		s.headers = make([]kgo.RecordHeader, n)
		for i := range s.headers {
			s.headers[i] = kgo.RecordHeader{Key: string(p.sized()), Value: p.sized()}
		}
	}
	s.prior = p.sized()
	if n := p.int(); n == samePrior {
		s.old = s.prior
	} else {
		s.old = p.take(n)
	}
	s.latest = p.sized()
	s.until = p.long()
	if p.bad || len(p.rest) > 0 {
		return s, errSuppressed
	}
	return s, nil
}

// entryParser takes numbers and bytes off the front of an entry.
type entryParser struct {
	rest []byte
	bad  bool
}

func (p *entryParser) long() int64 {
	if len(p.rest) < 8 {
		p.bad = true
		return 0
	}
	v := int64(binary.BigEndian.Uint64(p.rest))
	p.rest = p.rest[8:]
	return v
}

func (p *entryParser) int() int32 {
	if len(p.rest) < 4 {
		p.bad = true
		return noBytes
	}
	v := int32(binary.BigEndian.Uint32(p.rest))
	p.rest = p.rest[4:]
	return v
}

func (p *entryParser) sized() []byte { return p.take(p.int()) }

// take takes n bytes, nil for -1.
func (p *entryParser) take(n int32) []byte {
	if n == noBytes {
		return nil
	}
	if n < 0 || int(n) > len(p.rest) {
		p.bad = true
		return nil
	}
	v := p.rest[:n:n]
	p.rest = p.rest[n:]
	return v
}

// suppressedLayout orders entries by the time until which they wait.
var suppressedLayout = pendingLayout{
	time: func(_, value []byte) int64 { return int64(binary.BigEndian.Uint64(value[len(value)-8:])) },
	size: func(key, value []byte) int64 {
		s, _ := parseSuppressed(value)
		return s.size(len(key))
	},
}
