package killtest

import (
	"context"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// TestKill9 ends with every book right, after each kind of end.
func TestKill9(t *testing.T) {
	for _, d := range []broker.Durability{broker.Fsync, broker.OS} {
		t.Run(string(d), func(t *testing.T) {
			for range testenv.Sized(1, 10) {
				survive(t, newWorld(t, d, t.TempDir()), testenv.Sized(10, 30))
			}
		})
	}
}

// TestKill9Heavy has records so large that the journal's files and the logs' follow one another.
func TestKill9Heavy(t *testing.T) {
	for _, d := range []broker.Durability{broker.Fsync, broker.OS} {
		t.Run(string(d), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w := newWorld(t, d, t.TempDir())
			heavy := newSequences(w, "heavy")
			heavy.size, heavy.pace = 400_000, 100*time.Millisecond
			heavy.config = map[string]string{"segment.bytes": "20000000"}
			w.begin(ctx, heavy, newTransactions(w))
			for range testenv.Sized(3, 12) {
				w.round()
			}
			w.finish(ctx)
		})
	}
}

// TestKill9Access has every client say who it is.
func TestKill9Access(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := newWorld(t, broker.Fsync, t.TempDir())
	w.begin(ctx, newAccess(w), newSequences(w, "numbers"))
	for range testenv.Sized(3, 50) {
		w.round()
	}
	w.finish(ctx)
}

func survive(t *testing.T, w *world, rounds int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	numbers := newSequences(w, "numbers")
	numbers.tail = newTail(w, numbers.topic, false)
	in := newSequences(w, "in")
	in.pace = 40 * time.Millisecond
	there := newTransform(w, "in", "through", in.done, withMembers)
	out := newTransform(w, "through", "out", there.done, withSessions)
	kept := []workload{numbers, newTransactions(w), in, there, out, newPositions(w), newRetainedBySize(w), newRetainedByTime(w), newTrimmed(w), newVersions(w)}
	w.begin(ctx, append(kept, newWatermarks(w, kept...), newReaders(w, numbers.topic), newChanges(w))...)
	for range rounds {
		w.round()
	}
	w.finish(ctx)
}
