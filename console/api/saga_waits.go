package api

import (
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/saga"
)

// SagaWait is a step whose answer a saga waits for.
type SagaWait struct {
	Step saga.StepState
	// Undo says that it is the compensation's.
	Undo bool
	// Sent is the last message of the step, nil where it has none.
	Sent *saga.Entry
	// Timer ends the wait, or begins the next attempt; nil where nothing does but the
	// answer or a person.
	Timer *saga.Timer
}

// SagaWaits are what a saga waits for, in the order in which its steps began.
func SagaWaits(d admin.SagaDetail) []SagaWait {
	var all []SagaWait
	if d.Status.Ended() {
		return nil
	}
	for _, s := range d.Steps {
		if s.Phase == saga.StepRunning || s.Phase == saga.StepUndoing {
			w := SagaWait{Step: s, Undo: s.Phase == saga.StepUndoing}
			w.Sent, w.Timer = sentFor(d.Entries, s, w.Undo), timerOf(d.Timers, s.Name)
			all = append(all, w)
		}
	}
	return all
}

// sentFor is the last message of what is under way.
func sentFor(entries []saga.Entry, s saga.StepState, undo bool) *saga.Entry {
	kind := saga.EntryCommand
	if undo {
		kind = saga.EntryUndo
	}
	for i, e := range slices.Backward(entries) {
		if e.Kind == kind && e.Step == s.Name {
			return &entries[i]
		}
	}
	return nil
}

// timerOf is the step's own, or else the deadline of the whole.
func timerOf(timers []saga.Timer, step string) *saga.Timer {
	for _, name := range []string{step, ""} {
		if i := slices.IndexFunc(timers, func(t saga.Timer) bool { return t.Step == name }); i >= 0 {
			return &timers[i]
		}
	}
	return nil
}

// Retrying says that an attempt failed and the next one is to come: no answer is
// waited for.
func (w SagaWait) Retrying() bool {
	return w.Timer != nil && (w.Timer.Kind == saga.RetryTimer || w.Timer.Kind == saga.UndoRetryTimer)
}

// Since is when the wait began.
func (w SagaWait) Since() time.Time {
	if w.Sent != nil && w.Sent.At.After(w.Step.Since) {
		return w.Sent.At
	}
	return w.Step.Since
}

// For is what it waits for, in a few words.
func (w SagaWait) For() string {
	what, attempt := "step "+w.Step.Name, w.Step.Attempt
	if w.Undo {
		what, attempt = "the compensation of "+w.Step.Name, w.Step.Undo
	}
	switch {
	case w.Retrying():
		return fmt.Sprintf("attempt %d of %s", w.Timer.Attempt, what)
	case w.Sent == nil:
		return "an event of others that answers " + what
	}
	return fmt.Sprintf("the answer of %s to message %s in topic %s (attempt %d)", what, w.Sent.Type, w.Sent.Topic, attempt)
}

// Ends says what ends the wait if nothing else does.
func (w SagaWait) Ends() string {
	if w.Timer == nil {
		return "No timer ends this wait: only the answer does, or a person."
	}
	at := clockUTC(w.Timer.Due)
	switch w.Timer.Kind {
	case saga.DeadlineTimer:
		return "The deadline of the whole saga is at " + at + "."
	case saga.RetryTimer, saga.UndoRetryTimer:
		return fmt.Sprintf("It is sent at %s; the attempt before: %s.", at, orNothing(w.Step.Reason))
	}
	return "If none comes, this attempt ends at " + at + "."
}

func orNothing(reason string) string {
	if reason == "" {
		return "no reason was given"
	}
	return reason
}

// clockUTC has the day where that is not today's for most who read it: a timer may be
// days away.
func clockUTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// SagaStepsToActOn are the steps that a person can retry, skip or force: those that
// the saga is parked at, and those that it waits for.
func SagaStepsToActOn(d admin.SagaDetail) []saga.StepState {
	var parked, open []saga.StepState
	if d.Status.Ended() {
		return nil
	}
	for _, s := range d.Steps {
		switch {
		case s.Parked:
			parked = append(parked, s)
		case s.Phase == saga.StepRunning || s.Phase == saga.StepUndoing:
			open = append(open, s)
		}
	}
	return append(parked, open...)
}
