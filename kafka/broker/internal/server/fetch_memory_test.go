package server

import (
	"context"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
)

// TestFetchesShareMemory: each has what it is about to read before it reads, and none has most.
func TestFetchesShareMemory(t *testing.T) {
	budget := wire.NewBudget(1 << 20)
	hurry := func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return ctx, cancel
	}
	var all []*fetched
	for range 4 {
		m := &fetched{budget: budget}
		if !m.wait(16<<20, hurry, true) {
			t.Fatalf("no room for fetch %d", len(all))
		}
		all = append(all, m)
	}
	late := &fetched{budget: budget}
	if late.wait(1, hurry, true) || late.wait(1, hurry, false) {
		t.Error("a fifth may read while four do")
	}
	for _, m := range all {
		m.room(1000)
		m.room(100_000)
		m.keep(50)
	}
	if most := late.most(); most >= 1<<20/fetchShare || !late.wait(most, hurry, true) {
		t.Errorf("%d bytes are left, of which %d may be read", budget.Free(), most)
	}
	for _, m := range append(all, late) {
		m.release()
	}
	if budget.Used() != 0 {
		t.Errorf("%d bytes are not given back", budget.Used())
	}
}
