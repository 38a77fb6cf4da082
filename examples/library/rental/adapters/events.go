package adapters

import (
	"context"

	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/library/rental/domain"
	"github.com/pabal-dev/pabal/saga"
)

// Rented implements ports.Tx.
func (tx *transaction) Rented(ctx context.Context, m domain.Member, l domain.Loan) error {
	t := transactionAbout(m, l)
	if err := tx.begin(ctx, tx.sagas.loans, l.ID, t); err != nil {
		return err
	}
	if err := tx.begin(ctx, tx.sagas.rents, l.ID, t); err != nil {
		return err
	}
	return tx.send(ctx, l.ID, message.RentalRent, m, message.ItemRented{IDName: t.IDName, Item: t.Item, Point: t.Point})
}

// Returned implements ports.Tx.
func (tx *transaction) Returned(ctx context.Context, m domain.Member, l domain.Loan) error {
	t := transactionAbout(m, l)
	if err := tx.begin(ctx, tx.sagas.returns, l.ReturnID, t); err != nil {
		return err
	}
	return tx.send(ctx, l.ReturnID, message.RentalReturn, m,
		message.ItemReturned{IDName: t.IDName, Item: t.Item, Point: t.Point, RentalID: l.ID})
}

// Cleared implements ports.Tx.
func (tx *transaction) Cleared(ctx context.Context, m domain.Member, c domain.Clearing) error {
	t := Transaction{IDName: message.IDName(m), Point: c.Points}
	if err := tx.begin(ctx, tx.sagas.overdue, c.ID, t); err != nil {
		return err
	}
	return tx.send(ctx, c.ID, message.OverdueClear, m, message.OverdueCleared{IDName: t.IDName, Point: t.Point})
}

// RentUndone implements ports.Tx: the best books answer nothing, and are told in any
// case.
func (tx *transaction) RentUndone(ctx context.Context, m domain.Member, l domain.Loan) error {
	e := cancel(tx.sagas.env, message.RentCancel, transactionAbout(m, l), message.BestBook)
	if cause := tx.causes[l.ID]; cause.ID != "" {
		e = e.CausedBy(cause)
	}
	return tx.sagas.env.Send(ctx, tx, message.RentCancel, e.InTransaction(l.ID))
}

func transactionAbout(m domain.Member, l domain.Loan) Transaction {
	return Transaction{IDName: message.IDName(m), Item: message.Item(l.Item), Point: domain.Points, RentalID: l.ID}
}

func (tx *transaction) begin(ctx context.Context, m *manager, id string, t Transaction) error {
	_, _, err := m.Start(ctx, tx.Tx, id, t, saga.InCorrelation(id))
	return err
}

func (tx *transaction) send(ctx context.Context, transactionID, topic string, m domain.Member, value any) error {
	return tx.sagas.env.Send(ctx, tx, topic, tx.sagas.env.Event(topic, m.ID, value).InTransaction(transactionID))
}
