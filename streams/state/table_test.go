package state

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestTable does random things to a table and to a map.
func TestTable(t *testing.T) {
	r := testenv.Rand(t)
	tab, model := newTable[int64](), map[string]int64{}
	key := func() []byte {
		n := r.IntN(3000)
		k := fmt.Appendf(nil, "%d", n)
		if n%100 == 0 {
			k = append(k, make([]byte, 100*n)...) // some are longer than a chunk
		}
		if n == 1 {
			k = nil
		}
		return k
	}
	for range 60_000 {
		k := key()
		i, ok := tab.find(k)
		want, has := model[string(k)]
		if ok != has || ok && tab.slot(i).value != want {
			t.Fatalf("%.20q: found %v, want %v, %v", k, ok, want, has)
		}
		switch n := r.IntN(10); {
		case n < 5:
			v := r.Int64()
			if !ok {
				var err error
				if i, err = tab.add(k); err != nil {
					t.Fatal(err)
				}
			}
			tab.slot(i).value = v
			model[string(k)] = v
		case n < 8 && ok:
			tab.remove(i)
			delete(model, string(k))
		case n == 9 && r.IntN(100) == 0:
			tab.sweep(100, func(i uint32) bool {
				drop := r.IntN(2) == 0
				if drop {
					delete(model, string(tab.key(i)))
				}
				return drop
			})
		}
		if tab.sparse() {
			tab.rebuild()
		}
		if tab.live != len(model) {
			t.Fatalf("%d entries, want %d", tab.live, len(model))
		}
	}
	if _, err := tab.add(make([]byte, maxKey+1)); err == nil {
		t.Error("a key of more than maxKey bytes was taken")
	}
	same(t, &tab, model)
}

func same(t *testing.T, tab *table[int64], model map[string]int64) {
	t.Helper()
	tab.rebuild()
	for k, v := range model {
		if i, ok := tab.find([]byte(k)); !ok || tab.slot(i).value != v {
			t.Fatalf("%.20q is lost", k)
		}
	}
}
