package entity

import (
	"errors"
	"testing"

	"github.com/pabal-dev/pabal/event"
)

// TestMessagesAreConsequencesOfTheCommand where they say nothing else.
func TestMessagesAreConsequencesOfTheCommand(t *testing.T) {
	cause := event.New("command", "kim", 1)
	other := event.New("other", "kim", 1)
	for name, test := range map[string]struct {
		message             event.Event
		cause               *event.Event
		causation, business string // "" of a message's own
	}{
		"asked directly":         {event.New("m", "kim", 1), nil, "", ""},
		"asked through a topic":  {event.New("m", "kim", 1), &cause, cause.ID, cause.CorrelationID},
		"of another transaction": {event.New("m", "kim", 1).InTransaction("mine"), &cause, cause.ID, "mine"},
		"with its own cause":     {event.New("m", "kim", 1).CausedBy(other), &cause, other.ID, other.CorrelationID},
	} {
		got, err := outgoing(Context{Cause: test.cause}, []event.Event{test.message})
		if err != nil {
			t.Fatal(err)
		}
		if test.business == "" {
			test.business = test.message.ID
		}
		if m := got[0]; m.CausationID != test.causation || m.CorrelationID != test.business || m.Topic != "m" {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if _, err := outgoing(Context{}, []event.Event{{Type: "m"}}); !errors.Is(err, event.ErrInvalid) {
		t.Errorf("an invalid message: %v", err)
	}
}

func TestMessagesNeedAnEvent(t *testing.T) {
	d := accounts(t)
	d.Decide = func(c Context, _ account, _ command) (Decision[moved, int64], error) {
		return Decision[moved, int64]{Messages: []event.Event{event.New("m", c.ID, 1)}}, nil
	}
	store := newMemory()
	h, err := NewEventSourced(d, store, quietly(Config{}))
	run(t, h, err)
	if _, err := h.Ask(t.Context(), "kim", balance{}); !errors.Is(err, errMessagesAlone) || store.sent() != 0 {
		t.Errorf("messages without an event: %v", err)
	}
}
