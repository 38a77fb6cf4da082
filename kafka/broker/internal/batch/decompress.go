package batch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/pierrec/lz4/v4"
)

// openRecords begins to go through records in bounded memory. done gives that back.
func openRecords(packed []byte, codec int8, limit int) (s *scanner, done func(), err error) {
	if codec == 0 {
		return &scanner{rest: packed, limit: int64(len(packed))}, func() {}, nil
	}
	s = scanners.Get().(*scanner)
	*s = scanner{buffer: s.buffer, limit: int64(limit)}
	from, close, err := reader(packed, codec)
	if err != nil {
		scanners.Put(s)
		return nil, nil, err
	}
	s.from = from
	return s, func() { close(); s.from, s.rest = nil, nil; scanners.Put(s) }, nil
}

var scanners = sync.Pool{New: func() any { return &scanner{buffer: make([]byte, window)} }}

// reader decompresses as it is read. Readers are used again: they are large.
func reader(packed []byte, codec int8) (io.Reader, func(), error) {
	switch codec {
	case 1:
		z := gzipReaders.Get().(*gzip.Reader)
		if err := z.Reset(bytes.NewReader(packed)); err != nil {
			gzipReaders.Put(z)
			return nil, nil, err
		}
		return z, func() { gzipReaders.Put(z) }, nil
	case 2:
		r := snappyReaders.Get().(*snappyReader)
		r.open(packed)
		return r, func() { r.packed = nil; snappyReaders.Put(r) }, nil
	case 3:
		r := lz4Readers.Get().(*lz4.Reader)
		r.Reset(bytes.NewReader(packed))
		return r, func() { r.Reset(nil); lz4Readers.Put(r) }, nil
	case 4:
		return newZstd(bytes.NewReader(packed))
	}
	return nil, nil, fmt.Errorf("compression %d is not known", codec)
}

var (
	gzipReaders   = sync.Pool{New: func() any { return new(gzip.Reader) }}
	lz4Readers    = sync.Pool{New: func() any { return lz4.NewReader(nil) }}
	snappyReaders = sync.Pool{New: func() any { return new(snappyReader) }}
)

// snappyReader reads one block, or xerial's many.
type snappyReader struct {
	packed  []byte
	blocks  bool
	decoded []byte // of the block at hand
	rest    []byte
}

// mostKeptBlock is the largest block that memory is kept for.
const mostKeptBlock = 256 << 10

func (r *snappyReader) open(packed []byte) {
	r.packed, r.rest = packed, nil
	if r.blocks = len(packed) >= xerialHeader && bytes.HasPrefix(packed, xerial); r.blocks {
		r.packed = packed[xerialHeader:]
	}
	if cap(r.decoded) > mostKeptBlock {
		r.decoded = nil
	}
}

func (r *snappyReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if len(r.packed) == 0 {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *snappyReader) next() error {
	block := r.packed
	r.packed = nil
	if r.blocks {
		if len(block) < 4 {
			return fmt.Errorf("snappy block cut short")
		}
		n := int64(binary.BigEndian.Uint32(block))
		if block = block[4:]; n > int64(len(block)) {
			return fmt.Errorf("snappy block of %d bytes, %d left", n, len(block))
		}
		block, r.packed = block[:n], block[n:]
	}
	n, err := s2.DecodedLen(block)
	if err != nil {
		return err
	}
	// Three bytes of snappy make 64 at most: more is a lie, that would cost memory.
	if n > 22*len(block)+64 {
		return fmt.Errorf("snappy block of %d bytes says that it has %d", len(block), n)
	}
	r.decoded, err = s2.Decode(r.decoded[:cap(r.decoded)], block)
	r.rest = r.decoded
	return err
}
