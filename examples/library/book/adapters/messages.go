package adapters

import (
	"cmp"
	"context"
	"errors"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/book/domain"
	"github.com/pabal-dev/pabal/examples/library/book/ports"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// Handlers are for the topics that the book service consumes.
func Handlers(env service.Env) map[string]inbox.Handler[storage.Tx] {
	m := messages{env}
	return map[string]inbox.Handler[storage.Tx]{
		env.Topic(message.RentalRent):   m.onRented,
		env.Topic(message.RentalReturn): m.onReturned,
		env.Topic(message.RentCancel):   m.onCancel(domain.Rent, message.Rent),
		env.Topic(message.ReturnCancel): m.onCancel(domain.Return, message.Return),
	}
}

type messages struct{ env service.Env }

func (m messages) onRented(ctx context.Context, tx storage.Tx, in inbox.Message) error {
	rented, err := service.Payload[message.ItemRented](m.env, in.Event)
	if err != nil {
		return err
	}
	if err := check(rented.IDName, rented.Item); err != nil {
		return err
	}
	about := message.EventResult{EventType: message.Rent, IDName: rented.IDName, Item: rented.Item, Point: rented.Point}
	asked := domain.Step{ID: transactionOf(in.Event), Kind: domain.Rent, BookNo: rented.Item.No, Member: rented.IDName.ID}
	return ports.Take(ctx, m.transaction(tx, in, about), asked, "")
}

func (m messages) onReturned(ctx context.Context, tx storage.Tx, in inbox.Message) error {
	returned, err := service.Payload[message.ItemReturned](m.env, in.Event)
	if err != nil {
		return err
	}
	if err := check(returned.IDName, returned.Item); err != nil {
		return err
	}
	about := message.EventResult{EventType: message.Return, IDName: returned.IDName, Item: returned.Item, Point: returned.Point}
	asked := domain.Step{ID: transactionOf(in.Event), Kind: domain.Return, BookNo: returned.Item.No, Member: returned.IDName.ID}
	return ports.Take(ctx, m.transaction(tx, in, about), asked, returned.RentalID)
}

// onCancel leaves alone what is meant for another participant.
func (m messages) onCancel(kind domain.Kind, of message.EventType) inbox.Handler[storage.Tx] {
	return func(ctx context.Context, tx storage.Tx, in inbox.Message) error {
		cancel, err := service.Payload[message.CancelCommand](m.env, in.Event)
		if err != nil || !cancel.IsFor(message.Book) {
			return err
		}
		about := message.EventResult{EventType: of, IDName: cancel.IDName, Item: cancel.Item, Point: cancel.Point}
		return ports.Cancel(ctx, m.transaction(tx, in, about), transactionOf(in.Event), kind)
	}
}

func (m messages) transaction(tx storage.Tx, in inbox.Message, about message.EventResult) *transaction {
	return &transaction{Tx: tx, env: m.env, cause: in.Event, about: about}
}

// transactionOf is the business transaction that a message belongs to.
func transactionOf(e event.Event) string { return cmp.Or(e.CorrelationID, e.ID) }

// check: without these there is nobody to answer and nothing to answer about.
func check(who message.IDName, item message.Item) error {
	switch {
	case who.ID == "":
		return inbox.Permanent(errors.New("idName.id is missing"))
	case item.No <= 0:
		return inbox.Permanent(errors.New("item.no is missing"))
	}
	return nil
}

// Answer implements ports.Tx.
func (tx *transaction) Answer(ctx context.Context, s domain.Step) error {
	return tx.answer(ctx, s.Status == domain.Done, s.Reason, false)
}

// AnswerCancel implements ports.Tx.
func (tx *transaction) AnswerCancel(ctx context.Context, _ domain.Step, refusal string) error {
	return tx.answer(ctx, refusal == "", refusal, true)
}

func (tx *transaction) answer(ctx context.Context, success bool, reason string, compensation bool) error {
	result := tx.about
	result.Participant, result.SourceEventID, result.Compensation = message.Book, tx.cause.ID, compensation
	if result.Success = success; !success {
		result.Reason = reason
	}
	e := tx.env.Event(message.RentalResult, result.IDName.ID, result).CausedBy(tx.cause)
	return tx.env.Send(ctx, tx, message.RentalResult, e)
}
