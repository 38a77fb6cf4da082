package sagatest

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/saga"
)

// Failure is a schedule that violates an invariant. No shorter one does.
type Failure struct {
	Saga     string
	Schedule Schedule
	// Words say of each step what it does and what comes of it.
	Words []string
	// Err is the violation, at the last step or, by Final, after it.
	Err error
	// World and Instance after the last step, as JSON.
	World, Instance string

	source string
}

// Error is the whole story.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "saga %s: %v\n\nafter these %d steps:\n", f.Saga, f.Err, len(f.Schedule))
	for i, words := range f.Words {
		fmt.Fprintf(&b, "%3d. %s\n", i+1, words)
	}
	fmt.Fprintf(&b, "\nworld: %s\nsaga:  %s", f.World, f.Instance)
	return b.String()
}

// Unwrap returns the violation.
func (f *Failure) Unwrap() error { return f.Err }

func (f *Failure) note(step Step, words string) {
	f.Schedule, f.Words = append(f.Schedule, step), append(f.Words, words)
}

// words tell of a step what it did. before is nil for the first.
func (x *expander[W, S]) words(before, after *state, h happening) string {
	text := x.step(before, h).String()
	if h.do == Deliver || h.do == Redeliver || h.do == Crash {
		text += " (" + x.describe(h.entry.message) + ")"
	}
	var follows []string
	for _, n := range h.outcome.sent {
		follows = append(follows, x.messages.values[n].ID+" ("+x.describe(n)+")")
	}
	switch {
	case h.do == Crash && h.entry.to > 0 && x.model.Participants[h.entry.to-1].NoOutbox && len(follows) > 0:
		text += ", loses " + strings.Join(follows, ", ")
	case len(follows) > 0:
		text += ", sends " + strings.Join(follows, ", ")
	case h.outcome.stale:
		text += ": nothing changes"
	}
	if status := x.status(after); status != x.status(before) {
		text += "; the saga is " + string(status)
	}
	return text
}

func (x *expander[W, S]) status(st *state) saga.Status {
	if st == nil {
		return ""
	}
	return x.instances.values[st.instance].Status
}

// describe is what a message is, for people.
func (x *expander[W, S]) describe(n int32) string {
	m := x.messages.values[n]
	text := m.Type
	if m.Topic != m.Type {
		text = m.Topic + " " + text
	}
	if len(m.Payload) > 0 && len(m.Payload) < 120 {
		text += " " + string(m.Payload)
	}
	return text
}
