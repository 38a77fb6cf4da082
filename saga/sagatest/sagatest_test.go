package sagatest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/saga/sagatest"
)

func TestARightDefinitionPasses(t *testing.T) {
	began := time.Now()
	report := sagatest.Check(t, orders(flaws{}))
	took := time.Since(began)
	t.Logf("%s; %v, %.0f states/s", report, took, float64(report.States)/took.Seconds())
	if report.Cut != 0 || report.Ends[saga.Completed] == 0 || report.Ends[saga.Compensated] == 0 {
		t.Errorf("both ends are possible, and everything is explored: %s", report)
	}
}

// TestPlantedMistakesAreFound, each by a shortest schedule.
func TestPlantedMistakesAreFound(t *testing.T) {
	tests := []struct {
		name  string
		flaws flaws
		want  string
		steps int
	}{
		{"late success forgotten", flaws{forgetsLateSuccess: true}, "compensated, 100 paid", 7},
		{"refund not idempotent", flaws{refundsAgain: true}, "refunded 200", 6},
		{"no dedupe", flaws{chargesAgain: true}, "charged 200", 3},
		{"no answer to a duplicate", flaws{answersOnlyTheFirst: true}, "compensated, 100 paid", 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sagatest.Explore(orders(tt.flaws))
			var failure *sagatest.Failure
			if !errors.As(err, &failure) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			t.Log(err)
			if len(failure.Schedule) != tt.steps {
				t.Errorf("the schedule has %d steps, the shortest %d", len(failure.Schedule), tt.steps)
			}
			if left, err := sagatest.Run(orders(tt.flaws), failure.Schedule); err == nil || err.Error() != failure.Error() || len(left) > 0 {
				t.Errorf("run again it says %v, and left out %v", err, left)
			}
			if left, err := sagatest.Run(orders(flaws{}), failure.Schedule); err != nil {
				t.Errorf("without the mistake: %v (left out: %v)", err, left)
			}
			t.Log(failure.Test(t.Name(), sagatest.Caller{Package: "x_test"}))
		})
	}
}

func BenchmarkExplore(b *testing.B) {
	m := orders(flaws{})
	m.Duplicates, m.Timeouts, m.Crashes = 2, 3, 1
	states := 0
	for b.Loop() {
		report, err := sagatest.Explore(m)
		if err != nil {
			b.Fatal(err)
		}
		states += report.States
	}
	b.ReportMetric(float64(states)/b.Elapsed().Seconds(), "states/s")
	b.ReportMetric(float64(states)/float64(b.N), "states")
}
