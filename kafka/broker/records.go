package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// mostUnpacked bounds what a batch may hold once decompressed: whoever asks
// for an offset by time makes kfake decompress it in memory.
const mostUnpacked = 256 << 20

// framed says whether records, compressed with codec, are count length-prefixed
// records with nothing after them.
func framed(records []byte, codec uint16, count int32) bool {
	if count <= 0 {
		return false
	}
	f := &framing{left: int(count)}
	if err := unpack(f, records, codec); err != nil {
		return false
	}
	return f.left == 0 && f.skip == 0 && f.digits == 0
}

var errUnpack = errors.New("not a batch of records")

// framing reads the lengths of records that are written to it in any pieces.
type framing struct {
	left   int // records to come, without the current one
	skip   int // bytes of the current record to come
	length uint64
	digits uint // bits of the current length read
	total  int
}

func (f *framing) Write(p []byte) (int, error) {
	n := len(p)
	if f.total += n; f.total > mostUnpacked {
		return 0, errUnpack
	}
	for len(p) > 0 {
		if f.skip > 0 {
			step := min(f.skip, len(p))
			f.skip -= step
			p = p[step:]
			continue
		}
		if err := f.digit(p[0]); err != nil {
			return 0, err
		}
		p = p[1:]
	}
	return n, nil
}

// digit reads seven bits of a record's length, a zigzag varint.
func (f *framing) digit(b byte) error {
	if f.left == 0 || f.digits > 28 {
		return errUnpack
	}
	f.length |= uint64(b&0x7f) << f.digits
	f.digits += 7
	if b&0x80 != 0 {
		return nil
	}
	if f.length&1 != 0 || f.length == 0 { // negative or empty
		return errUnpack
	}
	f.skip = int(f.length >> 1)
	f.length, f.digits = 0, 0
	f.left--
	return nil
}

// unpack writes the decompressed records to f.
func unpack(f *framing, records []byte, codec uint16) error {
	switch codec {
	case 0:
		_, err := f.Write(records)
		return err
	case 1:
		return unpackGzip(f, records)
	case 2:
		return unpackSnappy(f, records)
	case 3:
		return unpackLZ4(f, records)
	case 4:
		return unpackZstd(f, records)
	}
	return errUnpack
}

var lz4Readers = sync.Pool{New: func() any { return lz4.NewReader(nil) }}

func unpackLZ4(f *framing, records []byte) error {
	r := lz4Readers.Get().(*lz4.Reader)
	defer lz4Readers.Put(r)
	r.Reset(bytes.NewReader(records))
	_, err := io.Copy(f, r)
	return err
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

func unpackGzip(f *framing, records []byte) error {
	r := gzipReaders.Get().(*gzip.Reader)
	defer gzipReaders.Put(r)
	if err := r.Reset(bytes.NewReader(records)); err != nil {
		return err
	}
	_, err := io.Copy(f, r)
	return err
}

var zstdReaders = sync.Pool{New: func() any {
	r, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(mostUnpacked))
	return r
}}

func unpackZstd(f *framing, records []byte) error {
	r := zstdReaders.Get().(*zstd.Decoder)
	defer zstdReaders.Put(r)
	if err := r.Reset(bytes.NewReader(records)); err != nil {
		return err
	}
	_, err := r.WriteTo(f)
	return err
}

// xerial frames snappy blocks, as Java clients do: magic and two versions, then
// length-prefixed blocks.
var xerial = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

const xerialHeader = 16

func unpackSnappy(f *framing, records []byte) error {
	if !bytes.HasPrefix(records, xerial) {
		return unpackBlock(f, records)
	}
	if len(records) < xerialHeader {
		return errUnpack
	}
	for rest := records[xerialHeader:]; len(rest) > 0; {
		if len(rest) < 4 {
			return errUnpack
		}
		n := int(binary.BigEndian.Uint32(rest))
		if rest = rest[4:]; n > len(rest) {
			return errUnpack
		}
		if err := unpackBlock(f, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

var blocks = sync.Pool{New: func() any { return new([]byte) }}

func unpackBlock(f *framing, block []byte) error {
	n, err := s2.DecodedLen(block)
	if err != nil {
		return err
	}
	// Three bytes of snappy make 64 at most: more is a lie.
	if n > 22*len(block)+64 {
		return errUnpack
	}
	buffer := blocks.Get().(*[]byte)
	defer blocks.Put(buffer)
	if cap(*buffer) < n {
		*buffer = make([]byte, n)
	}
	out, err := s2.Decode((*buffer)[:cap(*buffer)], block)
	if err != nil {
		return err
	}
	_, err = f.Write(out)
	return err
}
