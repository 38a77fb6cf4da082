package projection

import (
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

func TestLastOffsets(t *testing.T) {
	claim := Claim{Projection: "p", Slices: journal.SliceRange{Min: 5, Max: 9}}
	got, err := LastOffsets(claim, []Offset{
		{PersistenceID: "b", Slice: 6, SeqNr: 1}, {PersistenceID: "a", Slice: 7, SeqNr: 4}, {PersistenceID: "b", Slice: 6, SeqNr: 3},
		{PersistenceID: "b", Slice: 6, SeqNr: 2}, {PersistenceID: "a", Slice: 6, SeqNr: 9},
	})
	if want := "[{a 6 9} {b 6 3} {a 7 4}]"; err != nil || short(got) != want {
		t.Fatalf("got %s, %v, want %s", short(got), err, want)
	}
	forgotten := time.Unix(9, 0)
	got, err = LastOffsets(claim, []Offset{{PersistenceID: "a", Slice: 6, SeqNr: 7}, {PersistenceID: "a", Slice: 6, SeqNr: 1, Time: forgotten}})
	if want := "[{a 6 1}]"; err != nil || short(got) != want {
		t.Fatalf("an entity that began again: got %s, %v, want %s", short(got), err, want)
	}
	if got, err := LastOffsets(claim, nil); err != nil || len(got) > 0 {
		t.Fatalf("of none: %v, %v", got, err)
	}
	if _, err := LastOffsets(claim, []Offset{{PersistenceID: "a", Slice: 10, SeqNr: 1}}); err == nil {
		t.Fatal("a slice outside the claim was taken")
	}
}

func short(offsets []Offset) string {
	type row struct {
		ID    string
		Slice int
		SeqNr int64
	}
	rows := []row{}
	for _, o := range offsets {
		rows = append(rows, row{o.PersistenceID, o.Slice, o.SeqNr})
	}
	return fmt.Sprint(rows)
}

func TestKeyConcerns(t *testing.T) {
	mine := journal.SliceRange{Min: 256, Max: 511}
	for key, want := range map[string]bool{
		"0-1023": true, "256-511": true, "0-256": true, "511-600": true, "300-300": true,
		"0-255": false, "512-1023": false, "512-512": false,
		"": true, "tag-1": true, "0-1024": true, "9-3": true, "-1-5": true, "a": true, "1-2-3": true, "0 -255": true,
	} {
		if got := KeyConcerns(key, mine); got != want {
			t.Errorf("%q: got %t", key, got)
		}
	}
}
