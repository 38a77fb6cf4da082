package saga

import "slices"

// onTimer fires a timer; one that the saga does not have any more is stale.
func (r *run[S]) onTimer(t Timer) bool {
	at := slices.IndexFunc(r.i.Timers, func(have Timer) bool {
		return have.Kind == t.Kind && have.Step == t.Step && have.Attempt == t.Attempt
	})
	if at < 0 {
		return false
	}
	r.i.Timers = slices.Delete(r.i.Timers, at, at+1)
	r.add(Entry{Kind: EntryTimer, Step: t.Step, Attempt: t.Attempt, Note: string(t.Kind)})
	if t.Kind == DeadlineTimer {
		r.onDeadline()
		return true
	}
	s := r.find(t.Step)
	if s == nil {
		return true
	}
	step := r.d.step(s.Name)
	switch running, undoing := s.Phase == StepRunning, s.Phase == StepUndoing; {
	case running && t.Kind == TimeoutTimer:
		s.Unanswered++
		r.attemptFailed(s, noAnswer(step.Timeout, s.Attempt))
	case running && t.Kind == RetryTimer:
		r.attempt(s, step)
	case undoing && t.Kind == UndoTimeoutTimer:
		r.undoFailed(s, noAnswer(step.undoTimeout(), s.Undo))
	case undoing && t.Kind == UndoRetryTimer:
		r.undoAttempt(s, step)
	}
	return true
}

func (r *run[S]) onDeadline() {
	if r.i.Turned != "" {
		r.endWaits()
		return
	}
	r.i.Overdue = true
}
