package saga

import (
	"fmt"
	"strings"
)

func (r *run[S]) onCancel(reason string) error {
	pivot := r.pivot()
	switch {
	case r.i.Status.Ended():
		return r.refuse("it has ended as %s", r.i.Status)
	case r.i.Turned != "":
		return r.refuse("it is being undone already")
	case pivot != nil && pivot.Phase != StepSkipped:
		return r.refuse("step %s has begun, after which it only goes forward", pivot.Name)
	}
	if r.d.Cancellable != nil {
		if err := r.d.Cancellable(r.context("", 0), r.i.State); err != nil {
			return err
		}
	}
	reason = orElse(readable(reason), "cancelled")
	e := Entry{Kind: EntryCancel, Note: reason}
	r.about(&e)
	r.add(e)
	r.turn(reason)
	return nil
}

func (r *run[S]) refuse(format string, args ...any) error {
	return fmt.Errorf("%w: saga %s %s: %s", ErrRefused, r.d.Name, r.i.ID, fmt.Sprintf(format, args...))
}

func (r *run[S]) onAct(a Act) error {
	switch {
	case a.Revision != 0 && a.Revision != r.i.Revision:
		return fmt.Errorf("%w: saga %s %s is at revision %d, not %d any more: look at it again", ErrChanged, r.d.Name, r.i.ID, r.i.Revision, a.Revision)
	case r.i.Status.Ended():
		return r.refuse("it has ended as %s", r.i.Status)
	case strings.TrimSpace(a.Reason) == "":
		return r.refuse("%s needs a reason", a.Do)
	}
	reason := readable(a.Reason)
	e := Entry{Kind: EntryAct, Actor: readable(a.Actor), Note: string(a.Do) + ": " + reason}
	if a.Do == ResolveAct {
		r.add(e)
		r.i.Reason = reason
		r.end(Resolved, reason)
		return nil
	}
	s, err := r.target(a)
	if err != nil {
		return err
	}
	e.Step = s.Name
	r.add(e)
	r.act(a.Do, s)
	return nil
}

// target is the step that an act is about. Where none is named it is the only one
// that is parked, or else the only one under way.
func (r *run[S]) target(a Act) (*StepState, error) {
	switch a.Do {
	case RetryAct, SkipAct, ForceAct:
	default:
		return nil, r.refuse("%q is no act; there are retry, skip, force and resolve", a.Do)
	}
	if a.Step != "" {
		s := r.find(a.Step)
		if s == nil {
			return nil, r.refuse("step %q has not begun", a.Step)
		}
		if why := r.senseless(a.Do, s); why != "" {
			return nil, r.refuse("%s of step %s: %s", a.Do, s.Name, why)
		}
		return s, nil
	}
	var parked, all []*StepState
	for k := range r.i.Steps {
		s := &r.i.Steps[k]
		if r.senseless(a.Do, s) != "" {
			continue
		}
		all = append(all, s)
		if s.Parked {
			parked = append(parked, s)
		}
	}
	switch {
	case len(parked) == 1:
		return parked[0], nil
	case len(all) == 1:
		return all[0], nil
	case len(all) == 0:
		return nil, r.refuse("there is no step to %s", a.Do)
	}
	names := make([]string, len(all))
	for k, s := range all {
		names[k] = s.Name
	}
	return nil, r.refuse("say which step to %s: %s", a.Do, strings.Join(names, ", "))
}

// senseless says why an act makes no sense on a step, "" where it does.
func (r *run[S]) senseless(do ActAction, s *StepState) string {
	step := r.d.step(s.Name)
	switch {
	case s.Phase == StepUndoing || s.Phase == StepUndoFailed:
		return ""
	case s.Phase != StepRunning && (r.i.Turned != "" || !r.blocks(s)):
		return fmt.Sprintf("it is %s, and nothing waits for it", s.Phase)
	case do == RetryAct && step.Action == nil:
		return "it has nothing to send; it waits for a message of others"
	case do == RetryAct && s.Phase == StepUndone:
		return "it was undone, and is not done again"
	}
	return ""
}

func (r *run[S]) act(do ActAction, s *StepState) {
	step := r.d.step(s.Name)
	undoing := s.Phase == StepUndoing || s.Phase == StepUndoFailed
	switch {
	case do == RetryAct && undoing:
		r.beginUndo(s)
	case do == RetryAct:
		if s.Phase == StepRunning && !r.hasTimer(RetryTimer, s.Name) {
			s.Unanswered++ // the attempt that is given up for the new one
		}
		r.phase(s, StepRunning, "")
		s.Left = step.attempts()
		r.attempt(s, step)
	case do == SkipAct && undoing:
		r.phase(s, StepUndoSkipped, "")
	case do == SkipAct:
		r.phase(s, StepSkipped, "")
	case undoing: // force
		r.phase(s, StepUndone, "")
	default:
		r.phase(s, StepSucceeded, "")
	}
}
