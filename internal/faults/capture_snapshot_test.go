//go:build unix

package faults_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// Rows that no writer changes, so that each snapshot reads each of them.
const (
	firstQuiet = 10_001
	quietRows  = 300
)

// TestKillCaptureInSnapshot kills the worker within snapshots that signals ask for, beside writers: each
// row is read at most once, at the version that came last, and those that nobody changes exactly once.
func TestKillCaptureInSnapshot(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	c := newCapture(t, broker(t), testenv.Postgres(t), random)
	c.exec(fmt.Sprintf("INSERT INTO counters SELECT i, 1 FROM generate_series(%d, %d) i", firstQuiet, firstQuiet+quietRows-1))
	testenv.Wait(t, "the first snapshot", patience, func() bool { return c.quiet(c.seen) == quietRows })
	rounds := 1
	if full() {
		rounds = 40
	}
	for i := range rounds {
		for _, kind := range []string{"incremental", "blocking"} {
			c.mu.Lock()
			c.again = map[int]int{}
			c.mu.Unlock()
			c.exec(fmt.Sprintf(`INSERT INTO signals VALUES ('%s %d', 'execute-snapshot', '{"type": "%s", "data-collections": ["public.counters"]}')`, kind, i, kind))
			most := 1 + random.IntN(quietRows/2)
			var at int
			testenv.Wait(t, "rows of the snapshot", patience, func() bool {
				c.mu.Lock()
				defer c.mu.Unlock()
				at = len(c.again)
				return at >= most
			})
			c.worker.kill()
			testenv.Wait(t, "the "+kind+" snapshot after a kill", patience, func() bool { return c.quiet(c.again) == quietRows })
			t.Logf("%s: killed after %d rows", kind, at)
		}
	}
	tally.rounds.Add(int64(2 * rounds))
	c.progress(20)
	c.settle("worker killed in snapshots")
}

// quiet counts the rows among them that nobody changes.
func (c *capture) quiet(rows map[int]int) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range rows {
		if id >= firstQuiet {
			n++
		}
	}
	return n
}
