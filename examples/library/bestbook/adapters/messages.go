package adapters

import (
	"cmp"
	"context"
	"errors"

	"github.com/pabal-dev/pabal/examples/library/bestbook/domain"
	"github.com/pabal-dev/pabal/examples/library/bestbook/ports"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
)

// Handlers are for the topics of the view, on whatever database; within makes its
// transaction a ports.Tx.
func Handlers[T inbox.Tx](env service.Env, within func(context.Context, T, func(context.Context, ports.Tx) error) error) map[string]inbox.Handler[T] {
	heard := func(ctx context.Context, tx T, in inbox.Message, item message.Item, status domain.Status) error {
		if item.No <= 0 {
			return inbox.Permanent(errors.New("item.no is missing"))
		}
		r := domain.Rent{ID: cmp.Or(in.CorrelationID, in.ID), BookNo: item.No, Status: status}
		return within(ctx, tx, func(ctx context.Context, tx ports.Tx) error { return ports.Heard(ctx, tx, r, item.Title) })
	}
	return map[string]inbox.Handler[T]{
		env.Topic(message.RentalRent): func(ctx context.Context, tx T, in inbox.Message) error {
			rented, err := service.Payload[message.ItemRented](env, in.Event)
			if err != nil {
				return err
			}
			return heard(ctx, tx, in, rented.Item, domain.Counted)
		},
		// Whichever participant a cancel is for, the rent is undone.
		env.Topic(message.RentCancel): func(ctx context.Context, tx T, in inbox.Message) error {
			cancel, err := service.Payload[message.CancelCommand](env, in.Event)
			if err != nil {
				return err
			}
			return heard(ctx, tx, in, cancel.Item, domain.Cancelled)
		},
	}
}
