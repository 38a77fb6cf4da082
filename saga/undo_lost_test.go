package saga

import (
	"testing"
	"time"
)

// TestCompensationThatTheDefinitionHasLostNeedsReview: what was done is not taken for
// undone because nobody knows any more how to undo it.
func TestCompensationThatTheDefinitionHasLostNeedsReview(t *testing.T) {
	d := Definition[[]string]{Name: "order", Steps: []Step[[]string]{step("stock undo undo-timeout=10s"), step("pay")}}
	i := Instance[[]string]{ID: "1"}
	take := func(in Input[[]string]) {
		t.Helper()
		decision, err := d.Decide(i, in, scriptStart.Add(time.Hour))
		if err != nil || decision.Stale {
			t.Fatalf("%+v, %v", decision, err)
		}
		i = decision.Instance
	}
	take(Input[[]string]{Start: &[]string{}})
	take(Input[[]string]{Answer: answer("stock", "SUCCEEDED")})
	take(Input[[]string]{Answer: answer("pay", "REFUSED")})
	take(Input[[]string]{Timer: &i.Timers[0]}) // the compensation was not answered
	d.Steps[0].Compensation, d.Steps[0].CompensationNotify = nil, false
	take(Input[[]string]{Timer: &i.Timers[0]})
	if s, _ := i.Step("stock"); i.Status != NeedsReview || s.Phase != StepUndoFailed {
		t.Errorf("%s, %+v", i.Status, s)
	}
	take(Input[[]string]{Act: &Act{Do: ForceAct, Reason: "undone by phone"}})
	if i.Status != Compensated {
		t.Errorf("%s", i.Status)
	}
}
