package batch

import (
	"encoding/binary"
	"fmt"
)

// Record is one record. Key and Value are nil where they are null. A record that was
// read shares the batch's memory, or that of its decompression.
type Record struct {
	Offset, Timestamp int64
	Key, Value        []byte
	// headers are their count and bytes as they stand; nil is none.
	headers []byte
}

// Iterator goes through a batch's records.
type Iterator struct {
	h    Header
	rest []byte
	left int32
	err  error
}

// Records begins to read a batch, whose CRC was checked before. Compressed records are
// decompressed, to at most limit bytes; more fail with ErrTooLarge.
func Records(b []byte, limit int) (*Iterator, error) {
	h, err := Parse(b)
	if err != nil {
		return nil, err
	}
	if len(b) < h.Size {
		return nil, fmt.Errorf("%w: %d bytes of %d", ErrShort, len(b), h.Size)
	}
	rest := b[HeaderSize:h.Size]
	if h.Codec() != 0 && h.Count > 0 {
		if rest, err = decompress(h.Codec(), rest, limit); err != nil {
			return nil, fmt.Errorf("records at offset %d: %w", h.BaseOffset, err)
		}
	}
	return &Iterator{h: h, rest: rest, left: h.Count}, nil
}

// Times calls each with the offset and the timestamp of each record of a batch, whose CRC was
// checked before, until it returns false. Compressed records are decompressed through a small
// buffer, to at most limit bytes; more fail with ErrTooLarge.
func Times(b []byte, limit int, each func(offset, timestamp int64) bool) error {
	h, err := Parse(b)
	if err != nil {
		return err
	}
	if len(b) < h.Size {
		return fmt.Errorf("%w: %d bytes of %d", ErrShort, len(b), h.Size)
	}
	s, done, err := openRecords(b[HeaderSize:h.Size], h.Codec(), limit)
	if err != nil {
		return fmt.Errorf("%w: records at offset %d: %w", ErrCorrupt, h.BaseOffset, err)
	}
	defer done()
	for i := range h.Count {
		f, err := s.next()
		if err != nil {
			return fmt.Errorf("%w: record %d of %d at offset %d: %w", ErrCorrupt, i, h.Count, h.BaseOffset, err)
		}
		timestamp := h.BaseTimestamp + f.timestamp
		if h.LogAppendTime() {
			timestamp = h.MaxTimestamp
		}
		if !each(h.BaseOffset+f.offset, timestamp) {
			return nil
		}
	}
	return nil
}

// Next returns the next record, and false after the last one or where Err is set.
func (it *Iterator) Next() (Record, bool) {
	if it.left == 0 || it.err != nil {
		return Record{}, false
	}
	length, ok := it.varint()
	if !ok || length < 0 || length > int64(len(it.rest)) {
		return it.fail("length")
	}
	one := Iterator{h: it.h, rest: it.rest[:length]}
	it.rest = it.rest[length:]
	it.left--
	r, ok := one.record()
	if !ok {
		return it.fail("content")
	}
	return r, true
}

// Err says why Next ended before the last record.
func (it *Iterator) Err() error { return it.err }

func (it *Iterator) fail(what string) (Record, bool) {
	it.err = fmt.Errorf("%w: %s of record %d of %d at offset %d", ErrCorrupt, what, it.h.Count-it.left, it.h.Count, it.h.BaseOffset)
	return Record{}, false
}

func (it *Iterator) record() (r Record, ok bool) {
	if len(it.rest) == 0 {
		return r, false
	}
	it.rest = it.rest[1:] // attributes, of which none are used
	timestamp, ok1 := it.varint()
	offset, ok2 := it.varint()
	var ok3, ok4 bool
	r.Key, ok3 = it.bytes()
	r.Value, ok4 = it.bytes()
	r.headers = it.rest
	r.Offset, r.Timestamp = it.h.BaseOffset+offset, it.h.BaseTimestamp+timestamp
	if it.h.LogAppendTime() {
		r.Timestamp = it.h.MaxTimestamp
	}
	return r, ok1 && ok2 && ok3 && ok4 && offset >= 0 && offset <= int64(it.h.LastDelta)
}

func (it *Iterator) varint() (int64, bool) {
	v, n := binary.Varint(it.rest)
	if n <= 0 {
		return 0, false
	}
	it.rest = it.rest[n:]
	return v, true
}

func (it *Iterator) bytes() ([]byte, bool) {
	n, ok := it.varint()
	if !ok || n > int64(len(it.rest)) {
		return nil, false
	}
	if n < 0 {
		return nil, true
	}
	b := it.rest[:n:n]
	it.rest = it.rest[n:]
	return b, true
}

// appendRecord adds a record in a batch's form, relative to h's base offset and time.
func appendRecord(b []byte, r Record, h Header) []byte {
	body := make([]byte, 1, 32)
	body = binary.AppendVarint(body, r.Timestamp-h.BaseTimestamp)
	body = binary.AppendVarint(body, r.Offset-h.BaseOffset)
	keyLen := binary.AppendVarint(nil, lengthOf(r.Key))
	valueLen := binary.AppendVarint(nil, lengthOf(r.Value))
	headers := r.headers
	if len(headers) == 0 {
		headers = []byte{0}
	}
	size := len(body) + len(keyLen) + len(r.Key) + len(valueLen) + len(r.Value) + len(headers)
	b = binary.AppendVarint(b, int64(size))
	for _, part := range [][]byte{body, keyLen, r.Key, valueLen, r.Value, headers} {
		b = append(b, part...)
	}
	return b
}

func lengthOf(b []byte) int64 {
	if b == nil {
		return -1
	}
	return int64(len(b))
}
