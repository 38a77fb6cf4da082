package killtest

import (
	"context"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// TestClockSteps: whatever time it is, what was acknowledged is there. Transactions may time
// out, members be missed; steps are too short for what is kept for a day or a week.
func TestClockSteps(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := newWorld(t, broker.OS, t.TempDir())
	w.config.Steps = 10 * time.Hour
	w.config.Settings["log.message.timestamp.after.max.ms"] = strconv.Itoa(math.MaxInt64) // clients' clocks do not step
	numbers := newSequences(w, "numbers")
	numbers.tail = newTail(w, numbers.topic, false)
	kept := []workload{numbers, newTransactions(w), newPositions(w), newRetainedBySize(w), newVersions(w)}
	w.begin(ctx, append(kept, newWatermarks(w, kept...))...)
	for range testenv.Sized(2, 40) {
		w.round()
	}
	w.finish(ctx)
}
