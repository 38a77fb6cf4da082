package projection

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

func TestCutRanges(t *testing.T) {
	type ranges = []StoredRange
	for name, c := range map[string]struct {
		stored      ranges
		min, max    int
		start       string
		cursor      string
		taken, left ranges
	}{
		"the first":             {nil, 0, 1023, "7", "7", nil, nil},
		"the first, no start":   {nil, 0, 1023, "", "", nil, nil},
		"the same again":        {ranges{stored(0, 1023, "9")}, 0, 1023, "7", "9", ranges{stored(0, 1023, "9")}, nil},
		"one half":              {ranges{stored(0, 1023, "9")}, 0, 511, "7", "9", ranges{stored(0, 1023, "9")}, ranges{left(512, 1023, "9")}},
		"the middle":            {ranges{stored(0, 1023, "9")}, 300, 400, "7", "9", ranges{stored(0, 1023, "9")}, ranges{left(0, 299, "9"), left(401, 1023, "9")}},
		"two halves":            {ranges{stored(0, 511, "9"), stored(512, 1023, "8")}, 0, 1023, "7", "8", ranges{stored(0, 511, "9"), stored(512, 1023, "8")}, nil},
		"across two":            {ranges{stored(0, 511, "9"), stored(512, 1023, "8")}, 511, 512, "7", "8", ranges{stored(0, 511, "9"), stored(512, 1023, "8")}, ranges{left(0, 510, "9"), left(513, 1023, "8")}},
		"not the neighbours":    {ranges{stored(0, 511, "3"), stored(512, 1023, "8")}, 512, 1023, "1", "8", ranges{stored(512, 1023, "8")}, nil},
		"slices without range":  {ranges{stored(0, 511, "9")}, 0, 1023, "7", "7", ranges{stored(0, 511, "9")}, nil},
		"a later start":         {ranges{stored(0, 511, "9")}, 0, 1023, "12", "9", ranges{stored(0, 511, "9")}, nil},
		"no start":              {ranges{stored(0, 511, "9")}, 0, 1023, "", "", ranges{stored(0, 511, "9")}, nil},
		"one at its beginning":  {ranges{stored(0, 511, ""), stored(512, 1023, "8")}, 0, 1023, "7", "", ranges{stored(0, 511, ""), stored(512, 1023, "8")}, nil},
		"beside what is stored": {ranges{stored(0, 511, "9")}, 512, 1023, "7", "7", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cut, err := CutRanges(c.stored, journal.SliceRange{Min: c.min, Max: c.max}, cursor(c.start), smaller)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(cut.Cursor, cursor(c.cursor)) || !reflect.DeepEqual(cut.Taken, c.taken) || !reflect.DeepEqual(cut.Left, c.left) {
				t.Fatalf("got %+v", cut)
			}
		})
	}
}

func TestCutRangesRefuses(t *testing.T) {
	if _, err := CutRanges(nil, journal.SliceRange{Min: 5, Max: 4}, nil, smaller); err == nil {
		t.Fatal("a range that is none")
	}
	damaged := errors.New("damaged")
	_, err := CutRanges([]StoredRange{stored(0, 1, "1"), stored(2, 3, "2")}, journal.SliceRange{Min: 0, Max: 3}, nil,
		func(a, b journal.Cursor) (journal.Cursor, error) { return nil, damaged })
	if !errors.Is(err, damaged) {
		t.Fatalf("got %v", err)
	}
}

func TestOnlyKnown(t *testing.T) {
	half := []StoredRange{stored(0, 511, "1")}
	if _, err := CutRanges(half, journal.SliceRange{Min: 0, Max: 511}, OnlyKnown, smaller); !errors.Is(err, ErrUnknown) {
		t.Errorf("slices for which nothing was saved: %v", err)
	}
	half[0].Saved = time.Now()
	if cut, err := CutRanges(half, journal.SliceRange{Min: 0, Max: 511}, OnlyKnown, smaller); err != nil || string(cut.Cursor) != "1" {
		t.Errorf("known slices: %+v, %v", cut, err)
	}
	for _, r := range []journal.SliceRange{{Min: 0, Max: 512}, {Min: 600, Max: 700}} {
		if _, err := CutRanges(half, r, OnlyKnown, smaller); !errors.Is(err, ErrUnknown) {
			t.Errorf("slices %s: %v", r, err)
		}
	}
}

func TestOnlyNew(t *testing.T) {
	all := journal.AllSlices()
	for _, start := range []string{"", "7"} {
		marked := OnlyNew(cursor(start))
		for name, none := range map[string][]StoredRange{"nothing": nil, "what a backend made of nothing": {{Slices: all, Cursor: marked}}} {
			if cut, err := CutRanges(none, all, marked, smaller); err != nil || !bytes.Equal(cut.Cursor, cursor(start)) || (start == "") != (cut.Cursor == nil) {
				t.Errorf("of %s, from %q: %+v, %v", name, start, cut, err)
			}
		}
		for _, r := range []StoredRange{stored(0, 1023, ""), stored(5, 6, ""), stored(1000, 1023, "7")} {
			if _, err := CutRanges([]StoredRange{r}, all, marked, smaller); !errors.Is(err, ErrKnown) {
				t.Errorf("beside %+v: %v", r, err)
			}
		}
	}
}

// TestCutRangesModel claims at random; every slice keeps what it has read.
func TestCutRangesModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var all []StoredRange
	var read [journal.Slices]int // how far each slice was read
	for range 2000 {
		a, b := random.IntN(journal.Slices), random.IntN(journal.Slices)
		claim := journal.SliceRange{Min: min(a, b), Max: max(a, b)}
		cut, err := CutRanges(all, claim, cursor("0"), smaller)
		if err != nil {
			t.Fatal(err)
		}
		all = apply(all, cut, claim)
		at, _ := strconv.Atoi(string(cut.Cursor))
		for slice := claim.Min; slice <= claim.Max; slice++ {
			if at > read[slice] {
				t.Fatalf("claim %s begins at %d, slice %d has read up to %d", claim, at, slice, read[slice])
			}
			read[slice] = at
		}
		all[len(all)-1].Cursor = cursor(strconv.Itoa(at + random.IntN(10)))
		at, _ = strconv.Atoi(string(all[len(all)-1].Cursor))
		var owners [journal.Slices]int
		for _, r := range all {
			for slice := r.Slices.Min; slice <= r.Slices.Max; slice++ {
				owners[slice]++
			}
		}
		for slice, n := range owners {
			if claim.Contains(slice) {
				read[slice] = at
			}
			if n > 1 || claim.Contains(slice) && n != 1 {
				t.Fatalf("slice %d is in %d ranges after claim %s", slice, n, claim)
			}
		}
	}
}

func apply(all []StoredRange, cut Cut, claim journal.SliceRange) []StoredRange {
	var next []StoredRange
	for _, r := range all {
		if !r.Slices.Overlaps(claim) {
			next = append(next, r)
		}
	}
	return append(append(next, cut.Left...), StoredRange{Slices: claim, Cursor: cut.Cursor})
}

func stored(min, max int, at string) StoredRange {
	return StoredRange{Slices: journal.SliceRange{Min: min, Max: max}, Epoch: 1, Cursor: cursor(at)}
}

func left(min, max int, at string) StoredRange {
	r := stored(min, max, at)
	r.Epoch = 0
	return r
}

// cursor is a number; "" is none.
func cursor(at string) journal.Cursor {
	if at == "" {
		return nil
	}
	return journal.Cursor(at)
}

func smaller(a, b journal.Cursor) (journal.Cursor, error) {
	left, err := strconv.Atoi(string(a))
	if err != nil {
		return nil, err
	}
	right, err := strconv.Atoi(string(b))
	if err != nil {
		return nil, err
	}
	if left < right {
		return a, nil
	}
	return b, nil
}
