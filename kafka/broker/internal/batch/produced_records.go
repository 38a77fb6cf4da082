package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Rules are what a topic asks of records that a producer sends.
type Rules struct {
	Keys bool // every record has a key, as compaction needs
	// Oldest and Newest are the bounds of timestamps, in milliseconds; they do not
	// hold where the topic has log append time. A timestamp of -1 is none.
	AnyTime        bool
	Oldest, Newest int64
	// Decompressed is the most bytes that the records may have.
	Decompressed int
}

// ErrTimestamp says that a record's timestamp is too old, or in the future.
var ErrTimestamp = errors.New("timestamp is out of range")

// RecordError is what is wrong with one record of a batch.
type RecordError struct {
	Index int32
	Err   error
}

func (e *RecordError) Error() string { return fmt.Sprintf("record %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *RecordError) Unwrap() error { return e.Err }

// CheckRecords goes through the records of a batch that Split has passed, so that
// whoever reads them later finds what the header promises. Compressed ones are
// decompressed through a small buffer. It fails with ErrInvalid, ErrTimestamp or
// ErrTooLarge, in a RecordError where it is one record's. Where the header has not the
// largest timestamp, it is corrected, in place, as is the CRC.
func CheckRecords(b []byte, h *Header, rules Rules) error {
	s, done, err := openRecords(b[HeaderSize:h.Size], h.Codec(), rules.Decompressed)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	defer done()
	largest := noTimestamp
	for i := range h.Count {
		timestamp, err := s.record(i, h.BaseTimestamp, &rules)
		if err != nil {
			return &RecordError{i, err}
		}
		largest = max(largest, timestamp)
	}
	if !s.atEnd() {
		if s.err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, s.err)
		}
		return fmt.Errorf("%w: more follows its %d records", ErrInvalid, h.Count)
	}
	if largest != h.MaxTimestamp {
		h.MaxTimestamp = largest
		binary.BigEndian.PutUint64(b[posMaxTimestamp:], uint64(largest))
		seal(b[:h.Size])
		h.CRC = binary.BigEndian.Uint32(b[posCRC:])
	}
	return nil
}

// record passes one record and returns its timestamp.
func (s *scanner) record(index int32, base int64, rules *Rules) (int64, error) {
	f, err := s.next()
	if err != nil {
		return 0, err
	}
	if f.offset != int64(index) {
		return 0, fmt.Errorf("%w: its offset delta is %d", ErrInvalid, f.offset)
	}
	if rules.Keys && f.key < 0 {
		return 0, fmt.Errorf("%w: it has no key, and the topic is compacted", ErrInvalid)
	}
	timestamp := base + f.timestamp
	if !rules.AnyTime && timestamp != noTimestamp && (timestamp < rules.Oldest || timestamp > rules.Newest) {
		return 0, fmt.Errorf("%w: %d ms, from %d to %d are allowed", ErrTimestamp, timestamp, rules.Oldest, rules.Newest)
	}
	return timestamp, nil
}

// next passes a record.
func (s *scanner) next() (f fields, err error) {
	if f, ok := s.short(); ok {
		return f, nil
	}
	if f, err = s.parts(); err != nil && s.err != nil {
		err = s.err
	}
	return f, err
}

// fields are what is looked at of a record: its deltas, and the length of its key.
type fields struct{ timestamp, offset, key int64 }

// short passes a record that is all there, and of which each number has a byte or two, as of
// most: those before the key come with one load. It passes nothing where that is not so, or
// where something is wrong, which parts finds out.
func (s *scanner) short() (f fields, ok bool) {
	b := s.rest
	if len(b) < 12 {
		return f, false
	}
	w := binary.LittleEndian.Uint64(b)
	length, n := shortVarint(w)
	long := w & (w >> 8) // at bit 7: that a third byte follows
	w >>= n + 8          // and the attributes, which leaves five bytes at least
	at := int(n / 8)
	end := at + int(length)
	f.timestamp, n = shortVarint(w)
	long |= w & (w >> 8)
	w >>= n
	at += 1 + int(n/8)
	f.offset, n = shortVarint(w)
	long |= w & (w >> 8)
	at += int(n / 8) // 7 at most
	w = uint64(binary.LittleEndian.Uint16(b[at:]))
	f.key, n = shortVarint(w)
	long |= w & (w >> 8)
	if at = after(b, at+int(n/8), f.key); at < 0 || at > len(b)-2 {
		return f, false
	}
	w = uint64(binary.LittleEndian.Uint16(b[at:]))
	value, n := shortVarint(w)
	long |= w & (w >> 8)
	if at = after(b, at+int(n/8), value); at < 0 || at >= end || end > len(b) || long&0x80 != 0 {
		return f, false
	}
	if b[at] == 0 { // no headers
		at++
	} else {
		at = shortHeaders(b[:end], at)
	}
	if at != end {
		return f, false
	}
	s.rest = b[end:]
	s.passed += int64(end)
	return f, true
}

// shortHeaders passes headers, and returns the position after them, which is negative where
// something is long or wrong.
func shortHeaders(b []byte, at int) int {
	n, at := shortAt(b, at)
	for ; n > 0 && at >= 0; n-- {
		name, value := int64(0), int64(0)
		if name, at = shortAt(b, at); name < 0 {
			return -1
		}
		value, at = shortAt(b, after(b, at, name))
		at = after(b, at, value)
	}
	if n < 0 {
		return -1
	}
	return at
}

// shortAt returns a varint of one byte or two and the position after it; that is negative
// where there is none, or none was found before.
func shortAt(b []byte, at int) (v int64, next int) {
	if at < 0 || at > len(b)-2 {
		return 0, -1
	}
	w := uint64(binary.LittleEndian.Uint16(b[at:]))
	v, n := shortVarint(w)
	if w&(w>>8)&0x80 != 0 {
		return 0, -1
	}
	return v, at + int(n/8)
}

// shortVarint is the varint of one byte or two that w begins with, and the bits it has.
func shortVarint(w uint64) (v int64, bits uint) {
	if w&0x80 == 0 {
		return int64(w&0x7f>>1) ^ -int64(w&1), 8
	}
	u := w&0x7f | w>>1&0x3f80
	return int64(u>>1) ^ -int64(u&1), 16
}

// after is the position after n bytes, where -1 is the length of null; it is negative
// where there are not so many.
func after(b []byte, at int, n int64) int {
	if n == -1 {
		return at
	}
	if at < 0 || n < 0 || n > int64(len(b)-at) {
		return -1
	}
	return at + int(n)
}

// parts passes a record field by field.
func (s *scanner) parts() (f fields, err error) {
	length, ok := s.varint()
	if !ok || length <= 0 || length > mostRecord {
		return f, fmt.Errorf("%w: its length", ErrInvalid)
	}
	end := s.passed + length
	ok = s.skip(1) // attributes, of which none are used
	timestamp, ok1 := s.varint()
	offset, ok2 := s.varint()
	key, ok3 := s.varint()
	ok4 := s.skip(key)
	value, ok5 := s.varint()
	ok6 := s.skip(value)
	headers, ok7 := s.varint()
	if !(ok && ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) || headers < 0 || headers > length {
		return f, fmt.Errorf("%w: its content", ErrInvalid)
	}
	for range headers {
		name, ok1 := s.varint()
		ok2 := name >= 0 && s.skip(name)
		value, ok3 := s.varint()
		if !ok1 || !ok2 || !ok3 || !s.skip(value) {
			return f, fmt.Errorf("%w: its headers", ErrInvalid)
		}
	}
	if s.passed != end {
		return f, fmt.Errorf("%w: its length is %d, and it has %d bytes", ErrInvalid, length, length+s.passed-end)
	}
	return fields{timestamp, offset, key}, nil
}

// mostRecord bounds lengths, so that sums of them do not overflow.
const mostRecord = 1 << 40

// scanner goes through bytes that are there, or are read as they are needed.
type scanner struct {
	rest   []byte
	passed int64
	from   io.Reader // of what follows rest; nil is nothing
	buffer []byte
	limit  int64 // of bytes
	err    error // of from
}

// window is how much is decompressed at a time.
const window = 16 << 10

// more reads until there are n bytes, if so many follow.
func (s *scanner) more(n int) {
	if s.from == nil {
		return
	}
	have := copy(s.buffer, s.rest)
	for have < n && s.from != nil {
		got, err := s.from.Read(s.buffer[have:])
		have += got
		if err != nil {
			s.from = nil
			if err != io.EOF {
				s.err = fmt.Errorf("%w: %w", ErrInvalid, err)
			}
		}
	}
	s.rest = s.buffer[:have]
	if s.passed+int64(have) > s.limit {
		s.from, s.rest = nil, nil
		s.err = fmt.Errorf("%w: it decompresses to more than %d bytes", ErrTooLarge, s.limit)
	}
}

func (s *scanner) varint() (int64, bool) {
	if len(s.rest) > 0 && s.rest[0] < 0x80 { // most are
		v := int64(s.rest[0]>>1) ^ -int64(s.rest[0]&1)
		s.rest = s.rest[1:]
		s.passed++
		return v, true
	}
	if len(s.rest) < binary.MaxVarintLen64 {
		s.more(binary.MaxVarintLen64)
	}
	v, n := binary.Varint(s.rest)
	if n <= 0 {
		return 0, false
	}
	s.rest = s.rest[n:]
	s.passed += int64(n)
	return v, true
}

// skip passes n bytes; a negative n is the length of null.
func (s *scanner) skip(n int64) bool {
	for n > int64(len(s.rest)) {
		n -= int64(len(s.rest))
		s.passed += int64(len(s.rest))
		s.rest = nil
		if s.more(1); len(s.rest) == 0 {
			return false
		}
	}
	if n > 0 {
		s.rest = s.rest[n:]
		s.passed += n
	}
	return n >= -1
}

func (s *scanner) atEnd() bool {
	if len(s.rest) == 0 {
		s.more(1)
	}
	return len(s.rest) == 0 && s.err == nil
}
