package batch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
)

var anything = batch.Rules{AnyTime: true, Decompressed: 32 << 20}

// check is CheckRecords of a batch that Split passes.
func check(b []byte, rules batch.Rules) error {
	_, hs, err := batch.Split(b, 32<<20)
	if err != nil {
		return err
	}
	return batch.CheckRecords(b, &hs[0], rules)
}

// varied are records of all sizes, some larger than what is decompressed at a time.
func varied(rnd *rand.Rand) []batch.Record {
	var rs []batch.Record
	for i := range 1 + rnd.IntN(40) {
		r := batch.Record{Timestamp: 1000 + int64(rnd.IntN(100_000)) - 50_000*int64(i%2)}
		if rnd.IntN(3) > 0 {
			r.Key = fmt.Appendf(nil, "key %d", i)
		}
		if rnd.IntN(5) > 0 {
			r.Value = bytes.Repeat([]byte{byte(i)}, rnd.IntN(1<<rnd.IntN(17)))
		}
		rs = append(rs, r)
	}
	return rs
}

func TestRecordsOfProducersPass(t *testing.T) {
	rnd := testenv.Rand(t)
	for range 60 {
		good := batch.Build(plain, varied(rnd)...)
		for codec := range int8(5) {
			b := packed(t, good, codec)
			before := bytes.Clone(b)
			if err := check(b, anything); err != nil {
				t.Fatalf("codec %d: %v", codec, err)
			}
			if !bytes.Equal(b, before) {
				t.Fatalf("codec %d: a good batch was changed", codec)
			}
		}
	}
}

// TestTimesAreTheRecords', with every codec, in little memory.
func TestTimesAreTheRecords(t *testing.T) {
	rnd := testenv.Rand(t)
	for range 30 {
		plainBatch := batch.Build(plain, varied(rnd)...)
		for codec := range int8(5) {
			b := packed(t, plainBatch, codec)
			var got, want []string
			if err := batch.Times(b, 32<<20, func(offset, timestamp int64) bool {
				got = append(got, fmt.Sprint(offset, timestamp))
				return true
			}); err != nil {
				t.Fatal(err)
			}
			for _, r := range all(t, b) {
				want = append(want, fmt.Sprint(r.Offset, r.Timestamp))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("codec %d: %v, want %v", codec, got, want)
			}
			if err := batch.Times(b, 1, func(_, _ int64) bool { return true }); codec > 0 && !errors.Is(err, batch.ErrTooLarge) {
				t.Fatalf("codec %d: %v", codec, err)
			}
		}
	}
}

// TestWhatPassesCanBeRead, of batches that were damaged and sealed again, so that
// compaction and time lookups never meet one that cannot.
func TestWhatPassesCanBeRead(t *testing.T) {
	rnd := testenv.Rand(t)
	seed := batch.Build(plain, records(5)...)
	var seeds [5][]byte
	for codec := range seeds {
		seeds[codec] = packed(t, seed, int8(codec))
	}
	passed := 0
	for range testenv.Sized(3000, 500_000) {
		b := bytes.Clone(seeds[rnd.IntN(5)])
		for range 1 + rnd.IntN(3) {
			b[batch.HeaderSize+rnd.IntN(len(b)-batch.HeaderSize)] = byte(rnd.Uint32())
		}
		if rnd.IntN(4) == 0 {
			binary.BigEndian.PutUint32(b[57:], uint32(rnd.IntN(9)))
			binary.BigEndian.PutUint32(b[23:], uint32(rnd.IntN(9)))
		}
		resealed(b)
		if check(b, anything) != nil {
			continue
		}
		passed++
		n := int64(0)
		for _, r := range all(t, b) {
			if r.Offset != n {
				t.Fatalf("offset %d, want %d: %x", r.Offset, n, b)
			}
			n++
		}
	}
	if passed == 0 {
		t.Error("all damaged batches were refused: nothing was tried")
	}
}

func TestRecordsThatAreRefused(t *testing.T) {
	base := func() []byte { return batch.Build(plain, records(3)...) }
	mutated := func(change func(b []byte) []byte) []byte { return resealed(change(base())) }
	for name, c := range map[string]struct {
		b     []byte
		rules batch.Rules
		want  error
	}{
		"more follow":      {mutated(func(b []byte) []byte { return append(b, 0) }), anything, batch.ErrInvalid},
		"fewer than said":  {mutated(func(b []byte) []byte { b[60], b[26] = 9, 8; return b }), anything, batch.ErrInvalid},
		"more than said":   {mutated(func(b []byte) []byte { b[60], b[26] = 2, 1; return b }), anything, batch.ErrInvalid},
		"endless length":   {mutated(func(b []byte) []byte { return append(b[:61], bytes.Repeat([]byte{0xff}, 30)...) }), anything, batch.ErrInvalid},
		"negative length":  {mutated(func(b []byte) []byte { b[61] = 1; return b }), anything, batch.ErrInvalid},
		"offset delta":     {mutated(func(b []byte) []byte { b[64] = 2; return b }), anything, batch.ErrInvalid},
		"no such codec":    {mutated(func(b []byte) []byte { b[22] = 5; return b }), anything, batch.ErrInvalid},
		"gzip of none":     {mutated(func(b []byte) []byte { b[22] = 1; return b }), anything, batch.ErrInvalid},
		"too many bytes":   {packed(t, base(), 4), batch.Rules{AnyTime: true, Decompressed: 10}, batch.ErrTooLarge},
		"a key is missing": {batch.Build(plain, batch.Record{Value: []byte("v")}), batch.Rules{AnyTime: true, Keys: true}, batch.ErrInvalid},
		"too old":          {base(), batch.Rules{Oldest: 1001, Newest: 2000}, batch.ErrTimestamp},
		"too new":          {base(), batch.Rules{Oldest: 0, Newest: 1001}, batch.ErrTimestamp},
	} {
		if err := check(c.b, c.rules); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var of *batch.RecordError
	if err := check(base(), batch.Rules{Newest: 1001}); !errors.As(err, &of) || of.Index != 2 {
		t.Errorf("the third record is too new: %v", err)
	}
}

// TestLargestTimestampIsCorrected, as Kafka does: indexes rely on it.
func TestLargestTimestampIsCorrected(t *testing.T) {
	b := batch.Build(plain, records(3)...)
	binary.BigEndian.PutUint64(b[35:], 77)
	resealed(b)
	if err := check(b, anything); err != nil {
		t.Fatal(err)
	}
	if h, err := batch.Verify(b); err != nil || h.MaxTimestamp != 1002 {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestBombsAreBounded: what decompresses to gigabytes is refused on the way.
func TestBombsAreBounded(t *testing.T) {
	large := batch.Build(plain, batch.Record{Value: make([]byte, 8<<20)})
	for codec := int8(1); codec < 5; codec++ {
		b := packed(t, large, codec)
		rules := anything
		rules.Decompressed = 1 << 20
		if err := check(b, rules); !errors.Is(err, batch.ErrTooLarge) {
			t.Errorf("codec %d: %v", codec, err)
		}
		if err := check(b, anything); err != nil {
			t.Errorf("codec %d: %v", codec, err)
		}
	}
}

func BenchmarkCheckRecords(b *testing.B) {
	rs := make([]batch.Record, 160)
	for i := range rs {
		value := make([]byte, 100)
		for j := range value {
			value[j] = "0123456789abcdef"[(i*j*7+j)%16]
		}
		rs[i] = batch.Record{Timestamp: int64(i), Key: []byte("key"), Value: value}
	}
	plainBatch := batch.Build(plain, rs...)
	for codec, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		one := packed(b, plainBatch, int8(codec))
		b.Run(name, func(b *testing.B) {
			h, _ := batch.Parse(one)
			b.SetBytes(int64(len(plainBatch)))
			b.ReportAllocs()
			for b.Loop() {
				if err := batch.CheckRecords(one, &h, anything); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
