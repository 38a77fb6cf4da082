// Package batch reads and writes Kafka's record batches, format version 2 (magic 2),
// as bytes: the header is parsed in place, checked, and given its offsets without
// touching what the CRC covers. Records are looked into where that is the task only:
// compaction, times, key/value logs. Nothing here panics on hostile bytes.
package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// HeaderSize is the length of a batch without its records.
const HeaderSize = 61

// Positions in the header. The length counts the bytes after itself; the CRC covers
// those from the attributes on.
const (
	posBaseOffset    = 0
	posLength        = 8
	posLeaderEpoch   = 12
	posMagic         = 16
	posCRC           = 17
	posAttributes    = 21
	posLastDelta     = 23
	posBaseTimestamp = 27
	posMaxTimestamp  = 35
	posProducerID    = 43
	posProducerEpoch = 51
	posBaseSequence  = 53
	posCount         = 57

	lengthBase = posLength + 4
)

// Bits of the attributes.
const (
	codecMask               = 0x07
	attrLogAppendTime       = 0x08
	attrTransactional       = 0x10
	attrControl             = 0x20
	attrDeleteHorizon       = 0x40
	magicV2                 = 2
	noProducer              = -1
	noSequence              = -1
	noTimestamp       int64 = -1
)

var (
	// ErrShort says that there are fewer bytes than the batch has: a torn tail, or an
	// answer cut at its limit.
	ErrShort = errors.New("batch is cut short")
	// ErrCorrupt says that bytes are no batch, or not the one that was written.
	ErrCorrupt = errors.New("batch is corrupt")
	// ErrMagic says that the batch has an older format, or one that is not known.
	ErrMagic = errors.New("batch format is not supported")
	// ErrInvalid says that a producer may not send such a batch.
	ErrInvalid = errors.New("batch is invalid")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header is what stands before a batch's records. Times are milliseconds since 1970.
type Header struct {
	BaseOffset    int64
	Size          int // of the whole batch, in bytes
	LeaderEpoch   int32
	CRC           uint32
	Attributes    int16
	LastDelta     int32 // the last offset, relative to the base
	BaseTimestamp int64 // the delete horizon where HasDeleteHorizon says so
	MaxTimestamp  int64
	ProducerID    int64 // -1: not idempotent
	ProducerEpoch int16
	BaseSequence  int32
	Count         int32 // of records; fewer than offsets after compaction, maybe none
}

// Parse reads the header at the start of b, which may end after it. It checks that
// length and counts can be; it does not look at the CRC.
func Parse(b []byte) (Header, error) {
	if len(b) > posMagic && b[posMagic] != magicV2 {
		return Header{}, fmt.Errorf("%w: magic %d", ErrMagic, b[posMagic])
	}
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("%w: %d bytes of a header of %d", ErrShort, len(b), HeaderSize)
	}
	u64 := func(at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }
	u32 := func(at int) int32 { return int32(binary.BigEndian.Uint32(b[at:])) }
	u16 := func(at int) int16 { return int16(binary.BigEndian.Uint16(b[at:])) }
	h := Header{
		BaseOffset: u64(posBaseOffset), Size: int(u32(posLength)) + lengthBase, LeaderEpoch: u32(posLeaderEpoch),
		CRC: uint32(u32(posCRC)), Attributes: u16(posAttributes), LastDelta: u32(posLastDelta),
		BaseTimestamp: u64(posBaseTimestamp), MaxTimestamp: u64(posMaxTimestamp), ProducerID: u64(posProducerID),
		ProducerEpoch: u16(posProducerEpoch), BaseSequence: u32(posBaseSequence), Count: u32(posCount),
	}
	if u32(posLength) < HeaderSize-lengthBase {
		return h, fmt.Errorf("%w: length %d", ErrCorrupt, u32(posLength))
	}
	if h.LastDelta < 0 || h.Count < 0 || h.BaseOffset < 0 || h.BaseOffset+int64(h.LastDelta) < 0 {
		return h, fmt.Errorf("%w: base offset %d, last offset delta %d, %d records", ErrCorrupt, h.BaseOffset, h.LastDelta, h.Count)
	}
	return h, nil
}

// Verify reads the whole batch at the start of b and checks its CRC.
func Verify(b []byte) (Header, error) {
	h, err := Parse(b)
	if err != nil {
		return h, err
	}
	if len(b) < h.Size {
		return h, fmt.Errorf("%w: %d bytes of %d", ErrShort, len(b), h.Size)
	}
	if sum := crc32.Checksum(b[posAttributes:h.Size], castagnoli); sum != h.CRC {
		return h, fmt.Errorf("%w: CRC-32C %08x, and it says %08x", ErrCorrupt, sum, h.CRC)
	}
	return h, nil
}

// LastOffset is the offset of the last record the batch had when it was appended.
func (h Header) LastOffset() int64 { return h.BaseOffset + int64(h.LastDelta) }

// NextOffset is the one after the batch.
func (h Header) NextOffset() int64 { return h.LastOffset() + 1 }

// Codec is how the records are compressed: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
func (h Header) Codec() int8 { return int8(h.Attributes & codecMask) }

// LogAppendTime says that MaxTimestamp, set by the broker, is every record's time.
func (h Header) LogAppendTime() bool { return h.Attributes&attrLogAppendTime != 0 }

// Transactional says that the batch belongs to a transaction.
func (h Header) Transactional() bool { return h.Attributes&attrTransactional != 0 }

// Control says that the batch is a marker, not for consumers' eyes.
func (h Header) Control() bool { return h.Attributes&attrControl != 0 }

// HasDeleteHorizon says that tombstones and markers in the batch may be compacted away
// from DeleteHorizon on (KIP-534).
func (h Header) HasDeleteHorizon() bool { return h.Attributes&attrDeleteHorizon != 0 }

// DeleteHorizon is that time.
func (h Header) DeleteHorizon() int64 { return h.BaseTimestamp }

// Idempotent says that the batch has a producer id and sequences.
func (h Header) Idempotent() bool { return h.ProducerID >= 0 }

// LastSequence is the sequence of the last record. Sequences go from 2^31-1 to 0.
func (h Header) LastSequence() int32 { return AddSequence(h.BaseSequence, h.LastDelta) }

// AddSequence is the sequence n after s.
func AddSequence(s, n int32) int32 {
	return int32((int64(s) + int64(n)) & 0x7fffffff)
}
