package entity_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// A cart takes items until it is checked out. Commands, events, state and replies
// are types of your own.
type (
	addItem     struct{ Item string }
	checkOut    struct{}
	cartCommand interface{}

	itemAdded  struct{ Item string }
	checkedOut struct{}
	cartEvent  interface{}

	cart struct {
		Items []string
		Done  bool
	}
)

func decideCart(c entity.Context, state cart, command cartCommand) (entity.Decision[cartEvent, int], error) {
	if state.Done {
		return entity.Decision[cartEvent, int]{}, entity.Refuse("checked-out", "cart %s is checked out", c.ID)
	}
	switch command := command.(type) {
	case addItem:
		return entity.Decision[cartEvent, int]{Events: []cartEvent{itemAdded(command)}, Reply: len(state.Items) + 1}, nil
	case checkOut:
		return entity.Decision[cartEvent, int]{
			Events: []cartEvent{checkedOut{}}, Reply: len(state.Items),
			// Published if, and only if, the event is stored.
			Messages: []event.Event{event.New("cart-checked-out", c.ID, state.Items)},
		}, nil
	}
	return entity.Decision[cartEvent, int]{}, fmt.Errorf("unknown command %T", command)
}

func applyCart(state cart, e cartEvent) (cart, error) {
	switch e := e.(type) {
	case itemAdded:
		state.Items = append(slices.Clone(state.Items), e.Item) // the old state keeps its slice
	case checkedOut:
		state.Done = true
	}
	return state, nil
}

func Example() {
	ctx := context.Background()
	folder, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(folder)
	db, err := sqlite.Open(ctx, filepath.Join(folder, "carts.db"), sqlite.Config{})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	registry, err := journal.NewRegistry(journal.JSON(
		journal.TypeOf[itemAdded]("item-added"), journal.TypeOf[checkedOut]("checked-out"), journal.TypeOf[cart]("cart"),
	))
	if err != nil {
		panic(err)
	}

	carts, err := entity.NewEventSourced(entity.EventSourced[cartCommand, cartEvent, cart, int]{
		Type: "cart", Initial: func(string) cart { return cart{} },
		Decide: decideCart, Apply: applyCart, Registry: registry,
		Snapshot: journal.SnapshotPolicy{Every: 100},
	}, db, entity.Config{Logger: quiet})
	if err != nil {
		panic(err)
	}
	if err := carts.Start(ctx); err != nil {
		panic(err)
	}
	defer carts.Stop(ctx)

	for _, command := range []cartCommand{addItem{"tea"}, addItem{"cup"}, checkOut{}, addItem{"pot"}} {
		reply, err := carts.Ask(ctx, "42", command)
		var refusal *entity.Refusal
		switch {
		case errors.As(err, &refusal):
			fmt.Println(refusal.Code, "-", refusal.Reason)
		case err != nil:
			panic(err)
		default:
			fmt.Println(reply, "items")
		}
	}
	now, _ := carts.Read(ctx, "42")
	then, _ := carts.StateAt(ctx, "42", 1)
	fmt.Println(now.State, "after", now.SeqNr, "events;", then.State, "after the first")
	// Output:
	// 1 items
	// 2 items
	// 2 items
	// checked-out - cart 42 is checked out
	// {[tea cup] true} after 3 events; {[tea] false} after the first
}
