package saga

import (
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// Decide says what follows from one input. It does no I/O and does not change i: the
// State of the decision is a copy of its own where a function of the definition may
// have changed it. (Such a copy is made through JSON, or by assignment where S has no
// pointers, slices, maps or interfaces.)
//
// The zero Instance with its ID and CorrelationID, and Input.Start, begins a saga; for
// a choreography so does Input.Answer. Errors: ErrNotFound where i has not begun,
// ErrRefused and ErrChanged of acts and cancels, what Cancellable returned, ErrAnswer,
// ErrVersion. A panic of the definition's functions passes through.
func (d Definition[S]) Decide(i Instance[S], in Input[S], now time.Time) (Decision[S], error) {
	r := &run[S]{d: &d, i: i, now: now.UTC().Truncate(time.Microsecond), cause: &in.Event}
	if err := r.fits(); err != nil {
		return Decision[S]{}, err
	}
	r.i.Steps = append(make([]StepState, 0, len(i.Steps)+2), i.Steps...)
	r.i.Timers = append(make([]Timer, 0, len(i.Timers)+2), i.Timers...)
	changed, err := r.apply(in)
	if err == nil {
		err = r.err
	}
	if err != nil {
		return Decision[S]{}, err
	}
	if !changed {
		return Decision[S]{Instance: i, Stale: true}, nil
	}
	r.i.Revision++
	r.i.Changed = r.now
	return Decision[S]{Instance: r.i, Messages: r.messages, Entries: r.entries}, nil
}

// run is one decision being made.
type run[S any] struct {
	d     *Definition[S]
	i     Instance[S] // Steps and Timers are copies
	now   time.Time
	cause *event.Event

	owned    bool // State is a copy
	messages []outbox.Message
	entries  []Entry
	err      error // the first of copying the state
}

// fits checks that the instance is one of this definition.
func (r *run[S]) fits() error {
	if r.i.Name != "" && r.i.Name != r.d.Name {
		return fmt.Errorf("%w: instance %s is one of saga %q, not of %q", ErrVersion, r.i.ID, r.i.Name, r.d.Name)
	}
	if r.fresh() {
		return nil
	}
	if r.i.Version != r.d.version() {
		return fmt.Errorf("%w: saga %s %s is of version %d, this is version %d", ErrVersion, r.d.Name, r.i.ID, r.i.Version, r.d.version())
	}
	for _, s := range r.i.Steps {
		if r.d.step(s.Name) == nil {
			return fmt.Errorf("%w: saga %s %s has begun step %q, which version %d does not have: give changed definitions a new Version and keep the old one",
				ErrVersion, r.d.Name, r.i.ID, s.Name, r.i.Version)
		}
	}
	return nil
}

func (r *run[S]) fresh() bool { return r.i.Revision == 0 }

// apply takes the input and goes on as far as that leads. It returns false where the
// input is stale.
func (r *run[S]) apply(in Input[S]) (changed bool, err error) {
	switch {
	case in.Start != nil:
		changed = r.onStart(in.Start)
	case in.Answer != nil:
		changed, err = r.onAnswer(in.Answer)
	case r.fresh():
		err = fmt.Errorf("%w: saga %s %s has not begun", ErrNotFound, r.d.Name, r.i.ID)
	case in.Timer != nil:
		changed = r.onTimer(*in.Timer)
	case in.Cancel != nil:
		changed, err = true, r.onCancel(*in.Cancel)
	case in.Act != nil:
		changed, err = true, r.onAct(*in.Act)
	}
	if changed && err == nil {
		r.goOn()
	}
	return changed, err
}

func (r *run[S]) onStart(state *S) bool {
	if !r.fresh() {
		return false
	}
	r.i.State = *state
	r.i.Begun = true
	r.begin()
	return true
}

func (r *run[S]) begin() {
	r.i.Name, r.i.Version, r.i.Status, r.i.Started = r.d.Name, r.d.version(), Running, r.now
	if r.i.CorrelationID == "" {
		r.i.CorrelationID = r.i.ID
	}
	e := Entry{Kind: EntryStarted, Status: Running}
	r.about(&e)
	r.add(e)
	if r.d.Deadline > 0 {
		r.i.Timers = append(r.i.Timers, Timer{Kind: DeadlineTimer, Due: r.now.Add(r.d.Deadline)})
	}
	if r.d.choreographed {
		r.beginSteps() // so that the first event finds its step
	}
}

// goOn does all that can be done now, and says where the saga then stands.
func (r *run[S]) goOn() {
	if !r.i.Status.Ended() {
		if r.i.Turned == "" {
			r.forward()
		}
		if r.i.Turned != "" {
			r.undo()
		}
	}
	r.stand()
}
