package saga

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// send stamps the messages of a step's attempt and keeps them for the decision.
func (r *run[S]) send(kind EntryKind, s *StepState, attempt int, step string, messages []outbox.Message) {
	for _, m := range r.stamp(step, attempt, messages) {
		s.Command = m.ID
		r.add(Entry{Kind: kind, Step: s.Name, Attempt: attempt, MessageID: m.ID, Type: m.Type, Topic: m.Topic})
	}
}

// hook does the same for messages that belong to no step.
func (r *run[S]) hook(name string, messages []outbox.Message) {
	for _, m := range r.stamp(name, 1, messages) {
		r.add(Entry{Kind: EntryMessage, MessageID: m.ID, Type: m.Type, Topic: m.Topic})
	}
}

// stamp keeps messages for the decision, and returns them as they will be sent.
func (r *run[S]) stamp(step string, attempt int, messages []outbox.Message) []outbox.Message {
	if len(messages) == 0 {
		return nil
	}
	key := r.d.Name + "/" + r.i.ID + "/" + step + "/" + strconv.Itoa(attempt)
	for _, m := range messages {
		m.Event = m.InTransaction(r.i.CorrelationID).WithHeader(HeaderKey, key)
		if r.cause.ID != "" {
			m.CausationID = r.cause.ID
		}
		if m.Topic == "" {
			m.Topic = m.Type
		}
		r.messages = append(r.messages, m)
	}
	return r.messages[len(r.messages)-len(messages):]
}

func (r *run[S]) add(e Entry) {
	e.At = r.now
	r.entries = append(r.entries, e)
}

// about fills in the message that caused an entry.
func (r *run[S]) about(e *Entry) { e.MessageID, e.Type = r.cause.ID, r.cause.Type }

// status moves the saga on; the timeline has each change.
func (r *run[S]) status(s Status, note string) {
	if r.i.Status != s {
		r.i.Status = s
		r.add(Entry{Kind: EntryStatus, Status: s, Note: note})
	}
}

func (r *run[S]) context(step string, attempt int) Context {
	return Context{
		Saga: r.d.Name, ID: r.i.ID, CorrelationID: r.i.CorrelationID,
		Step: step, Attempt: attempt, Now: r.now, Reason: r.i.Turned,
	}
}

// state is the state for a function that may change it.
func (r *run[S]) state() *S {
	if !r.owned {
		copied, err := clone(r.i.State)
		if err != nil && r.err == nil {
			r.err = fmt.Errorf("saga %s %s: copy state %T: %w", r.d.Name, r.i.ID, r.i.State, err)
		}
		r.i.State, r.owned = copied, true
	}
	return &r.i.State
}

func (r *run[S]) find(name string) *StepState {
	for k := range r.i.Steps {
		if r.i.Steps[k].Name == name {
			return &r.i.Steps[k]
		}
	}
	return nil
}

func (r *run[S]) timer(kind TimerKind, step string, attempt int, after time.Duration) {
	r.i.Timers = append(r.i.Timers, Timer{Kind: kind, Step: step, Attempt: attempt, Due: r.now.Add(after)})
}

// dropTimers removes those of a step; of the saga where it is "".
func (r *run[S]) dropTimers(step string) {
	r.i.Timers = slices.DeleteFunc(r.i.Timers, func(t Timer) bool { return t.Step == step })
}

func (r *run[S]) hasTimer(kind TimerKind, step string) bool {
	return slices.ContainsFunc(r.i.Timers, func(t Timer) bool { return t.Kind == kind && t.Step == step })
}
