package saga

// turn has the saga undo what was done. Attempts that were to come are given up.
func (r *run[S]) turn(reason string) {
	r.i.Turned = reason
	r.status(Compensating, reason)
	for k := range r.i.Steps {
		s := &r.i.Steps[k]
		if s.Phase == StepRunning && r.hasTimer(RetryTimer, s.Name) {
			r.giveUp(s)
		}
	}
	if r.i.Overdue {
		r.endWaits()
	}
	if r.d.OnCompensate != nil {
		r.hook("!compensate", r.d.OnCompensate(r.context("", 0), r.state()))
	}
}

// endWaits gives up the steps that only the deadline ends. Abortable ones are
// compensated as they stand.
func (r *run[S]) endWaits() {
	for k := range r.i.Steps {
		s := &r.i.Steps[k]
		step := r.d.step(s.Name)
		if s.Phase == StepRunning && !step.Pivot && !step.Abortable && step.Timeout == 0 {
			s.Unanswered++
			s.Reason = r.deadlineText()
			r.giveUp(s)
		}
	}
}

// undo compensates one step after the other, the last begun first, once those under
// way have settled.
func (r *run[S]) undo() {
	if r.unsettled() && !r.d.choreographed {
		return
	}
	for {
		s := r.nextUndo()
		switch {
		case s == nil:
			if !r.unsettled() {
				r.end(Compensated, r.i.Turned)
			}
			return
		case s.Phase == StepUndoing || s.Phase == StepUndoFailed:
			return
		}
		r.beginUndo(s)
	}
}

// unsettled says whether a step is waited for. A choreography undoes without
// waiting, but does not end before it has heard of all or its deadline passed.
func (r *run[S]) unsettled() bool {
	for k := range r.i.Steps {
		s := &r.i.Steps[k]
		if step := r.d.step(s.Name); s.Phase == StepRunning && !step.Abortable && !step.optional {
			return true
		}
	}
	return false
}

// nextUndo is the step that is being compensated, or else the next to be; nil where
// none is left.
func (r *run[S]) nextUndo() *StepState {
	var next *StepState
	for k := range r.i.Steps {
		switch s := &r.i.Steps[k]; {
		case s.Phase == StepUndoing || s.Phase == StepUndoFailed:
			return s
		case r.undoable(s):
			next = s
		}
	}
	return next
}

func (r *run[S]) undoable(s *StepState) bool {
	step := r.d.step(s.Name)
	if step.Compensation == nil {
		return false
	}
	switch s.Phase {
	case StepSucceeded:
		return true
	case StepUnknown:
		return !step.OnlySuccess
	case StepRunning:
		return step.Abortable
	}
	return false
}

func (r *run[S]) beginUndo(s *StepState) {
	step := r.d.step(s.Name)
	r.phase(s, StepUndoing, "")
	s.Left = step.undoAttempts()
	r.undoAttempt(s, step)
}

// undoAttempt sends a compensation, once more.
func (r *run[S]) undoAttempt(s *StepState, step *Step[S]) {
	if step.Compensation == nil { // the definition has lost it meanwhile
		s.Left = 0
		r.undoFailed(s, "its definition has no compensation any more")
		return
	}
	r.dropTimers(s.Name)
	s.Undo++
	s.Left--
	messages := step.Compensation(r.context(s.Name, s.Undo), r.state())
	r.send(EntryUndo, s, s.Undo, "~"+s.Name, messages)
	switch {
	case step.CompensationNotify || len(messages) == 0:
		r.phase(s, StepUndone, "")
	case step.undoTimeout() > 0:
		r.timer(UndoTimeoutTimer, s.Name, s.Undo, step.undoTimeout())
	}
}

// undoFailed has a compensation try again, or parks the saga.
func (r *run[S]) undoFailed(s *StepState, reason string) {
	step := r.d.step(s.Name)
	if s.Left == 0 {
		r.phase(s, StepUndoFailed, reason)
		r.add(Entry{Kind: EntryStep, Step: s.Name, Attempt: s.Undo, Note: "compensation given up: " + reason})
		return
	}
	s.Reason = reason
	r.dropTimers(s.Name)
	r.timer(UndoRetryTimer, s.Name, s.Undo+1, step.CompensationRetry.pause(step.undoAttempts()-s.Left))
}
