// Package cartservice is a service for tests of what looks into services: carts with
// events, profiles with durable state, and a view of the carts, on SQLite, with its
// admin side on loopback.
package cartservice

import (
	"context"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// Events of a cart.
type (
	Opened struct {
		Customer string `json:"customer"`
		Card     string `json:"card"`
	}
	ItemAdded struct {
		ID    string `json:"id"`
		Price int    `json:"price"`
	}
	CheckedOut struct{}
)

// Item of a cart.
type Item struct {
	ID    string `json:"id"`
	Price int    `json:"price"`
}

// Cart is the state.
type Cart struct {
	Customer   string `json:"customer"`
	Card       string `json:"card"`
	Items      []Item `json:"items"`
	Total      int    `json:"total"`
	CheckedOut bool   `json:"checkedOut"`
}

// Profile is durable state.
type Profile struct {
	Name   string `json:"name"`
	Visits int    `json:"visits"`
}

// registry knows all of them.
func registry() (*journal.Registry, error) {
	return journal.NewRegistry(append([]journal.Serializer{journal.JSON(
		journal.TypeOf[Opened]("opened"), journal.TypeOf[ItemAdded]("item-added"), journal.TypeOf[CheckedOut]("checked-out"),
		journal.TypeOf[Cart]("cart"), journal.TypeOf[Profile]("profile"),
	)}, journal.Primitives()...)...)
}

// Carts and Profiles are the hosts: a command of a cart is one of its events, of a
// profile the name.
type (
	Carts    = entity.Host[any, Cart, int]
	Profiles = entity.Host[string, Profile, int]
)

func carts(db *sqlite.DB, r *journal.Registry, c entity.Config) (*Carts, error) {
	return entity.NewEventSourced(entity.EventSourced[any, any, Cart, int]{
		Type: "cart", Initial: func(string) Cart { return Cart{Items: []Item{}} }, Registry: r, Apply: apply,
		Tags: func(any) []string { return []string{"carts"} },
		Decide: func(_ entity.Context, _ Cart, e any) (entity.Decision[any, int], error) {
			return entity.Decision[any, int]{Events: []any{e}}, nil
		},
	}, db, c)
}

func apply(c Cart, e any) (Cart, error) {
	switch e := e.(type) {
	case Opened:
		c.Customer, c.Card = e.Customer, e.Card
	case ItemAdded:
		c.Items, c.Total = append(slices.Clone(c.Items), Item(e)), c.Total+e.Price
	case CheckedOut:
		c.CheckedOut = true
	default:
		return c, fmt.Errorf("a cart has no event %T", e)
	}
	return c, nil
}

func profiles(db *sqlite.DB, r *journal.Registry, c entity.Config) (*Profiles, error) {
	return entity.NewDurable(entity.DurableState[string, Profile, int]{
		Type: "profile", Initial: func(string) Profile { return Profile{} }, Registry: r,
		Decide: func(_ entity.Context, p Profile, name string) (entity.Change[Profile, int], error) {
			return entity.Change[Profile, int]{Set: &Profile{name, p.Visits + 1}}, nil
		},
	}, db, c)
}

// View is the name of the projection and of its table.
const View = "cart_view"

const makeView = `CREATE TABLE IF NOT EXISTS cart_view (id TEXT PRIMARY KEY, items INTEGER NOT NULL, total INTEGER NOT NULL)`

// Poison is the id of an item that the view cannot take.
const Poison = "poison"

func view(db *sqlite.DB, r *journal.Registry, c projection.Config[*sqlite.Tx]) (*projection.Projection[*sqlite.Tx], error) {
	c.Name, c.Query, c.Registry, c.Tables = View, journal.Query{EntityType: "cart"}, r, []string{View}
	c.Handler = func(ctx context.Context, tx *sqlite.Tx, e projection.Envelope) error {
		added, ok := e.Value.(ItemAdded)
		if !ok {
			return nil
		}
		if added.ID == Poison {
			return fmt.Errorf("no such product: %s", added.ID)
		}
		_, err := tx.Exec(ctx, `INSERT INTO `+e.Table(View)+` (id, items, total) VALUES ($1, 1, $2)
			ON CONFLICT (id) DO UPDATE SET items = items + 1, total = total + excluded.total`, e.PersistenceID, added.Price)
		return err
	}
	return projection.New(db, db, c)
}
