// Package mongo runs the order service on MongoDB: orders, sagas, view, inbox and outbox are
// collections of one database, and ids of orders are ObjectIds.
package mongo

import (
	"context"
	"errors"
	"maps"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/mongodb"
)

// Option lets the order service have its data in MongoDB: where its connection string is
// mongodb://user:password@host:port/orders, a replica set's. For the connector
// order-payment-request-connector, whose collection is orders.payment_outboxes, the
// database's name must be that.
func Option(d service.Definition) service.Definition {
	d.Databases = maps.Clone(d.Databases)
	if d.Databases == nil {
		d.Databases = map[string]func(context.Context, service.Env, string) (service.Backend, error){}
	}
	d.Databases["mongodb"], d.Databases["mongodb+srv"] = open, open
	return d
}

func open(ctx context.Context, env service.Env, url string) (service.Backend, error) {
	db, err := mongodb.Open(ctx, url, mongodb.Config{Source: env.Source, Logger: env.Log})
	if err != nil {
		return nil, err
	}
	within := database{db, env, env.Topic(message.TypePaymentRequest), env.CDC}
	all := newOrders(within)
	if err := all.index(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	parts, err := order.On(env, order.Orders[*Tx](all))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if env.CDC {
		parts.Groups = map[string]inbox.GroupHandler[*Tx]{env.Topic(message.TypePaymentResponse): answered}
		parts.Services = append(parts.Services, &requestCleaner{db: db.Database(), keep: env.OutboxHistory, log: env.Log})
	}
	return service.On(service.Store[*Tx](within), parts), nil
}

// database is MongoDB with transactions of the service's own.
type database struct {
	*mongodb.DB
	env service.Env
	// paymentRequests is the name of that topic.
	paymentRequests string
	cdc             bool
}

var _ saga.Store[*Tx] = database{}

// errTwin: another transaction has just inserted the same idempotency key. It is seen when
// the transaction is run again.
var errTwin = errors.New("an order of the same idempotency key was placed at the same time")

// twins bounds repetitions: each has another transaction's commit as its cause.
const twins = 10

// Update is mongodb.DB's, with the service's own Tx.
func (db database) Update(ctx context.Context, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		err := db.DB.Update(ctx, func(tx *mongodb.Tx) error { return fn(&Tx{tx, db}) })
		if try == twins || !errors.Is(err, errTwin) {
			return err
		}
	}
}

// Tx is a transaction. Where change data capture takes the messages out, its requests for
// payment are documents of their own collection.
type Tx struct {
	*mongodb.Tx
	db database
}

// InsertOutbox implements outbox.Tx.
func (tx *Tx) InsertOutbox(ctx context.Context, messages []outbox.Message) error {
	if !tx.db.cdc {
		return tx.Tx.InsertOutbox(ctx, messages)
	}
	var requests, others []outbox.Message
	for _, m := range messages {
		if m.Topic == tx.db.paymentRequests {
			requests = append(requests, m)
		} else {
			others = append(others, m)
		}
	}
	if err := tx.insertRequests(ctx, requests); err != nil {
		return err
	}
	return tx.Tx.InsertOutbox(ctx, others)
}
