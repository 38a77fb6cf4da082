package batch

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestShortRecordsAreWhatTheirPartsAre: what passes at once passes field by field, with the same
// result, however it was damaged.
func TestShortRecordsAreWhatTheirPartsAre(t *testing.T) {
	rnd := testenv.Rand(t)
	short := 0
	for range testenv.Sized(30_000, 3_000_000) {
		b := append(randomRecord(rnd), make([]byte, rnd.IntN(20))...)
		for range rnd.IntN(3) {
			b[rnd.IntN(min(len(b), 12))] = byte(rnd.Uint32())
		}
		fast, slow := scanner{rest: b}, scanner{rest: b}
		f, ok := fast.short()
		if !ok {
			if fast.passed != 0 || len(fast.rest) != len(b) {
				t.Fatalf("refused, and yet passed %d bytes of %x", fast.passed, b)
			}
			continue
		}
		short++
		g, err := slow.parts()
		if err != nil || f != g || fast.passed != slow.passed || !bytes.Equal(fast.rest, slow.rest) {
			t.Fatalf("at once %+v and %d bytes, in parts %+v, %d and %v: %x", f, fast.passed, g, slow.passed, err, b)
		}
	}
	if short == 0 {
		t.Error("none passed at once")
	}
}

// TestUsualRecordsAreShort, which is why producing is fast.
func TestUsualRecordsAreShort(t *testing.T) {
	h := Header{BaseOffset: 5, BaseTimestamp: 1000}
	header := append(binary.AppendVarint(nil, 1), append(append(binary.AppendVarint(nil, 2), "id"...), append(binary.AppendVarint(nil, 3), "abc"...)...)...)
	for _, r := range []Record{
		{Offset: 5, Timestamp: 1000, Key: []byte("k"), Value: make([]byte, 100)},
		{Offset: 900, Timestamp: 1990, Value: make([]byte, 2000)},
		{Offset: 70, Timestamp: 999, Key: make([]byte, 100), Value: make([]byte, 70), headers: header},
		{Offset: 70, Timestamp: 999, Key: make([]byte, 100)},
	} {
		s := scanner{rest: append(appendRecord(nil, r, h), 0, 0, 0, 0, 0, 0)}
		if f, ok := s.short(); !ok || f.offset != r.Offset-5 || f.timestamp != r.Timestamp-1000 || len(s.rest) != 6 {
			t.Errorf("%+v: %+v, %v, %d bytes left", r, f, ok, len(s.rest))
		}
	}
}

// randomRecord has numbers about where their form becomes longer.
func randomRecord(rnd *rand.Rand) []byte {
	near := func() int { return []int{0, 1, 62, 63, 64, 65, 8190, 8191, 8192}[rnd.IntN(9)] }
	value := func() []byte {
		if rnd.IntN(4) == 0 {
			return nil
		}
		return make([]byte, near())
	}
	r := Record{Offset: int64(near()), Timestamp: int64(near() - 100), Key: value(), Value: value()}
	if n := rnd.IntN(4); n > 0 {
		r.headers = binary.AppendVarint(nil, int64(n))
		for range n {
			for _, part := range [][]byte{make([]byte, rnd.IntN(70)), value()} {
				r.headers = append(binary.AppendVarint(r.headers, lengthOf(part)), part...)
			}
		}
	}
	return appendRecord(nil, r, Header{})
}
