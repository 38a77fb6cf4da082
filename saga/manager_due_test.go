package saga_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

// TestFireDueFiresInTheCallersGoroutine: no more than what is due, without a Service.
func TestFireDueFiresInTheCallersGoroutine(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		c := w.config(journey(1))
		c.TimerBatch = 1 // several transactions
		m := w.manager(c)
		w.start(m, "t1", "t2", "t3")
		attempts := func() []int {
			var all []int
			for _, id := range []string{"t1", "t2", "t3"} {
				_, entries := w.saga(id)
				timers := 0
				for _, e := range entries {
					if e.Kind == saga.EntryTimer {
						timers++
					}
				}
				all = append(all, timers)
			}
			return all
		}
		for _, step := range []struct {
			pass time.Duration
			want int
		}{{9 * time.Second, 0}, {time.Second, 1}, {0, 1}} {
			w.clock.move(step.pass)
			if err := m.FireDue(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, n := range attempts() {
				if n != step.want {
					t.Errorf("after %s more, timers have fired %v times, want %d each", step.pass, attempts(), step.want)
					break
				}
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := m.FireDue(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that ended: %v", err)
		}
	})
}
