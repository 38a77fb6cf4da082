package keylog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// The header of Kafka's record batch of version 2, up to the count of records.
const (
	headerLen    = 61
	crcAt        = 17
	attributesAt = 21
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrDamaged is a batch whose bytes are not those that were written.
var ErrDamaged = errors.New("damaged record batch")

// AppendBatch writes records as one uncompressed record batch of version 2,
// with base offset 0 and without a producer, whose checksum makes it whole or
// nothing. A nil value is a tombstone, an empty one is not.
func AppendBatch(dst []byte, records []Record, at time.Time) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, headerLen)...)
	for i, r := range records {
		dst = appendRecord(dst, i, r)
	}
	header := dst[start:]
	millis := uint64(at.UnixMilli())
	binary.BigEndian.PutUint32(header[8:], uint32(len(header)-12))
	header[16] = 2 // magic
	binary.BigEndian.PutUint32(header[23:], uint32(len(records)-1))
	binary.BigEndian.PutUint64(header[27:], millis)
	binary.BigEndian.PutUint64(header[35:], millis)
	binary.BigEndian.PutUint64(header[43:], ^uint64(0)) // no producer id
	binary.BigEndian.PutUint16(header[51:], ^uint16(0))
	binary.BigEndian.PutUint32(header[53:], ^uint32(0))
	binary.BigEndian.PutUint32(header[57:], uint32(len(records)))
	binary.BigEndian.PutUint32(header[crcAt:], crc32.Checksum(header[attributesAt:], castagnoli))
	return dst
}

func appendRecord(dst []byte, i int, r Record) []byte {
	body := []byte{0, 0} // attributes, timestamp delta
	body = binary.AppendVarint(body, int64(i))
	body = appendNullable(body, r.Key)
	body = appendNullable(body, r.Value)
	body = append(body, 0) // no headers
	dst = binary.AppendVarint(dst, int64(len(body)))
	return append(dst, body...)
}

func appendNullable(dst, b []byte) []byte {
	if b == nil {
		return binary.AppendVarint(dst, -1)
	}
	return append(binary.AppendVarint(dst, int64(len(b))), b...)
}

// ReadBatch reads the batch that b begins with and returns what follows it. The
// records share memory with b. A batch that is cut or changed is ErrDamaged.
func ReadBatch(b []byte) (records []Record, rest []byte, err error) {
	if len(b) < headerLen {
		return nil, nil, fmt.Errorf("%w: %d bytes are less than a header", ErrDamaged, len(b))
	}
	length := int64(binary.BigEndian.Uint32(b[8:])) + 12
	if length < headerLen || length > int64(len(b)) || b[16] != 2 {
		return nil, nil, fmt.Errorf("%w: length %d of %d bytes, magic %d", ErrDamaged, length, len(b), b[16])
	}
	batch, rest := b[:length], b[length:]
	if crc32.Checksum(batch[attributesAt:], castagnoli) != binary.BigEndian.Uint32(batch[crcAt:]) {
		return nil, nil, fmt.Errorf("%w: checksum", ErrDamaged)
	}
	if codec := batch[attributesAt+1] & 7; codec != 0 {
		return nil, nil, fmt.Errorf("record batch: compression %d is not read here", codec)
	}
	n := int(int32(binary.BigEndian.Uint32(batch[57:])))
	body := batch[headerLen:]
	for i := range n {
		var r Record
		if r, body, err = readRecord(body); err != nil {
			return nil, nil, fmt.Errorf("record %d of %d: %w", i, n, err)
		}
		records = append(records, r)
	}
	return records, rest, nil
}

func readRecord(b []byte) (r Record, rest []byte, err error) {
	body, rest, ok := nullable(b)
	if !ok || len(body) == 0 {
		return r, nil, fmt.Errorf("%w: length of a record", ErrDamaged)
	}
	body = body[1:] // attributes
	for range 2 {   // deltas of timestamp and offset
		_, n := binary.Varint(body)
		if n <= 0 {
			return r, nil, fmt.Errorf("%w: deltas of a record", ErrDamaged)
		}
		body = body[n:]
	}
	var okKey, okValue bool
	r.Key, body, okKey = nullable(body)
	r.Value, _, okValue = nullable(body)
	if !okKey || !okValue {
		return r, nil, fmt.Errorf("%w: key or value of a record", ErrDamaged)
	}
	return r, rest, nil
}

// nullable reads bytes behind their length; -1 stands for nil.
func nullable(b []byte) (data, rest []byte, ok bool) {
	length, n := binary.Varint(b)
	if n <= 0 || length < -1 || length > int64(len(b)-n) {
		return nil, nil, false
	}
	if length == -1 {
		return nil, b[n:], true
	}
	end := n + int(length)
	return b[n:end:end], b[end:], true
}
