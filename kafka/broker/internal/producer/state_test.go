package producer_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
)

// data is a header of n records of producer 1.
func data(offset int64, epoch int16, sequence, n int32) batch.Header {
	return batch.Header{BaseOffset: offset, ProducerID: 1, ProducerEpoch: epoch, BaseSequence: sequence, LastDelta: n - 1, Count: n}
}

func transactional(h batch.Header) batch.Header {
	h.Attributes |= 0x10
	return h
}

func TestRetriesAreKnownAndGapsRefused(t *testing.T) {
	s := producer.New()
	for i := range int64(7) {
		h := data(i*3, 0, int32(i*3), 3)
		if d, err := s.Check(h); d != nil || err != nil {
			t.Fatalf("batch %d: %v, %v", i, d, err)
		}
		s.Appended(h, 100)
	}
	for i := range int64(7) {
		d, err := s.Check(data(999, 0, int32(i*3), 3))
		if i < 2 { // forgotten; it must not be appended again all the same
			if !errors.Is(err, producer.ErrOutOfOrderSequence) {
				t.Errorf("batch %d: %v, %v", i, d, err)
			}
		} else if d == nil || *d != (producer.Duplicate{Base: i * 3, Last: i*3 + 2}) || err != nil {
			t.Errorf("batch %d: %v, %v", i, d, err)
		}
	}
	for _, sequence := range []int32{22, 20, 0} {
		if d, err := s.Check(data(999, 0, sequence, 2)); !errors.Is(err, producer.ErrOutOfOrderSequence) {
			t.Errorf("sequence %d: %v, %v", sequence, d, err)
		}
	}
}

func TestEpochs(t *testing.T) {
	s := producer.New()
	s.Appended(data(0, 3, 0, 5), 100)
	if _, err := s.Check(data(5, 2, 5, 1)); !errors.Is(err, producer.ErrInvalidEpoch) {
		t.Errorf("older: %v", err)
	}
	if _, err := s.Check(data(5, 4, 5, 1)); !errors.Is(err, producer.ErrOutOfOrderSequence) {
		t.Errorf("newer, not from 0: %v", err)
	}
	if d, err := s.Check(data(5, 4, 0, 5)); d != nil || err != nil {
		t.Errorf("newer, from 0: %v, %v", d, err)
	}
	s.Ended(batch.Marker{ProducerID: 1, ProducerEpoch: 5, CoordinatorEpoch: 2}, 5, 100)
	if _, err := s.Check(data(6, 4, 0, 1)); !errors.Is(err, producer.ErrInvalidEpoch) {
		t.Errorf("after a marker that fences: %v", err)
	}
	if err := s.CheckMarker(batch.Marker{ProducerID: 1, ProducerEpoch: 4, CoordinatorEpoch: 2}); !errors.Is(err, producer.ErrInvalidEpoch) {
		t.Errorf("marker of an older epoch: %v", err)
	}
	if err := s.CheckMarker(batch.Marker{ProducerID: 1, ProducerEpoch: 5, CoordinatorEpoch: 1}); !errors.Is(err, producer.ErrCoordinatorFenced) {
		t.Errorf("marker of an older coordinator: %v", err)
	}
}

func TestSequencesWrap(t *testing.T) {
	s := producer.New()
	s.Appended(data(0, 0, math.MaxInt32-1, 3), 100) // …46, …47, 0
	if d, err := s.Check(data(3, 0, 1, 1)); d != nil || err != nil {
		t.Fatalf("%v, %v", d, err)
	}
	if d, _ := s.Check(data(3, 0, math.MaxInt32-1, 3)); d == nil {
		t.Fatal("the retry over the end is not known")
	}
}

func TestTransactionsBoundWhatIsStable(t *testing.T) {
	s := producer.New()
	s.Appended(transactional(data(10, 0, 0, 5)), 100)
	other := transactional(data(15, 0, 0, 5))
	other.ProducerID = 2
	s.Appended(other, 100)
	if got := s.Stable(20); got != 10 {
		t.Errorf("two open: %d", got)
	}
	if _, err := s.Check(data(20, 0, 5, 1)); !errors.Is(err, producer.ErrInvalidTxnState) {
		t.Errorf("data of no transaction: %v", err)
	}
	s.Ended(batch.Marker{ProducerID: 1}, 20, 100)
	if got := s.Stable(20); got != 10 {
		t.Errorf("the marker is not acknowledged, and stable is %d", got)
	}
	if got := s.Stable(21); got != 15 {
		t.Errorf("one open: %d", got)
	}
	s.Ended(batch.Marker{ProducerID: 2, Commit: true}, 21, 100)
	if got := s.Stable(22); got != 22 {
		t.Errorf("none open: %d", got)
	}
	want := []producer.Aborted{{ProducerID: 1, First: 10, Last: 20}}
	for _, r := range [][2]int64{{0, 11}, {20, 21}, {12, 13}} {
		if got := s.Between(r[0], r[1]); !slices.Equal(got, want) {
			t.Errorf("aborted in %v: %v", r, got)
		}
	}
	for _, r := range [][2]int64{{0, 10}, {21, 99}} {
		if got := s.Between(r[0], r[1]); len(got) > 0 {
			t.Errorf("aborted in %v: %v", r, got)
		}
	}
	s.Forget(21)
	if got := s.Between(0, 99); len(got) > 0 {
		t.Errorf("forgotten, and found: %v", got)
	}
}

func TestIdleProducersExpire(t *testing.T) {
	s := producer.New()
	s.Appended(data(0, 0, 0, 1), 100)
	open := transactional(data(1, 0, 0, 1))
	open.ProducerID = 2
	s.Appended(open, 100)
	if n := s.Expire(100); n != 0 {
		t.Fatalf("%d expired", n)
	}
	if n := s.Expire(101); n != 1 || s.Len() != 1 {
		t.Fatalf("%d expired, %d left", n, s.Len())
	}
	if first, ok := s.Open(2); !ok || first != 1 {
		t.Fatal("the open transaction went")
	}
}

func TestSnapshots(t *testing.T) {
	rnd := testenv.Rand(t)
	s := random(rnd)
	b := s.Encode(nil)
	again, err := producer.Decode(b)
	if err != nil || !slices.Equal(again.Producers(), s.Producers()) || again.Stable(500) != s.Stable(500) ||
		!slices.Equal(again.Between(0, 1000), s.Between(0, 1000)) || !slices.Equal(again.Encode(nil), s.Encode(nil)) {
		t.Fatalf("it came back different: %v", err)
	}
	b = s.Encode(nil)
	for i, good := range slices.Clone(b) {
		b[i] ^= 1 << rnd.IntN(8)
		if _, err := producer.Decode(b); !errors.Is(err, producer.ErrCorrupt) {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
		b[i] = good
		if _, err := producer.Decode(b[:i]); !errors.Is(err, producer.ErrCorrupt) {
			t.Fatalf("cut to %d: %v", i, err)
		}
	}
}

func random(rnd *rand.Rand) *producer.State {
	s := producer.New()
	for offset := range int64(200) {
		id, epoch := rnd.Int64N(9), int16(rnd.IntN(3))
		if rnd.IntN(3) == 0 {
			s.Ended(batch.Marker{ProducerID: id, ProducerEpoch: epoch, Commit: rnd.IntN(2) == 0}, offset, offset)
			continue
		}
		h := transactional(data(offset, epoch, rnd.Int32(), 1))
		h.ProducerID = id
		s.Appended(h, offset)
	}
	return s
}

func FuzzSnapshot(f *testing.F) {
	f.Add(random(rand.New(rand.NewPCG(1, 2))).Encode(nil))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = producer.Decode(b) })
}
