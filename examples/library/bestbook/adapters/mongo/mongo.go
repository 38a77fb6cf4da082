// Package mongo keeps the best books in MongoDB. It is a package of its own, so that
// only programs that want it have the driver.
package mongo

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/examples/library/bestbook/adapters"
	"github.com/pabal-dev/pabal/examples/library/bestbook/ports"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/storage/mongodb"
)

// URL of the database; where it is given, the best books are there.
var URL = service.Text{
	Name: "mongodb", Secret: true,
	Help: "Keep the best books in MongoDB, a replica set: mongodb://USER:PASSWORD@HOST/DATABASE.",
}

// Option is the service with the setting URL.
func Option(d service.Definition) service.Definition {
	d.Texts = append(d.Texts, URL)
	inSQL := d.Build
	d.Build = func(env service.Env) (service.Parts, error) {
		if env.Text(URL) == "" {
			return inSQL(env)
		}
		b := &books{env: env}
		return service.Parts{Services: []lifecycle.Service{b}, Routes: adapters.Routes(b)}, nil
	}
	return d
}

// books are the database, and what reads the topics into it; a lifecycle.Service.
// Offsets and inbox marks are in MongoDB, too: a message's effects and its mark commit
// together.
type books struct {
	env      service.Env
	db       *mongodb.DB
	best     *mongodb.View
	consumer *inbox.Consumer[*mongodb.Tx]
	running  lifecycle.Group
}

var _ ports.Books = (*books)(nil)

// Start connects, makes the collections, and begins to consume.
func (b *books) Start(ctx context.Context) (err error) {
	if b.db, err = mongodb.Open(ctx, b.env.Text(URL), mongodb.Config{Logger: b.env.Log}); err != nil {
		return err
	}
	if err = b.run(ctx); err != nil {
		return errors.Join(err, b.db.Close())
	}
	return nil
}

func (b *books) run(ctx context.Context) (err error) {
	if b.best, err = b.db.View(ctx, bestCollection, mongodb.ViewConfig{}); err != nil {
		return err
	}
	if err = b.index(ctx); err != nil {
		return fmt.Errorf("index of %s: %w", bestCollection, err)
	}
	b.consumer, err = inbox.NewConsumer(b.db, b.env.Kafka, inbox.Config[*mongodb.Tx]{
		Name: b.env.Group, Topics: adapters.Handlers(b.env, b.within), Logger: b.env.Log, Metrics: b.env.Metrics,
	})
	if err != nil {
		return err
	}
	cleaner, err := inbox.NewCleaner(b.db, inbox.CleanerConfig{Logger: b.env.Log})
	if err != nil {
		return err
	}
	b.running = lifecycle.Group{}
	b.running.Add("consumer", b.consumer)
	b.running.Add("inbox cleaner", cleaner)
	return b.running.Start(ctx)
}

// Stop finishes the transactions under way.
func (b *books) Stop(ctx context.Context) error {
	return errors.Join(b.running.Stop(ctx), b.db.Close())
}

// Name is for people.
func (b *books) Name() string { return "MongoDB" }

// Health is nil, or says what does not work at the moment.
func (b *books) Health() error { return b.consumer.Health() }
