package batch_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
)

// resealed gives bytes a CRC and a length that fit, so that hostile content comes past them.
func resealed(b []byte) []byte {
	if len(b) >= batch.HeaderSize {
		b[16] = 2
		binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
		binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	}
	return b
}

// look reads bytes in every way there is; it must not panic, nor use much memory.
func look(b []byte) {
	_, _, _ = batch.Split(b, 1<<20)
	_, _, _ = batch.ReadMarker(b)
	it, err := batch.Records(b, 1<<20)
	if err != nil {
		return
	}
	var kept []batch.Record
	for r, ok := it.Next(); ok; r, ok = it.Next() {
		kept = append(kept, r)
	}
	if it.Err() != nil {
		return
	}
	if out, err := batch.Rewrite(b, kept, 0); err == nil {
		if _, err := batch.Verify(out); err != nil {
			panic(err)
		}
	}
}

func FuzzHostileBytes(f *testing.F) {
	seed := batch.Build(plain, records(3)...)
	for codec := range int8(5) {
		f.Add(packed(f, seed, codec))
	}
	f.Add(batch.Marker{Commit: true}.Batch(1))
	f.Fuzz(func(t *testing.T, b []byte) {
		look(b)
		look(resealed(bytes.Clone(b)))
	})
}

func TestHostileBytes(t *testing.T) {
	rnd := testenv.Rand(t)
	seed := batch.Build(plain, records(3)...)
	var seeds [5][]byte
	for codec := range seeds {
		seeds[codec] = packed(t, seed, int8(codec))
	}
	for range testenv.Sized(200, 100_000) {
		b := bytes.Clone(seeds[rnd.IntN(5)])
		for range 1 + rnd.IntN(4) {
			b[rnd.IntN(len(b))] = byte(rnd.Uint32())
		}
		look(b)
		look(resealed(b[:rnd.IntN(len(b)+1)]))
	}
}
