package entity

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

func TestCommandsAreStoredThenReplied(t *testing.T) {
	for name, open := range map[string]func(testing.TB, journal.Store, Config) *accountHost{"events": open, "states": openDurable} {
		t.Run(name, func(t *testing.T) {
			store := newMemory()
			h := open(t, store, Config{})
			if got := ask(t, h, "kim", deposit{Amount: 10}); got != 10 {
				t.Errorf("the reply is %d", got)
			}
			if got := ask(t, h, "kim", withdraw{Amount: 3}); got != 7 {
				t.Errorf("the reply is %d", got)
			}
			var refusal *Refusal
			if _, err := h.Ask(t.Context(), "kim", withdraw{Amount: 8}); !errors.As(err, &refusal) || refusal.Code != "overdrawn" {
				t.Errorf("overdrawing: %v", err)
			}
			view, err := h.Read(t.Context(), "kim")
			if err != nil || view.State.Balance != 7 || view.SeqNr != 2 || view.Time.IsZero() {
				t.Errorf("read %+v, %v", view, err)
			}
			other := open(t, store, Config{})
			if got := ask(t, other, "kim", balance{}); got != 7 {
				t.Errorf("another host reads %d", got)
			}
		})
	}
}

func TestMessagesGoWithTheEvents(t *testing.T) {
	store := newMemory()
	h := open(t, store, Config{Topic: nil})
	ask(t, h, "kim", announce{5})
	if store.sent() != 1 || store.outbox[0].Topic != "deposited" || store.outbox[0].Key != "kim" {
		t.Errorf("the outbox has %+v", store.outbox)
	}
}

func TestPanicFailsTheCommandOnly(t *testing.T) {
	h := open(t, newMemory(), Config{})
	ask(t, h, "kim", deposit{Amount: 1})
	_, err := h.Ask(t.Context(), "kim", crash{})
	if err == nil || !strings.Contains(err.Error(), "account|kim") || !strings.Contains(err.Error(), "entity.crash") || !strings.Contains(err.Error(), "a bug") {
		t.Errorf("a panic is reported as %v", err)
	}
	if _, err = h.Ask(t.Context(), "kim", broken{}); !errors.Is(err, errBroken) {
		t.Errorf("an event that does not apply: %v", err)
	}
	if got := ask(t, h, "kim", deposit{Amount: 1}); got != 2 {
		t.Errorf("afterwards the balance is %d", got)
	}
}

func TestStoppedHost(t *testing.T) {
	h, err := NewEventSourced(accounts(t), newMemory(), quietly(Config{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Ask(t.Context(), "kim", balance{}); !errors.Is(err, ErrStopped) {
		t.Errorf("before the start: %v", err)
	}
	for range 2 { // it can be started again
		if err := h.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		ask(t, h, "kim", deposit{Amount: 1})
		stop(t, h)
		stop(t, h)
		if _, err := h.Ask(t.Context(), "kim", balance{}); !errors.Is(err, ErrStopped) {
			t.Errorf("after the stop: %v", err)
		}
	}
}

func TestGivenUpBeforeItBegan(t *testing.T) {
	h := open(t, newMemory(), Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Ask(ctx, "kim", deposit{Amount: 1}); !errors.Is(err, ErrNotBegun) || !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	if got := ask(t, h, "kim", balance{}); got != 0 {
		t.Errorf("the balance is %d", got)
	}
}
