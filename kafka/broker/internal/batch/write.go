package batch

import (
	"encoding/binary"
	"hash/crc32"
)

// SetOffset gives the batch at the start of b its base offset and leader epoch, in
// place. Its CRC does not cover them. b has at least HeaderSize bytes.
func SetOffset(b []byte, base int64, leaderEpoch int32) {
	binary.BigEndian.PutUint64(b[posBaseOffset:], uint64(base))
	binary.BigEndian.PutUint32(b[posLeaderEpoch:], uint32(leaderEpoch))
}

// SetLogAppendTime makes ms the time of all records, in place, with a new CRC. b is
// one whole batch.
func SetLogAppendTime(b []byte, ms int64) {
	attributes := binary.BigEndian.Uint16(b[posAttributes:]) | attrLogAppendTime
	binary.BigEndian.PutUint16(b[posAttributes:], attributes)
	binary.BigEndian.PutUint64(b[posMaxTimestamp:], uint64(ms))
	seal(b)
}

// seal puts the CRC over what is there.
func seal(b []byte) {
	binary.BigEndian.PutUint32(b[posCRC:], crc32.Checksum(b[posAttributes:], castagnoli))
}

// put writes a header over the start of b, whose length is the batch's, and seals it.
func put(b []byte, h Header) {
	SetOffset(b, h.BaseOffset, h.LeaderEpoch)
	binary.BigEndian.PutUint32(b[posLength:], uint32(len(b)-lengthBase))
	b[posMagic] = magicV2
	binary.BigEndian.PutUint16(b[posAttributes:], uint16(h.Attributes))
	binary.BigEndian.PutUint32(b[posLastDelta:], uint32(h.LastDelta))
	binary.BigEndian.PutUint64(b[posBaseTimestamp:], uint64(h.BaseTimestamp))
	binary.BigEndian.PutUint64(b[posMaxTimestamp:], uint64(h.MaxTimestamp))
	binary.BigEndian.PutUint64(b[posProducerID:], uint64(h.ProducerID))
	binary.BigEndian.PutUint16(b[posProducerEpoch:], uint16(h.ProducerEpoch))
	binary.BigEndian.PutUint32(b[posBaseSequence:], uint32(h.BaseSequence))
	binary.BigEndian.PutUint32(b[posCount:], uint32(h.Count))
	seal(b)
}

// Build makes a batch of records that are not compressed. Of h it takes leader epoch,
// transactional and control attributes, producer id, epoch and base sequence;
// timestamps and counts are the records', whose offsets follow one another. records
// are at least one.
func Build(h Header, records ...Record) []byte {
	h.Attributes &= attrTransactional | attrControl
	h.Count, h.LastDelta = int32(len(records)), int32(len(records)-1)
	h.BaseTimestamp, h.MaxTimestamp = records[0].Timestamp, records[0].Timestamp
	b := make([]byte, HeaderSize, HeaderSize+64*len(records))
	for i, r := range records {
		h.MaxTimestamp = max(h.MaxTimestamp, r.Timestamp)
		r.Offset = h.BaseOffset + int64(i)
		b = appendRecord(b, r, h)
	}
	put(b, h)
	return b
}
