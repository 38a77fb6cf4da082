package journal

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// maxUnpacked bounds what a compressed payload may hold: a corrupt one must not
// take all memory.
const maxUnpacked = 256 << 20

// jackson says whether that serializer of Pekko compresses: JSON, CBOR, and 32,
// under which Akka 2.6.4 and before wrote JSON.
func jackson(serializer int32) bool {
	return JSONSerializer <= serializer && serializer <= CBORSerializer
}

// unpack returns the data, decompressed where Pekko's Jackson serializers
// compressed it: gzip as it is, LZ4 as one block behind a mark and its length,
// both four bytes, big-endian.
func unpack(p Payload) ([]byte, error) {
	const gzipMark, lz4Mark, lz4Head = "\x1f\x8b", "\x87\xd9\x6d\xf6", 8
	if !jackson(p.Serializer) {
		return p.Data, nil
	}
	var data []byte
	var err error
	switch {
	case bytes.HasPrefix(p.Data, []byte(gzipMark)):
		data, err = gunzip(p.Data)
	case bytes.HasPrefix(p.Data, []byte(lz4Mark)) && len(p.Data) >= lz4Head:
		data, err = unLZ4(p.Data[lz4Head:], binary.BigEndian.Uint32(p.Data[len(lz4Mark):]))
	default:
		return p.Data, nil
	}
	if err != nil {
		return nil, corrupt(p, err)
	}
	return data, nil
}

func gunzip(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err == nil && len(data) > maxUnpacked {
		err = fmt.Errorf("gzip: more than %d bytes", maxUnpacked)
	}
	return data, err
}

func unLZ4(packed []byte, length uint32) ([]byte, error) {
	const maxRatio = 255 // of LZ4: a block cannot hold more
	if length > maxUnpacked || uint64(length) > maxRatio*uint64(len(packed)) {
		return nil, fmt.Errorf("lz4: %d bytes cannot hold %d", len(packed), length)
	}
	data := make([]byte, length)
	n, err := lz4.UncompressBlock(packed, data)
	if err == nil && n != len(data) {
		err = fmt.Errorf("lz4: %d bytes instead of %d", n, length)
	}
	return data, err
}
