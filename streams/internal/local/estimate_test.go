package local

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestEstimates(t *testing.T) {
	kinds(t, func(t *testing.T, db *DB, s Space) {
		if n := s.Keys(); n != 0 {
			t.Errorf("%d keys of an empty space", n)
		}
		for _, keys := range []int64{100, 3 * countExactly} {
			b := db.NewBatch()
			for i := range keys {
				b.Set(s, fmt.Append(nil, "key", i), fmt.Append(nil, "some value", i))
			}
			if err := b.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := db.Flush(); err != nil {
				t.Fatal(err)
			}
			if n := s.Keys(); n < keys || n > keys+200 {
				t.Errorf("%d keys estimated of %d", n, keys)
			}
			if n := s.Size(); n < keys || n > keys*200 {
				t.Errorf("%d bytes of %d keys", n, keys)
			}
		}
		if db.Memory() <= 0 {
			t.Error("no memory is used")
		}
		if err := s.Clear(); err != nil || s.Keys() != 0 {
			t.Errorf("%d keys of a cleared space, %v", s.Keys(), err)
		}
	})
}

func TestBudget(t *testing.T) {
	b := NewBudget(1000)
	a, c := b.Part(), b.Part()
	a.Add(500)
	c.Add(300)
	if b.Used() != 800 || b.Tight() || a.Tight() {
		t.Errorf("%d used, tight %v", b.Used(), b.Tight())
	}
	if a.Add(100); !b.Tight() || !c.Tight() {
		t.Error("not tight at nine tenths")
	}
	if a.Release(); b.Used() != 300 || a.Used() != 0 {
		t.Errorf("%d used", b.Used())
	}
}

// What spaces in memory hold is counted, and given back.
func TestSpacesInMemoryAreCounted(t *testing.T) {
	budget := NewBudget(1 << 30)
	db, err := Open(Options{Dir: "stores", FS: vfs.NewMem(), Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	s, err := db.Space(TaskID{}, "s", false)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, db, s, 1, "a", "b", "b")
	full := budget.Used()
	if full != s.Size() || full <= 0 {
		t.Errorf("%d counted, the space says %d", full, s.Size())
	}
	if err := db.Drop(TaskID{}); err != nil || budget.Used() != 0 {
		t.Errorf("%d counted after it was dropped, %v", budget.Used(), err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
