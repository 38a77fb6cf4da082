package saga

import "fmt"

func (r *run[S]) onAnswer(a *Answer[S]) (bool, error) {
	if a.Result == Ignored && !a.Begins {
		return false, nil
	}
	if r.fresh() && !r.d.choreographed {
		return false, fmt.Errorf("%w: saga %s %s has not begun, and step %q was answered", ErrNotFound, r.d.Name, r.i.ID, a.Step)
	}
	if a.Begins {
		return r.onBegins(a)
	}
	step := r.d.step(a.Step)
	if err := r.possible(step, a); err != nil {
		return false, err
	}
	if r.fresh() {
		if a.Result == UndoFailed {
			return false, nil
		}
		r.begin()
	}
	s := r.find(a.Step)
	if s == nil {
		s = r.early(step, a)
	}
	if s == nil || !r.takes(s, step, a) {
		return false, nil
	}
	r.take(s, a)
	return true, nil
}

// early is a step that only waits, and is told of before its turn: others do not know
// of turns, and say once what they have to say. While the saga is undone, or after it,
// only what was done counts.
func (r *run[S]) early(step *Step[S], a *Answer[S]) *StepState {
	phase, told := StepRunning, a.Result == Succeeded
	switch {
	case step.Action != nil:
		return nil
	case r.i.Turned != "" || r.i.Status.Ended():
		phase = StepUnknown
	default:
		told = told || step.Skip == nil || !step.Skip(r.i.State)
	}
	if !told {
		return nil
	}
	r.i.Steps = append(r.i.Steps, StepState{Name: step.Name, Phase: phase, Attempt: 1, Since: r.now})
	return &r.i.Steps[len(r.i.Steps)-1]
}

func (r *run[S]) possible(step *Step[S], a *Answer[S]) error {
	switch a.Result {
	case Succeeded, Refused, Failed, Undone, UndoFailed:
	default:
		return fmt.Errorf("%w: result %q of step %q of saga %s %s", ErrAnswer, a.Result, a.Step, r.d.Name, r.i.ID)
	}
	switch {
	case step == nil:
		return fmt.Errorf("%w: saga %s (version %d) has no step %q; message %s answers it for %s",
			ErrAnswer, r.d.Name, r.d.version(), a.Step, r.cause.ID, r.i.ID)
	case a.Attempt < 0:
		return fmt.Errorf("%w: attempt %d of step %q of saga %s %s", ErrAnswer, a.Attempt, a.Step, r.d.Name, r.i.ID)
	}
	return nil
}

// onBegins fills a choreography's state, also where others were heard of before, or
// it has ended meanwhile: a late success may need it.
func (r *run[S]) onBegins(a *Answer[S]) (bool, error) {
	switch {
	case !r.d.choreographed:
		return false, fmt.Errorf("%w: Begins is for choreographies, saga %s %s is started by Manager.Start", ErrAnswer, r.d.Name, r.i.ID)
	case a.Step != "":
		return false, fmt.Errorf("%w: the first message of saga %s %s begins it and answers step %q; it can do one", ErrAnswer, r.d.Name, r.i.ID, a.Step)
	case r.i.Begun || r.i.Status == Resolved:
		return false, nil
	case r.fresh():
		r.begin()
	default:
		e := Entry{Kind: EntryAnswer, Note: "the first message of the transaction"}
		r.about(&e)
		r.add(e)
	}
	r.i.Begun = true
	r.change(a)
	return true, nil
}

func (r *run[S]) change(a *Answer[S]) {
	if a.Apply != nil {
		a.Apply(r.state())
	}
}

// takes says whether an answer tells something, or is late, repeated or impossible.
func (r *run[S]) takes(s *StepState, step *Step[S], a *Answer[S]) bool {
	if a.Result == Succeeded {
		return r.takesSuccess(s, step, a)
	}
	if r.i.Status.Ended() {
		return false
	}
	current := a.Attempt == 0 || a.Attempt == s.Attempt
	switch a.Result {
	case Refused:
		return current && (s.Phase == StepRunning || s.Phase == StepUnknown)
	case Failed:
		return current && s.Phase == StepRunning && !r.hasTimer(RetryTimer, s.Name)
	case UndoFailed:
		current = a.Attempt == 0 || a.Attempt == s.Undo
		return current && s.Phase == StepUndoing && !r.hasTimer(UndoRetryTimer, s.Name)
	}
	switch s.Phase { // Undone
	case StepUndoing, StepUndoFailed:
		return a.Attempt <= s.Undo
	case StepRunning, StepUnknown:
		return true
	case StepSucceeded:
		return r.i.Turned != ""
	}
	return false
}

// takesSuccess: a success tells that the action was done, whichever attempt it was.
// It counts for a step that was given up, too.
func (r *run[S]) takesSuccess(s *StepState, step *Step[S], a *Answer[S]) bool {
	if a.Attempt > s.Attempt {
		return false
	}
	switch s.Phase {
	case StepRunning:
		return true
	case StepRefused:
		return s.Parked
	case StepSkipped, StepUnknown, StepFailed:
		switch {
		case s.Attempt == 0 || step.Pivot && r.i.Turned != "":
			return false
		case r.i.Status.Ended():
			untouched := step.OnlySuccess || s.Phase == StepFailed // others were compensated, or left by a person
			return r.i.Status == Compensated && untouched && step.Compensation != nil
		}
		return true
	}
	return false
}

func (r *run[S]) take(s *StepState, a *Answer[S]) {
	e := Entry{Kind: EntryAnswer, Step: s.Name, Attempt: s.Attempt, Note: string(a.Result)}
	reason := readable(a.Reason)
	if reason != "" {
		e.Note += ": " + reason
	}
	switch {
	case a.Result == Succeeded && s.Phase != StepRunning:
		e.Kind = EntryLateAnswer
	case a.Result == UndoFailed, a.Result == Undone && s.Undo > 0:
		e.Attempt = s.Undo
	}
	r.about(&e)
	r.add(e)
	r.change(a)
	switch a.Result {
	case Succeeded:
		r.phase(s, StepSucceeded, "")
		if r.i.Status.Ended() {
			r.reopen(s.Name + " succeeded late")
		}
	case Refused:
		r.phase(s, StepRefused, orElse(reason, s.Name+" was refused"))
	case Failed:
		r.attemptFailed(s, orElse(reason, "failed"))
	case Undone:
		if s.Undo > 0 {
			reason = ""
		} else {
			reason = orElse(reason, s.Name+" was undone")
		}
		r.phase(s, StepUndone, reason)
	case UndoFailed:
		r.undoFailed(s, orElse(reason, "failed"))
	}
}
