package state_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// counting is a batch that counts what is put into it.
type counting struct {
	local.Batch
	sets, deletes int
}

func (c *counting) Set(s local.Space, key, value []byte) {
	c.sets++
	c.Batch.Set(s, key, value)
}

func (c *counting) Delete(s local.Space, key []byte) {
	c.deletes++
	c.Batch.Delete(s, key)
}

// A commit writes what changed and stream time, in the place where that was before.
func TestCommitOfAWindowStoreWritesTwoKeys(t *testing.T) {
	h := newHarness(t, state.Windows("windows", time.Minute, time.Hour, serde.String(), serde.Int64()))
	for n := range int64(3) {
		h.must(h.store.(state.WindowStore[string, int64]).Put("k", n*60_000, n))
		h.must(h.store.Log())
		b := &counting{Batch: h.batch}
		h.must(h.store.Apply(b))
		h.must(h.batch.Commit())
		if b.sets != 2 || b.deletes != 0 {
			t.Errorf("commit %d: %d keys set and %d deleted, want 2 and none", n, b.sets, b.deletes)
		}
	}
}
