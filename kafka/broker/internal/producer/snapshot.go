package producer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
)

// ErrCorrupt says that bytes are no snapshot, or not the one that was written.
var ErrCorrupt = errors.New("producer snapshot is corrupt")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const snapshotVersion = 1

// Encode adds a snapshot of the state to b: a version, the producers by id, ended and
// aborted transactions, all as varints, and a CRC-32C over them.
func (s *State) Encode(b []byte) []byte {
	start := len(b)
	b = append(b, snapshotVersion)
	b = binary.AppendUvarint(b, uint64(len(s.producers)))
	for _, id := range slices.Sorted(maps.Keys(s.producers)) {
		e := s.producers[id]
		b = appendAll(b, id, int64(e.epoch), int64(e.coordinatorEpoch), e.first, e.seen, int64(len(e.batches)))
		for _, q := range e.batches {
			b = appendAll(b, int64(q.first), int64(q.last), q.offset, q.lastOffset)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(s.ended)))
	for _, t := range s.ended {
		b = appendAll(b, t.first, t.marker)
	}
	b = binary.AppendUvarint(b, uint64(len(s.aborted)))
	for _, a := range s.aborted {
		b = appendAll(b, a.ProducerID, a.First, a.Last)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func appendAll(b []byte, values ...int64) []byte {
	for _, v := range values {
		b = binary.AppendVarint(b, v)
	}
	return b
}

// Decode reads the snapshot that b is. It fails with ErrCorrupt.
func Decode(b []byte) (*State, error) {
	if len(b) < 5 || b[0] != snapshotVersion {
		return nil, fmt.Errorf("%w: %d bytes, or another version than %d", ErrCorrupt, len(b), snapshotVersion)
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, fmt.Errorf("%w: the CRC does not fit", ErrCorrupt)
	}
	r := reader{rest: body[1:]}
	s := New()
	for range r.count() {
		id, e := r.entry()
		s.producers[id] = e
		if e.first != none {
			s.open[id] = e
		}
	}
	for range r.count() {
		s.ended = append(s.ended, span{r.next(), r.next()})
	}
	for range r.count() {
		s.aborted = append(s.aborted, Aborted{r.next(), r.next(), r.next()})
	}
	if r.bad || len(r.rest) > 0 {
		return nil, fmt.Errorf("%w: its content has another length", ErrCorrupt)
	}
	return s, nil
}

type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) entry() (int64, *entry) {
	id := r.next()
	e := &entry{epoch: int16(r.next()), coordinatorEpoch: int32(r.next()), first: r.next(), seen: r.next()}
	for range min(max(r.next(), 0), remembered) {
		e.batches = append(e.batches, sequences{int32(r.next()), int32(r.next()), r.next(), r.next()})
	}
	return id, e
}

// count reads a length, which is not more than the bytes left.
func (r *reader) count() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) next() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}
