package run

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

func TestStoresInMemoryBeyondTheirPartAreSaid(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 1, "in", "out")
	r := begin(t, configure(t, k))
	awaitRunning(t, r)
	space, err := r.db.Space(plan.TaskID{Sub: 9}, "large", false)
	if err != nil {
		t.Fatal(err)
	}
	b := r.db.NewBatch()
	defer b.Close()
	b.Set(space, []byte("k"), make([]byte, r.budget.stores+1))
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := r.Health(); err == nil || !strings.Contains(err.Error(), "stores in memory") {
		t.Errorf("it says %v", err)
	}
	if s := r.Stats(); s.InMemoryBytes <= r.budget.stores || s.MemoryBytes < s.InMemoryBytes || s.DiskBytes >= s.InMemoryBytes {
		t.Errorf("%d in memory of %d, %d on disk", s.InMemoryBytes, s.MemoryBytes, s.DiskBytes)
	}
	if err := space.Clear(); err != nil {
		t.Fatal(err)
	}
	if err := r.Health(); err != nil {
		t.Errorf("it still says %v", err)
	}
}
