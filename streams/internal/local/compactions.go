package local

import (
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// compactions are not begun before the database is open: an opening that fails then would
// leave one behind that takes down the process, because its caches are gone. Pebble's own
// scheduler is the one that leaves no goroutine behind either; the limit, which the other
// one looks at now and then, does not change here.
type compactions struct {
	*pebble.ConcurrencyLimitScheduler
	open atomic.Bool
}

func newCompactions() *compactions {
	return &compactions{ConcurrencyLimitScheduler: pebble.NewConcurrencyLimitSchedulerWithNoPeriodicGrantingForTest()}
}

func (c *compactions) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	if !c.open.Load() {
		return false, nil
	}
	return c.ConcurrencyLimitScheduler.TrySchedule()
}

// begin makes up for what was refused: one who is done lets in those who wait.
func (c *compactions) begin() {
	c.open.Store(true)
	if ok, grant := c.ConcurrencyLimitScheduler.TrySchedule(); ok {
		grant.Done()
	}
}
