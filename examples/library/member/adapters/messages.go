package adapters

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/member/domain"
	"github.com/pabal-dev/pabal/examples/library/member/ports"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// Handlers are for the topics that the member service consumes.
func Handlers(env service.Env) map[string]inbox.Handler[storage.Tx] {
	m := messages{env}
	return map[string]inbox.Handler[storage.Tx]{
		env.Topic(message.RentalRent):   m.onRented,
		env.Topic(message.RentalReturn): m.onReturned,
		env.Topic(message.OverdueClear): m.onCleared,
		env.Topic(message.PointUse):     m.onPointUse,
	}
}

type messages struct{ env service.Env }

func (m messages) onRented(ctx context.Context, tx storage.Tx, in inbox.Message) error {
	rented, err := service.Payload[message.ItemRented](m.env, in.Event)
	if err != nil {
		return err
	}
	return m.take(ctx, tx, in, domain.Rent, message.EventResult{
		EventType: message.Rent, IDName: rented.IDName, Item: rented.Item, Point: rented.Point,
	})
}

func (m messages) onReturned(ctx context.Context, tx storage.Tx, in inbox.Message) error {
	returned, err := service.Payload[message.ItemReturned](m.env, in.Event)
	if err != nil {
		return err
	}
	return m.take(ctx, tx, in, domain.Return, message.EventResult{
		EventType: message.Return, IDName: returned.IDName, Item: returned.Item, Point: returned.Point,
	})
}

func (m messages) onCleared(ctx context.Context, tx storage.Tx, in inbox.Message) error {
	cleared, err := service.Payload[message.OverdueCleared](m.env, in.Event)
	if err != nil {
		return err
	}
	return m.take(ctx, tx, in, domain.Overdue, message.EventResult{
		EventType: message.Overdue, IDName: cleared.IDName, Point: cleared.Point,
	})
}

func (m messages) take(ctx context.Context, tx storage.Tx, in inbox.Message, kind domain.Kind, about message.EventResult) error {
	if about.IDName.ID == "" {
		return errNobody
	}
	asked := domain.Request(transactionOf(in.Event), kind, about.IDName.ID, about.Point)
	return ports.Take(ctx, &transaction{Tx: tx, env: m.env, cause: in.Event, about: about}, asked)
}

func (m messages) onPointUse(ctx context.Context, tx storage.Tx, in inbox.Message) error {
	command, err := service.Payload[message.PointUseCommand](m.env, in.Event)
	if err != nil {
		return err
	}
	if command.IDName.ID == "" {
		return errNobody
	}
	about := message.EventResult{EventType: command.EventType, IDName: command.IDName, Point: command.Point}
	t := &transaction{Tx: tx, env: m.env, cause: in.Event, about: about}
	switch command.EventType {
	case message.Rent, message.Return, message.Overdue:
		return ports.Cancel(ctx, t, transactionOf(in.Event), domain.Kind(command.EventType), command.IDName.ID)
	case "", message.Use:
		return ports.Use(ctx, t, transactionOf(in.Event), in.ID, command.IDName.ID, command.Point)
	}
	return inbox.Permanent(fmt.Errorf("eventType %q is none of RENT, RETURN and OVERDUE", command.EventType))
}

// errNobody: there is nobody to answer about.
var errNobody = inbox.Permanent(errors.New("idName.id is missing"))

// transactionOf is the business transaction that a message belongs to.
func transactionOf(e event.Event) string { return cmp.Or(e.CorrelationID, e.ID) }

// Answer implements ports.Tx.
func (tx *transaction) Answer(ctx context.Context, e domain.Entry) error {
	return tx.answer(ctx, e.Kind, e.Status == domain.Done, e.Reason, false)
}

// AnswerCancel implements ports.Tx.
func (tx *transaction) AnswerCancel(ctx context.Context, e domain.Entry, refusal string) error {
	return tx.answer(ctx, e.Kind, refusal == "", refusal, true)
}

func (tx *transaction) answer(ctx context.Context, kind domain.Kind, success bool, reason string, compensation bool) error {
	result := tx.about
	result.EventType = message.EventType(kind)
	result.Participant, result.SourceEventID, result.Compensation = message.Member, tx.cause.ID, compensation
	if result.Success = success; !success {
		result.Reason = reason
	}
	e := tx.env.Event(message.RentalResult, result.IDName.ID, result).CausedBy(tx.cause)
	return tx.env.Send(ctx, tx, message.RentalResult, e)
}
