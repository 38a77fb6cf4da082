package log

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sort"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// indexInterval is how many bytes of a segment have one entry.
const indexInterval = 16 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errIndex = errors.New("index is damaged")

// index finds batches of one segment by offset and by time. It describes the segment's
// first upTo bytes.
type index struct {
	upTo    int64
	maxTime int64 // of all batches
	entries []indexEntry
}

// indexEntry is a batch: its base offset relative to the segment's, its position, and
// the largest timestamp of the batches before it.
type indexEntry struct {
	offset, pos uint32
	before      int64
}

func newIndex() *index { return &index{maxTime: -1} }

// add takes in the next batch, which is at upTo.
func (x *index) add(base int64, h batch.Header) {
	if len(x.entries) == 0 || x.upTo-int64(x.entries[len(x.entries)-1].pos) >= indexInterval {
		x.entries = append(x.entries, indexEntry{uint32(h.BaseOffset - base), uint32(x.upTo), x.maxTime})
	}
	x.upTo += int64(h.Size)
	x.maxTime = max(x.maxTime, h.MaxTimestamp)
}

// byOffset returns a position at or before the batch with the relative offset, and the
// relative offset of the batch there.
func (x *index) byOffset(offset int64) (pos, first int64) {
	i := sort.Search(len(x.entries), func(i int) bool { return int64(x.entries[i].offset) > offset })
	if i == 0 {
		return 0, 0
	}
	return x.at(i - 1), int64(x.entries[i-1].offset)
}

// byTime returns a position at or before the first batch with a timestamp of at least ms.
func (x *index) byTime(ms int64) int64 {
	i := sort.Search(len(x.entries), func(i int) bool { return x.entries[i].before >= ms })
	return x.at(i - 1)
}

func (x *index) at(i int) int64 {
	if i < 0 {
		return 0
	}
	return int64(x.entries[i].pos)
}

// cut returns the part of the index that describes the first upTo bytes at most. The
// rest is added again.
func (x *index) cut(upTo int64) *index {
	if x.upTo <= upTo {
		return x
	}
	i := sort.Search(len(x.entries), func(i int) bool { return int64(x.entries[i].pos) > upTo })
	if i == 0 {
		return newIndex()
	}
	last := x.entries[i-1]
	return &index{upTo: int64(last.pos), maxTime: last.before, entries: x.entries[: i-1 : i-1]}
}

// encode is upTo, maxTime and the entries, big-endian, and a CRC-32C over them.
func (x *index) encode() []byte {
	b := make([]byte, 0, 20+16*len(x.entries))
	b = binary.BigEndian.AppendUint64(b, uint64(x.upTo))
	b = binary.BigEndian.AppendUint64(b, uint64(x.maxTime))
	for _, e := range x.entries {
		b = binary.BigEndian.AppendUint32(b, e.offset)
		b = binary.BigEndian.AppendUint32(b, e.pos)
		b = binary.BigEndian.AppendUint64(b, uint64(e.before))
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeIndex(b []byte) (*index, error) {
	n := len(b) - 4
	if n < 16 || n%16 != 0 || crc32.Checksum(b[:n], castagnoli) != binary.BigEndian.Uint32(b[n:]) {
		return nil, errIndex
	}
	x := &index{upTo: int64(binary.BigEndian.Uint64(b)), maxTime: int64(binary.BigEndian.Uint64(b[8:]))}
	x.entries = make([]indexEntry, 0, n/16-1)
	for b = b[16:n]; len(b) > 0; b = b[16:] {
		x.entries = append(x.entries, indexEntry{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), int64(binary.BigEndian.Uint64(b[8:]))})
	}
	return x, nil
}

// maxIndexFile bounds what is read: a segment of 2 GiB has less.
const maxIndexFile = 16*(1<<31/indexInterval+1) + 64

func readIndex(fs vfs.FS, name string) (*index, error) {
	b, err := vfs.ReadFile(fs, name, maxIndexFile)
	if err != nil {
		return nil, err
	}
	return decodeIndex(b)
}

// writeIndex is not synced: an index that is lost or torn is rebuilt.
func writeIndex(fs vfs.FS, name string, x *index) error {
	f, err := fs.Create(name)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(x.encode(), 0)
	return errors.Join(err, f.Close())
}
