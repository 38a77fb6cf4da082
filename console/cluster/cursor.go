package cluster

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// cursor is where a page of messages ended in each partition: the first offset not
// shown, or, backwards, the first one shown.
type cursor struct {
	back    bool
	offsets []partitionOffset
}

type partitionOffset struct {
	partition int32
	offset    int64
}

const (
	cursorPrefix = "next:"
	// maxCursor bounds what a stranger can have decoded.
	maxCursor = 1 << 20
)

// encode makes it opaque and bound to its query: the sum covers the topic and the
// partition asked for.
func (c cursor) encode(q api.MessageQuery) string {
	out := []byte{0}
	if c.back {
		out[0] = 1
	}
	for _, p := range c.offsets {
		out = binary.AppendUvarint(out, uint64(p.partition))
		out = binary.AppendUvarint(out, uint64(p.offset))
	}
	out = binary.BigEndian.AppendUint32(out, bound(out, q))
	return cursorPrefix + base64.RawURLEncoding.EncodeToString(out)
}

func bound(data []byte, q api.MessageQuery) uint32 {
	partition := int64(-1)
	if q.Partition != nil {
		partition = int64(*q.Partition)
	}
	sum := crc32.ChecksumIEEE(fmt.Appendf(nil, "%s/%d", q.Topic, partition))
	return crc32.Update(sum, crc32.IEEETable, data)
}

func parseCursor(q api.MessageQuery) (cursor, error) {
	var c cursor
	wrong := fmt.Errorf("%w: from: this is not the next of a page of topic %s with these partitions", api.ErrInvalid, q.Topic)
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(q.From, cursorPrefix))
	if err != nil || len(data) < 5 || len(q.From) > maxCursor {
		return c, wrong
	}
	data, sum := data[:len(data)-4], data[len(data)-4:]
	if binary.BigEndian.Uint32(sum) != bound(data, q) || data[0] > 1 {
		return c, wrong
	}
	c.back = data[0] == 1
	for rest := data[1:]; len(rest) > 0; {
		partition, n := binary.Uvarint(rest)
		if n <= 0 || partition > 1<<31-1 {
			return c, wrong
		}
		offset, m := binary.Uvarint(rest[n:])
		if m <= 0 || offset > 1<<63-1 {
			return c, wrong
		}
		c.offsets = append(c.offsets, partitionOffset{int32(partition), int64(offset)})
		rest = rest[n+m:]
	}
	return c, nil
}

// byPartition is the same as a map.
func (c cursor) byPartition() map[int32]int64 {
	out := make(map[int32]int64, len(c.offsets))
	for _, p := range c.offsets {
		out[p.partition] = p.offset
	}
	return out
}
