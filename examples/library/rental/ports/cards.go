package ports

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/examples/library/rental/domain"
)

// Cards is what people do with rental cards.
type Cards struct{ Store Store }

// Open makes a card, and says whether the member had none.
func (c Cards) Open(ctx context.Context, m domain.Member) (card domain.Card, opened bool, err error) {
	err = c.Store.Update(ctx, func(tx Tx) error {
		card, opened, err = tx.OpenCard(ctx, m)
		return err
	})
	return card, opened, err
}

// Rent puts an item on a member's card, which is made where there is none, and asks
// the others. The loan's ID is the correlation id of what follows.
//
// Here and below, a transaction that runs again after a commit whose answer was lost
// finds its id, and does nothing.
func (c Cards) Rent(ctx context.Context, m domain.Member, item domain.Item) (loan domain.Loan, err error) {
	id := c.Store.NewID()
	err = c.Store.Update(ctx, func(tx Tx) error {
		before, _, err := tx.OpenCard(ctx, m)
		if err != nil || before.Knows(id) {
			return err
		}
		after, l, err := before.Rent(id, item, c.Store.Now())
		if err != nil {
			return err
		}
		loan = l
		if err := tx.SaveCard(ctx, before, after); err != nil {
			return err
		}
		return tx.Rented(ctx, after.Member, l)
	})
	return loan, err
}

// Return takes an item back, and asks the others. The loan's ReturnID is the
// correlation id of what follows.
func (c Cards) Return(ctx context.Context, memberID string, itemNo int64) (loan domain.Loan, err error) {
	id := c.Store.NewID()
	err = c.Store.Update(ctx, func(tx Tx) error {
		return change(ctx, tx, memberID, func(card domain.Card) (domain.Card, error) {
			if card.Knows(id) {
				return card, nil
			}
			var err error
			if card, loan, err = card.Return(id, itemNo, c.Store.Now()); err != nil {
				return card, err
			}
			return card, tx.Returned(ctx, card.Member, loan)
		})
	})
	return loan, err
}

// Overdue notices which items of a card are overdue; where one is named, it is an
// error that it is not, unless people say by how many days.
func (c Cards) Overdue(ctx context.Context, memberID string, itemNo int64, days int) (card domain.Card, err error) {
	err = c.Store.Update(ctx, func(tx Tx) error {
		return change(ctx, tx, memberID, func(before domain.Card) (_ domain.Card, err error) {
			if itemNo == 0 {
				card = before.Look(c.Store.Now())
				return card, nil
			}
			card, err = before.Overdue(itemNo, days, c.Store.Now())
			return card, err
		})
	})
	return card, err
}

// Clear pays the late fee of a card with points, and asks the member service.
func (c Cards) Clear(ctx context.Context, memberID string, points int64) (clearing domain.Clearing, err error) {
	id := c.Store.NewID()
	err = c.Store.Update(ctx, func(tx Tx) error {
		return change(ctx, tx, memberID, func(card domain.Card) (domain.Card, error) {
			if card.Knows(id) {
				return card, nil
			}
			card, err := card.Clear(id, points)
			if err != nil {
				return card, err
			}
			clearing = *card.Clearing
			return card, tx.Cleared(ctx, card.Member, clearing)
		})
	})
	return clearing, err
}

func change(ctx context.Context, tx Tx, memberID string, fn func(domain.Card) (domain.Card, error)) error {
	before, err := tx.LockCard(ctx, memberID)
	if err != nil {
		return err
	}
	after, err := fn(before)
	if err != nil {
		return err
	}
	return tx.SaveCard(ctx, before, after)
}

// Kind of a business transaction.
type Kind int

// Kinds.
const (
	Rent Kind = iota + 1
	Return
	Clearing
)

// Settlement is what became of a business transaction of a card.
type Settlement struct {
	Kind Kind
	// ID is its correlation id.
	ID      string
	Outcome domain.Outcome
}

// Settle has a card be what became of its transactions, in their order. What came
// before changes nothing.
func Settle(ctx context.Context, tx Tx, memberID string, all []Settlement) error {
	before, err := tx.LockCard(ctx, memberID)
	if err != nil {
		return err
	}
	card := before
	for _, s := range all {
		undone := false
		switch s.Kind {
		case Rent:
			card, undone = card.SettleRent(s.ID, s.Outcome)
		case Return:
			card = card.SettleReturn(s.ID, s.Outcome)
		case Clearing:
			card = card.SettleClearing(s.ID, s.Outcome)
		}
		if !undone {
			continue
		}
		if err := tx.RentUndone(ctx, card.Member, loan(card, s.ID)); err != nil {
			return err
		}
	}
	return tx.SaveCard(ctx, before, card)
}

func loan(c domain.Card, id string) (l domain.Loan) {
	for _, l = range c.Loans {
		if l.ID == id {
			break
		}
	}
	return l
}

// Look notices what is overdue on a card; nothing where there is none.
func Look(ctx context.Context, tx Tx, now time.Time, memberID string) error {
	err := change(ctx, tx, memberID, func(c domain.Card) (domain.Card, error) { return c.Look(now), nil })
	if errors.Is(err, ErrNoCard) {
		return nil
	}
	return err
}
