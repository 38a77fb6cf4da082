package batch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrTooLarge says that a batch, or what it decompresses to, is larger than allowed.
var ErrTooLarge = errors.New("batch is too large")

// decompress is bounded, which kgo's is not below 2 GiB.
func decompress(codec int8, src []byte, limit int) ([]byte, error) {
	switch codec {
	case 1:
		return decompressStream(src, limit, func(r io.Reader) (io.Reader, func(), error) {
			z, err := gzip.NewReader(r)
			return z, func() {}, err
		})
	case 2:
		return decompressSnappy(src, limit)
	case 3:
		return decompressStream(src, limit, func(r io.Reader) (io.Reader, func(), error) { return lz4.NewReader(r), func() {}, nil })
	case 4:
		return decompressStream(src, limit, newZstd)
	}
	return nil, fmt.Errorf("%w: compression %d is not known", ErrCorrupt, codec)
}

// maxWindow is the largest window a zstd frame may ask for; encoders use up to 8 MiB.
const maxWindow = 32 << 20

var zstdReaders sync.Pool

func newZstd(r io.Reader) (io.Reader, func(), error) {
	z, ok := zstdReaders.Get().(*zstd.Decoder)
	if !ok {
		var err error
		if z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow)); err != nil {
			return nil, nil, err
		}
	}
	if err := z.Reset(r); err != nil {
		return nil, nil, err
	}
	return z, func() { _ = z.Reset(nil); zstdReaders.Put(z) }, nil
}

func decompressStream(src []byte, limit int, open func(io.Reader) (io.Reader, func(), error)) ([]byte, error) {
	r, done, err := open(bytes.NewReader(src))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	defer done()
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, int64(limit)+1))
	if n > int64(limit) {
		return nil, fmt.Errorf("%w: it decompresses to more than %d bytes", ErrTooLarge, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return out.Bytes(), nil
}

// xerial begins snappy as Java writes it: eight bytes of magic, two versions, blocks.
var xerial = []byte{130, 83, 78, 65, 80, 80, 89, 0}

const xerialHeader = 16

func decompressSnappy(src []byte, limit int) ([]byte, error) {
	if len(src) < xerialHeader || !bytes.HasPrefix(src, xerial) {
		return appendSnappy(nil, src, limit)
	}
	var out []byte
	var err error
	for src = src[xerialHeader:]; len(src) > 0; {
		if len(src) < 4 {
			return nil, fmt.Errorf("%w: snappy block cut short", ErrCorrupt)
		}
		n := int64(binary.BigEndian.Uint32(src))
		if src = src[4:]; n > int64(len(src)) {
			return nil, fmt.Errorf("%w: snappy block of %d bytes, %d left", ErrCorrupt, n, len(src))
		}
		if out, err = appendSnappy(out, src[:n], limit); err != nil {
			return nil, err
		}
		src = src[n:]
	}
	return out, nil
}

func appendSnappy(out, block []byte, limit int) ([]byte, error) {
	n, err := snappy.DecodedLen(block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if n > limit-len(out) {
		return nil, fmt.Errorf("%w: it decompresses to more than %d bytes", ErrTooLarge, limit)
	}
	plain, err := snappy.Decode(nil, block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return append(out, plain...), nil
}

var codecs = [...]kgo.CompressionCodec{
	kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
}

// compressors are made when they are needed first, for they are large.
var compressors [len(codecs)]struct {
	once sync.Once
	kgo.Compressor
	err error
}

// compress is kgo's, in the codec the batch had.
func compress(codec int8, src []byte) ([]byte, error) {
	if codec < 0 || int(codec) >= len(codecs) {
		return nil, fmt.Errorf("%w: compression %d is not known", ErrCorrupt, codec)
	}
	c := &compressors[codec]
	c.once.Do(func() { c.Compressor, c.err = kgo.DefaultCompressor(codecs[codec]) })
	if c.err != nil {
		return nil, c.err
	}
	out, used := c.Compress(new(bytes.Buffer), src)
	if int8(used) != codec {
		return nil, fmt.Errorf("compression %d asked for, %d used", codec, used)
	}
	return out, nil
}
