package inbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

func at(seconds int64) time.Time { return time.Unix(seconds, 0) }

func TestScheduleTriesTheOldestOfAKeyFirst(t *testing.T) {
	s := newSchedule([]Waiting{
		{Offset: 1, Key: "a", Attempts: 1, Next: at(50), Size: 10},
		{Offset: 2, Key: "a", Size: 10},
		{Offset: 3, Key: "b", Attempts: 1, Next: at(20), Size: 10},
		{Offset: 4, Key: "b", Size: 10},
		{Offset: 5, Attempts: 1, Next: at(30), Size: 10}, // no key: a line of its own
		{Offset: 6, Attempts: 1, Next: at(10), Size: 10},
		{Offset: 7, Key: "c", Parked: true, Size: 10},
		{Offset: 8, Key: "c", Parked: true, Size: 10},
	})
	var order []int64
	for row, ok := s.next(); ok; row, ok = s.next() {
		order = append(order, row.Offset)
		s.remove(row)
	}
	if want := []int64{6, 3, 4, 5, 1, 2}; !slices.Equal(order, want) {
		t.Errorf("tried in the order %v, want %v", order, want)
	}
	if s.rows != 2 || s.bytes != 20 {
		t.Errorf("%d rows, %d bytes are left, want the 2 parked ones", s.rows, s.bytes)
	}
}

func TestScheduleKnowsTheStateOfAKey(t *testing.T) {
	s := newSchedule(nil)
	s.put(Waiting{Offset: 1, Key: "a", Attempts: 1, Next: at(5)})
	s.put(Waiting{Offset: 2, Key: "b", Attempts: 3, Parked: true})
	s.put(Waiting{Offset: 3, Attempts: 1})
	for key, want := range map[string]lineState{"a": lineWaits, "b": lineParked, "": lineFree, "c": lineFree} {
		if got := s.state(key); got != want {
			t.Errorf("key %q: %d, want %d", key, got, want)
		}
	}
	s.remove(Waiting{Offset: 1, Key: "a"})
	if s.state("a") != lineFree {
		t.Error("a is not free after its only message left")
	}
}

// The schedule against a plain list, step by step at random.
func TestScheduleAgainstAList(t *testing.T) {
	random := testenv.Rand(t)
	s, list := newSchedule(nil), map[int64]Waiting{}
	for step := range 5000 {
		offset := random.Int64N(60)
		key := fmt.Sprint(offset % 7)
		if key == "0" {
			key = ""
		}
		if random.IntN(3) == 0 {
			s.remove(Waiting{Offset: offset, Key: key})
			delete(list, offset)
		} else {
			row := randomRow(random, offset, key)
			s.put(row)
			list[offset] = row
		}
		want, wantOK := firstOf(list)
		got, ok := s.next()
		if ok != wantOK || ok && (got.Offset != want.Offset || got.Attempts != want.Attempts) {
			t.Fatalf("step %d: next is %+v (%t), want %+v (%t)", step, got, ok, want, wantOK)
		}
		var bytes int64
		for _, row := range list {
			bytes += row.Size
		}
		if s.bytes != bytes || s.rows != len(list) {
			t.Fatalf("step %d: %d bytes in %d rows, want %d in %d", step, s.bytes, s.rows, bytes, len(list))
		}
	}
}

func randomRow(random *rand.Rand, offset int64, key string) Waiting {
	return Waiting{
		Offset: offset, Key: key, Attempts: random.IntN(5), Next: at(random.Int64N(30)),
		Parked: key != "" && random.IntN(6) == 0, Size: random.Int64N(100),
	}
}

// firstOf looks for what next should say.
func firstOf(list map[int64]Waiting) (Waiting, bool) {
	heads := map[string]Waiting{}
	for _, row := range list {
		name := row.Key
		if name == "" {
			name = fmt.Sprintf("offset %d", row.Offset)
		}
		if head, ok := heads[name]; !ok || row.Offset < head.Offset {
			heads[name] = row
		}
	}
	var first Waiting
	found := false
	for _, head := range heads {
		if !head.Parked && (!found || head.Next.Before(first.Next) || head.Next.Equal(first.Next) && head.Offset < first.Offset) {
			first, found = head, true
		}
	}
	return first, found
}
