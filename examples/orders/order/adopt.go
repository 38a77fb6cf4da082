package order

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// adoption hands orders that were running before there were sagas to the manager, as
// they stand; migration 0003 has listed them. Their answers are on the way. It is a
// service, so that it is done before the consumer starts.
type adoption struct {
	env  service.Env
	saga *manager[storage.Tx]
}

// Start adopts all. A second process that does so too changes nothing.
func (a *adoption) Start(ctx context.Context) error {
	for {
		id, err := a.next(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = a.env.Update(ctx, func(tx storage.Tx) error { return a.adopt(ctx, tx, id) })
		}
		if err != nil {
			return err
		}
	}
}

// Stop has nothing to do.
func (a *adoption) Stop(context.Context) error { return nil }

func (a *adoption) next(ctx context.Context) (id string, err error) {
	err = a.env.DB.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, `SELECT id FROM orders_to_adopt LIMIT 1`).Scan(&id)
	})
	return id, err
}

func (a *adoption) adopt(ctx context.Context, tx storage.Tx, id string) error {
	o, err := load(ctx, tx, id)
	if err != nil {
		return err
	}
	i, err := a.running(o)
	if err != nil {
		return err
	}
	if _, err := a.saga.Adopt(ctx, tx, i); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM orders_to_adopt WHERE id = $1`, id)
	return err
}

// running is the saga of an order that waits for an answer.
func (a *adoption) running(o Stored) (saga.Instance[domain.Order], error) {
	i := saga.Instance[domain.Order]{ID: o.ID, Status: saga.Running, State: o.Order, Started: o.CreatedAt, Changed: o.ChangedAt}
	step := func(name string, phase saga.StepPhase) {
		i.Steps = append(i.Steps, saga.StepState{Name: name, Phase: phase, Attempt: 1, Since: o.ChangedAt})
	}
	switch domain.Awaiting(o.Awaiting) {
	case domain.AwaitingPayment:
		step(payment, saga.StepRunning)
		i.Timers = []saga.Timer{{Kind: saga.TimeoutTimer, Step: payment, Attempt: 1, Due: a.env.Now().Add(a.env.Duration(PaymentTimeout))}}
	case domain.AwaitingApproval:
		step(payment, saga.StepSucceeded)
		step(approval, saga.StepRunning)
	case domain.AwaitingRefund:
		i.Status, i.Reason, i.Turned = saga.Compensating, o.Reason, o.Reason
		step(payment, saga.StepUndoing)
		i.Steps[0].Undo = 1
	default:
		return i, fmt.Errorf("order %s is %s and awaits %q", o.ID, o.Status, o.Awaiting)
	}
	return i, nil
}
