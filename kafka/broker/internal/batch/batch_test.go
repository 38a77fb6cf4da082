package batch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var plain = batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}

func records(n int) []batch.Record {
	var rs []batch.Record
	for i := range n {
		rs = append(rs, batch.Record{Timestamp: 1000 + int64(i), Key: fmt.Appendf(nil, "key %d", i), Value: []byte("value")})
	}
	return rs
}

func TestBuiltIsWhatKmsgReads(t *testing.T) {
	b := batch.Build(batch.Header{ProducerID: 7, ProducerEpoch: 3, BaseSequence: 5}, records(3)...)
	batch.SetOffset(b, 100, 9)
	var rb kmsg.RecordBatch
	if err := rb.ReadFrom(b); err != nil {
		t.Fatal(err)
	}
	if rb.FirstOffset != 100 || rb.PartitionLeaderEpoch != 9 || rb.NumRecords != 3 || rb.LastOffsetDelta != 2 ||
		rb.FirstTimestamp != 1000 || rb.MaxTimestamp != 1002 || rb.ProducerID != 7 || rb.ProducerEpoch != 3 || rb.FirstSequence != 5 {
		t.Fatalf("%+v", rb)
	}
	h, err := batch.Verify(b)
	if err != nil || h.LastOffset() != 102 || h.LastSequence() != 7 || h.CheckProduced() != nil {
		t.Fatalf("%+v, %v", h, err)
	}
}

func TestEveryFlippedBitIsSeen(t *testing.T) {
	good := batch.Build(plain, records(2)...)
	batch.SetOffset(good, 5, 0)
	for bit := range len(good) * 8 {
		b := bytes.Clone(good)
		b[bit/8] ^= 1 << (bit % 8)
		h, err := batch.Verify(b)
		covered := bit/8 >= 16 || bit/8 >= 8 && bit/8 < 12
		if covered && err == nil {
			t.Fatalf("bit %d of byte %d flipped, and nothing said: %+v", bit%8, bit/8, h)
		}
	}
	for n := range good {
		if _, err := batch.Verify(good[:n]); !errors.Is(err, batch.ErrShort) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestLogAppendTime(t *testing.T) {
	b := batch.Build(plain, records(2)...)
	batch.SetLogAppendTime(b, 5555)
	h, err := batch.Verify(b)
	if err != nil || !h.LogAppendTime() || h.MaxTimestamp != 5555 {
		t.Fatalf("%+v, %v", h, err)
	}
	for _, r := range all(t, b) {
		if r.Timestamp != 5555 {
			t.Fatalf("%+v", r)
		}
	}
}

func TestMarkers(t *testing.T) {
	for _, commit := range []bool{true, false} {
		want := batch.Marker{Commit: commit, ProducerID: 12, ProducerEpoch: 4, CoordinatorEpoch: 8}
		b := want.Batch(99)
		h, err := batch.Verify(b)
		if err != nil || !h.Control() || !h.Transactional() || h.BaseSequence != -1 {
			t.Fatalf("%+v, %v", h, err)
		}
		if got, ok, err := batch.ReadMarker(b); got != want || !ok || err != nil {
			t.Fatalf("%+v, %v, %v", got, ok, err)
		}
		if !errors.Is(h.CheckProduced(), batch.ErrInvalid) {
			t.Error("a producer may send markers")
		}
		r := all(t, b)[0]
		var key kmsg.ControlRecordKey
		var value kmsg.EndTxnMarker
		if err := errors.Join(key.ReadFrom(r.Key), value.ReadFrom(r.Value)); err != nil {
			t.Fatal(err)
		}
		if (key.Type == kmsg.ControlRecordKeyTypeCommit) != commit || value.CoordinatorEpoch != 8 {
			t.Fatalf("%+v %+v", key, value)
		}
	}
	if _, ok, err := batch.ReadMarker(batch.Build(plain, records(1)...)); ok || err != nil {
		t.Fatalf("data read as a marker: %v, %v", ok, err)
	}
}

func TestSplit(t *testing.T) {
	one, two := batch.Build(plain, records(1)...), batch.Build(plain, records(2)...)
	both := append(bytes.Clone(one), two...)
	got, hs, err := batch.Split(both, 1000)
	if err != nil || len(got) != 2 || !bytes.Equal(got[1], two) || hs[1].Count != 2 {
		t.Fatalf("%d, %v", len(got), err)
	}
	if _, _, err := batch.Split(both[:len(both)-1], 1000); !errors.Is(err, batch.ErrShort) {
		t.Errorf("cut: %v", err)
	}
	if _, _, err := batch.Split(both, len(one)); !errors.Is(err, batch.ErrTooLarge) {
		t.Errorf("large: %v", err)
	}
	old := bytes.Clone(one)
	old[16] = 1
	if _, _, err := batch.Split(old, 1000); !errors.Is(err, batch.ErrMagic) {
		t.Errorf("old: %v", err)
	}
	if _, _, err := batch.Split(batch.Marker{ProducerID: 1}.Batch(1), 1000); !errors.Is(err, batch.ErrInvalid) {
		t.Errorf("marker: %v", err)
	}
}

func TestRewriteKeepsWhatIsKept(t *testing.T) {
	src := batch.Build(batch.Header{ProducerID: 7, ProducerEpoch: 3, BaseSequence: 5}, records(5)...)
	batch.SetOffset(src, 40, 2)
	for codec := range int8(5) {
		b := packed(t, src, codec)
		rs := all(t, b)
		kept := []batch.Record{rs[1], rs[3]}
		out, err := batch.Rewrite(b, kept, 777)
		if err != nil {
			t.Fatal(err)
		}
		h, err := batch.Verify(out)
		if err != nil || h.BaseOffset != 40 || h.LastOffset() != 44 || h.LastSequence() != 9 || h.Count != 2 ||
			h.Codec() != codec || !h.HasDeleteHorizon() || h.DeleteHorizon() != 777 || h.MaxTimestamp != 1003 {
			t.Fatalf("codec %d: %+v, %v", codec, h, err)
		}
		for i, r := range all(t, out) {
			if r.Offset != kept[i].Offset || r.Timestamp != kept[i].Timestamp || !bytes.Equal(r.Key, kept[i].Key) || !bytes.Equal(r.Value, kept[i].Value) {
				t.Fatalf("codec %d: %+v is not %+v", codec, r, kept[i])
			}
		}
		if out, err = batch.Rewrite(b, nil, 0); err != nil || len(out) != batch.HeaderSize || len(all(t, out)) != 0 {
			t.Fatalf("codec %d, emptied: %d bytes, %v", codec, len(out), err)
		}
	}
}

func TestDecompressionIsBounded(t *testing.T) {
	big := batch.Build(plain, batch.Record{Value: make([]byte, 1<<20)})
	for codec := int8(1); codec < 5; codec++ {
		b := packed(t, big, codec)
		if _, err := batch.Records(b, 1<<19); !errors.Is(err, batch.ErrTooLarge) {
			t.Errorf("codec %d: %v", codec, err)
		}
		if _, err := batch.Records(b, 1<<21); err != nil {
			t.Errorf("codec %d: %v", codec, err)
		}
	}
}

// packed compresses a batch as a client does.
func packed(t testing.TB, b []byte, codec int8) []byte {
	t.Helper()
	if codec == 0 {
		return b
	}
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	c, err := kgo.DefaultCompressor(codecs[codec])
	if err != nil {
		t.Fatal(err)
	}
	body, _ := c.Compress(new(bytes.Buffer), b[batch.HeaderSize:])
	out := append(bytes.Clone(b[:batch.HeaderSize]), body...)
	binary.BigEndian.PutUint32(out[8:], uint32(len(out)-12))
	out[22] |= byte(codec)
	kept, err := batch.Verify(resealed(out))
	if err != nil || kept.Codec() != codec {
		t.Fatal(kept, err)
	}
	return out
}

func all(t testing.TB, b []byte) []batch.Record {
	t.Helper()
	it, err := batch.Records(b, 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	var rs []batch.Record
	for r, ok := it.Next(); ok; r, ok = it.Next() {
		rs = append(rs, r)
	}
	if it.Err() != nil {
		t.Fatal(it.Err())
	}
	return rs
}
