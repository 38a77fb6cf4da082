package saga

import (
	"fmt"
	"time"
)

// end closes the saga. What was not answered stays unknown.
func (r *run[S]) end(s Status, note string) {
	for k := range r.i.Steps {
		if step := &r.i.Steps[k]; step.Phase == StepRunning {
			step.Unanswered++
			r.phase(step, StepUnknown, "not waited for any more")
		}
	}
	r.i.Timers = r.i.Timers[:0]
	r.i.Ended = r.now
	r.status(s, note)
	if r.d.OnEnd != nil && !r.i.Told {
		r.i.Told = true
		r.hook("!end", r.d.OnEnd(r.context("", 0), r.state(), s))
	}
}

// reopen leads a saga that was compensated back, because a step succeeded after all.
func (r *run[S]) reopen(reason string) {
	r.i.Ended = time.Time{}
	r.status(Compensating, reason)
}

// stand derives what people see: status, reason, which steps are parked.
func (r *run[S]) stand() {
	switch {
	case r.i.Status == Resolved:
	case r.i.Status.Ended():
		r.i.Reason = r.i.Turned
	default:
		status, reason := r.standing()
		r.i.Reason = reason
		r.status(status, reason)
	}
	for k := range r.i.Steps {
		s := &r.i.Steps[k]
		s.Parked = r.i.Status == NeedsReview && r.parks(s)
	}
	if r.i.Turned != "" && !r.unsettled() {
		r.dropTimers("") // the deadline has nothing left to end
	}
}

func (r *run[S]) standing() (Status, string) {
	parked := ""
	for k := range r.i.Steps {
		s := &r.i.Steps[k]
		if parked == "" && s.Phase != StepRunning && r.parks(s) {
			parked = fmt.Sprintf("step %s: %s", s.Name, s.Reason)
			if s.Phase == StepUndoFailed {
				parked = fmt.Sprintf("compensation of %s: %s", s.Name, s.Reason)
			}
		}
	}
	switch {
	case parked != "":
		return NeedsReview, parked
	case r.i.Turned != "":
		return Compensating, r.i.Turned
	case r.i.Overdue:
		return NeedsReview, r.deadlineText()
	}
	return Running, r.failure()
}

// parks says whether a saga needs review because of a step.
func (r *run[S]) parks(s *StepState) bool {
	if r.i.Turned != "" {
		return s.Phase == StepUndoFailed
	}
	if s.Phase == StepRunning {
		return r.i.Overdue && !r.d.step(s.Name).optional
	}
	if !r.blocks(s) {
		return false
	}
	pivot := r.pivot()
	return pivot != nil && (pivot.Phase == StepSucceeded || pivot == s)
}
