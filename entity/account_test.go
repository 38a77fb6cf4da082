package entity

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
)

// The entity of the tests is an account: its balance never goes below zero.
type (
	command interface{}
	deposit struct {
		Amount int64  `json:"amount"`
		ID     string `json:"id,omitempty"`
	}
	withdraw struct {
		Amount int64 `json:"amount"`
	}
	balance struct{}
	crash   struct{}
	// announce deposits and tells by a message.
	announce struct {
		Amount int64 `json:"amount"`
	}
	broken struct{} // its event cannot be applied

	moved struct {
		By int64  `json:"by"`
		ID string `json:"id,omitempty"`
	}
	account struct {
		Owner   string   `json:"owner"`
		Balance int64    `json:"balance"`
		IDs     []string `json:"ids,omitempty"`
	}
)

var errBroken = errors.New("the books do not balance")

func registry(t testing.TB, types ...journal.Type) *journal.Registry {
	t.Helper()
	if types == nil {
		types = []journal.Type{journal.TypeOf[moved]("moved"), journal.TypeOf[account]("account")}
	}
	r, err := journal.NewRegistry(journal.JSON(types...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func decideAccount(c Context, state account, cmd command) (Decision[moved, int64], error) {
	move := func(by int64, id string) (Decision[moved, int64], error) {
		return Decision[moved, int64]{Events: []moved{{by, id}}, Reply: state.Balance + by}, nil
	}
	switch cmd := cmd.(type) {
	case deposit:
		return move(cmd.Amount, cmd.ID)
	case withdraw:
		if cmd.Amount > state.Balance {
			return Decision[moved, int64]{}, Refuse("overdrawn", "%d is more than %d", cmd.Amount, state.Balance)
		}
		return move(-cmd.Amount, "")
	case balance:
		return Decision[moved, int64]{Reply: state.Balance}, nil
	case announce:
		d, err := move(cmd.Amount, "")
		d.Messages = []event.Event{event.New("deposited", c.ID, cmd.Amount)}
		return d, err
	case broken:
		return move(0, "")
	case crash:
		panic("a bug")
	}
	return Decision[moved, int64]{}, errors.New("no such command")
}

func applyAccount(state account, e moved) (account, error) {
	if e.By == 0 {
		return state, errBroken
	}
	state.Balance += e.By
	if e.ID != "" {
		state.IDs = slices.Concat(state.IDs, []string{e.ID})
	}
	return state, nil
}

func accounts(t testing.TB) EventSourced[command, moved, account, int64] {
	return EventSourced[command, moved, account, int64]{
		Type: "account", Initial: func(id string) account { return account{Owner: id} },
		Decide: decideAccount, Apply: applyAccount, Registry: registry(t),
	}
}

// durableAccounts are the same, stored as states.
func durableAccounts(t testing.TB) DurableState[command, account, int64] {
	return DurableState[command, account, int64]{
		Type: "account", Initial: func(id string) account { return account{Owner: id} }, Registry: registry(t),
		Decide: func(c Context, state account, cmd command) (Change[account, int64], error) {
			if _, closing := cmd.(closeAccount); closing {
				return Change[account, int64]{Delete: true, Reply: state.Balance}, nil
			}
			d, err := decideAccount(c, state, cmd)
			change := Change[account, int64]{Reply: d.Reply, Messages: d.Messages}
			for _, e := range d.Events {
				state, err = applyAccount(state, e)
				change.Set = &state
			}
			return change, err
		},
	}
}

type closeAccount struct{}

type accountHost = Host[command, account, int64]

var silent = slog.New(slog.DiscardHandler)

func open(t testing.TB, store journal.Store, c Config) *accountHost {
	t.Helper()
	h, err := NewEventSourced(accounts(t), store, quietly(c))
	return run(t, h, err)
}

func openDurable(t testing.TB, store journal.Store, c Config) *accountHost {
	t.Helper()
	h, err := NewDurable(durableAccounts(t), store, quietly(c))
	return run(t, h, err)
}

func quietly(c Config) Config {
	if c.Logger == nil {
		c.Logger = silent
	}
	return c
}

func run(t testing.TB, h *accountHost, err error) *accountHost {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, h) })
	return h
}

func stop(t testing.TB, h *accountHost) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func ask(t testing.TB, h *accountHost, id string, c command) int64 {
	t.Helper()
	reply, err := h.Ask(t.Context(), id, c)
	if err != nil {
		t.Fatalf("%T for %s: %v", c, id, err)
	}
	return reply
}
