package saga

import "fmt"

// check holds what must be true of every decision.
func (w *walk) check(before Instance[walkState], d Decision[walkState], in Input[walkState]) {
	w.checkMessages(d, in)
	w.checkSteps(before, d, in)
	w.checkUndo(before, d)
	w.checkEnd(before, in)
	w.checkTimers()
	if w.i.Revision != before.Revision+1 {
		w.fail("revision %d after %d", w.i.Revision, before.Revision)
	}
}

func (w *walk) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf(format, args...)
}

// checkMessages: each is stamped, and its key is that of no other attempt.
func (w *walk) checkMessages(d Decision[walkState], in Input[walkState]) {
	fresh := map[string]string{}
	for _, m := range d.Messages {
		key := m.Headers[HeaderKey]
		if key == "" || w.keys[key] || fresh[key] != "" && fresh[key] != m.Type {
			w.fail("key %q of %s was used before", key, m.Type)
		}
		fresh[key] = m.Type
		if m.CorrelationID != "c1" || m.CausationID != in.Event.ID {
			w.fail("correlation %q, causation %q of %q", m.CorrelationID, m.CausationID, in.Event.ID)
		}
	}
	for key := range fresh {
		w.keys[key] = true
	}
}

// checkSteps: what was undone, or left, stays so; steps begin once, and not after the
// saga has turned.
func (w *walk) checkSteps(before Instance[walkState], d Decision[walkState], in Input[walkState]) {
	for _, s := range w.i.Steps {
		if s.Attempt == 0 && s.Phase != StepSkipped {
			w.fail("%s was never tried and is %s", s.Name, s.Phase)
		}
		if w.d.step(s.Name).Pivot && s.Phase == StepSucceeded && w.i.Turned != "" {
			w.fail("the pivot has succeeded, and the saga is undone")
		}
	}
	for _, e := range d.Entries {
		if e.Kind == EntryCommand && before.Turned != "" && in.Act == nil {
			w.fail("%s was tried again while the saga was undone", e.Step)
		}
	}
	for k, was := range before.Steps {
		is := w.i.Steps[k]
		if is.Name != was.Name || is.Attempt < was.Attempt || is.Undo < was.Undo {
			w.fail("step %+v became %+v", was, is)
		}
		// What a participant undid by itself (Undo is 0) a person may overrule.
		if was.Undo > 0 && (was.Phase == StepUndone || was.Phase == StepUndoSkipped) && is.Phase != was.Phase {
			w.fail("step %s was %s and is %s", was.Name, was.Phase, is.Phase)
		}
		if step := w.d.step(was.Name); step.Pivot && was.Phase == StepSucceeded && is.Phase != was.Phase {
			w.fail("the pivot had succeeded and is %s", is.Phase)
		}
	}
	if before.Turned != "" {
		if len(w.i.Steps) != len(before.Steps) && w.d.step(w.i.Steps[len(before.Steps)].Name).Action != nil {
			w.fail("began %s while it was undone", w.i.Steps[len(before.Steps)].Name)
		}
		if w.i.Turned != before.Turned {
			w.fail("turned twice: %s, %s", before.Turned, w.i.Turned)
		}
	}
}

// checkUndo: compensations begin the last step first, each after the one before, when
// nothing is waited for; none after the pivot.
func (w *walk) checkUndo(before Instance[walkState], d Decision[walkState]) {
	undoing, last := 0, len(w.i.Steps)
	for _, s := range w.i.Steps {
		if s.Phase == StepUndoing || s.Phase == StepUndoFailed {
			undoing++
		}
	}
	if undoing > 1 {
		w.fail("%d compensations at a time", undoing)
	}
	for _, e := range d.Entries {
		if e.Kind != EntryUndo {
			continue
		}
		at := w.index(e.Step)
		if was, begun := before.Step(e.Step); begun && was.Undo > 0 {
			continue // tried again
		}
		if at > last {
			w.fail("%s is undone after one that began before it", e.Step)
		}
		last = at
	}
	if last == len(w.i.Steps) {
		return
	}
	r := &run[walkState]{d: &w.d, i: w.i}
	for k := range w.i.Steps {
		s := &w.i.Steps[k]
		if k > last && r.undoable(s) {
			w.fail("%s is undone before %s, which began later", w.i.Steps[last].Name, s.Name)
		}
		if w.d.step(s.Name).Pivot && (s.Phase == StepSucceeded || s.Phase == StepUnknown || s.Phase == StepRunning) {
			w.fail("undone though the pivot is %s", s.Phase)
		}
	}
	if r.unsettled() && !w.d.choreographed {
		w.fail("undone before all had settled")
	}
}

func (w *walk) index(step string) int {
	for k, s := range w.i.Steps {
		if s.Name == step {
			return k
		}
	}
	panic("no step " + step)
}

// checkEnd: an end is reached for a reason and left for one only; otherwise something
// is awaited.
func (w *walk) checkEnd(before Instance[walkState], in Input[walkState]) {
	late := in.Answer != nil && in.Answer.Result == Succeeded && before.Status == Compensated &&
		w.leftAlone(before, in.Answer.Step)
	first := in.Answer != nil && in.Answer.Begins
	if before.Status.Ended() && before.Status != w.i.Status && !late || before.Status.Ended() && !late && !first {
		w.fail("%s was left for %s", before.Status, w.i.Status)
	}
	if w.ends > 1 || w.i.Status.Ended() && w.ends != 1 {
		w.fail("%s and OnEnd was called %d times", w.i.Status, w.ends)
	}
	if w.i.Status.Ended() == w.i.Ended.IsZero() {
		w.fail("%s, ended at %s", w.i.Status, w.i.Ended)
	}
	r := &run[walkState]{d: &w.d, i: w.i}
	awaited, parked := 0, 0
	for k := range w.i.Steps {
		s := &w.i.Steps[k]
		if s.Parked {
			parked++
		}
		if s.Phase == StepRunning || s.Phase == StepUndoing {
			awaited++
		}
		switch {
		case w.i.Status == Completed && !r.done(s):
			w.fail("COMPLETED, and %s is %s", s.Name, s.Phase)
		case w.i.Status == Compensated && (r.undoable(s) || s.Phase == StepUndoFailed):
			w.fail("COMPENSATED, and %s is %s", s.Name, s.Phase)
		}
	}
	switch status := w.i.Status; {
	case status.Ended() && awaited > 0 && status != Resolved, !status.Ended() && awaited+parked == 0:
		w.fail("%s, and %d steps are awaited", status, awaited)
	case (status == NeedsReview) != (parked > 0):
		w.fail("%s, and %d steps are parked", status, parked)
	}
}

// checkTimers: each belongs to a step under way, and there are not more than those.
func (w *walk) checkTimers() {
	if w.i.Status.Ended() && len(w.i.Timers) > 0 {
		w.fail("%s with timers %v", w.i.Status, w.i.Timers)
	}
	seen := map[string]bool{}
	for _, t := range w.i.Timers {
		if seen[t.Step] {
			w.fail("two timers of %q: %v", t.Step, w.i.Timers)
		}
		seen[t.Step] = true
		if t.Kind == DeadlineTimer {
			continue
		}
		s, _ := w.i.Step(t.Step)
		running := t.Kind == TimeoutTimer || t.Kind == RetryTimer
		if running != (s.Phase == StepRunning) || !running && s.Phase != StepUndoing {
			w.fail("timer %s of a step that is %s", fmt.Sprint(t), s.Phase)
		}
	}
}

// leftAlone says of a compensated saga's step that it was not compensated, though it
// might have been done.
func (w *walk) leftAlone(before Instance[walkState], step string) bool {
	s, _ := before.Step(step)
	return w.d.step(step).OnlySuccess || s.Phase == StepFailed
}
