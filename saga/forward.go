package saga

// forward begins what can begin, and turns the saga where a step has failed.
func (r *run[S]) forward() {
	why := r.failure()
	pivot := r.pivot()
	switch {
	case why == "" || pivot != nil && pivot.Phase == StepSucceeded:
		if r.beginSteps() {
			r.end(Completed, "")
		}
	case pivot != nil && r.pivotOpen(pivot):
		// Whether it will go forward or back is not known yet: nothing begins.
	default:
		r.turn(why)
	}
}

// failure is why the saga cannot complete, "" where it can.
func (r *run[S]) failure() string {
	if r.i.Overdue && r.d.OnDeadline == CompensateAtDeadline {
		return r.deadlineText()
	}
	for k := range r.i.Steps {
		s := &r.i.Steps[k]
		switch {
		case !r.blocks(s):
		case s.Phase == StepRefused || s.Phase == StepUndone:
			return s.Reason
		default:
			return s.Name + ": " + s.Reason
		}
	}
	return ""
}

// blocks says of a saga that goes forward whether a step keeps it from going on.
func (r *run[S]) blocks(s *StepState) bool {
	switch s.Phase {
	case StepRefused, StepFailed, StepUnknown, StepUndone:
		return !r.d.step(s.Name).tolerated()
	}
	return false
}

// done says of a saga that goes forward whether what follows a step may begin.
func (r *run[S]) done(s *StepState) bool {
	if s.Phase == StepRunning {
		return r.d.step(s.Name).optional
	}
	return !r.blocks(s)
}

// pivot is the pivot step, nil where it has not begun.
func (r *run[S]) pivot() *StepState {
	for k := range r.i.Steps {
		if s := &r.i.Steps[k]; r.d.step(s.Name).Pivot {
			return s
		}
	}
	return nil
}

// pivotOpen says whether the pivot may still succeed, or may have. One that is known
// not to be done is not tried again, because the saga is to be undone.
func (r *run[S]) pivotOpen(s *StepState) bool {
	if s.Phase == StepRunning && s.Unanswered == 0 && r.hasTimer(RetryTimer, s.Name) {
		r.giveUp(s)
	}
	return s.Phase == StepRunning || s.Phase == StepUnknown
}

// beginSteps begins all steps whose turn it is, and says whether all are done.
func (r *run[S]) beginSteps() (all bool) {
	for k := range r.d.Steps {
		step := &r.d.Steps[k]
		if step.Parallel == nil {
			if !r.passes(step) {
				return false
			}
			continue
		}
		joined := true
		for _, branch := range step.Parallel {
			joined = r.passesBranch(branch) && joined
		}
		if !joined {
			return false
		}
	}
	return true
}

func (r *run[S]) passesBranch(branch []Step[S]) bool {
	for k := range branch {
		if !r.passes(&branch[k]) {
			return false
		}
	}
	return true
}

// passes begins a step that has not, and says whether it is done.
func (r *run[S]) passes(step *Step[S]) bool {
	s := r.find(step.Name)
	if s == nil {
		s = r.beginStep(step)
	}
	return r.done(s)
}

func (r *run[S]) beginStep(step *Step[S]) *StepState {
	r.i.Steps = append(r.i.Steps, StepState{Name: step.Name, Phase: StepRunning, Since: r.now})
	s := &r.i.Steps[len(r.i.Steps)-1]
	if step.Skip != nil && step.Skip(r.i.State) {
		r.phase(s, StepSkipped, "")
		r.add(Entry{Kind: EntryStep, Step: s.Name, Note: "skipped"})
		return s
	}
	s.Left = step.attempts()
	r.attempt(s, step)
	return s
}

// attempt sends what a step has to send, once more.
func (r *run[S]) attempt(s *StepState, step *Step[S]) {
	r.dropTimers(s.Name)
	s.Attempt++
	s.Left--
	if step.Action != nil {
		c := r.context(s.Name, s.Attempt)
		r.send(EntryCommand, s, s.Attempt, s.Name, step.Action(c, r.state()))
	}
	switch {
	case step.Notify:
		r.phase(s, StepSucceeded, "")
	case step.Timeout > 0:
		r.timer(TimeoutTimer, s.Name, s.Attempt, step.Timeout)
	}
}

// attemptFailed has a step try again or give up.
func (r *run[S]) attemptFailed(s *StepState, reason string) {
	s.Reason = reason
	step := r.d.step(s.Name)
	if s.Left == 0 || r.i.Turned != "" || step.Action == nil {
		r.giveUp(s)
		return
	}
	r.dropTimers(s.Name)
	r.timer(RetryTimer, s.Name, s.Attempt+1, step.Retry.pause(step.attempts()-s.Left))
}

// giveUp settles a step whose attempts have failed.
func (r *run[S]) giveUp(s *StepState) {
	phase := StepFailed
	if s.Unanswered > 0 {
		phase = StepUnknown
	}
	r.phase(s, phase, s.Reason)
	r.add(Entry{Kind: EntryStep, Step: s.Name, Attempt: s.Attempt, Note: "given up: " + s.Reason})
}

// phase moves a step on. Nothing is waited for then, unless a timer is set anew.
func (r *run[S]) phase(s *StepState, p StepPhase, reason string) {
	s.Phase, s.Reason, s.Since, s.Left = p, reason, r.now, 0
	r.dropTimers(s.Name)
}
