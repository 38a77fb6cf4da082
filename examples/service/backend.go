package service

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/streams"
)

// Backend is a database and what a service does on it, whatever the type of its
// transactions: On makes one. The service closes it.
type Backend interface {
	database() database
	parts() parts
	newConsumer(takesTurns bool, cluster kafka.Config, c consumerConfig) (consumer, error)
	newView(cluster kafka.Config, c consumerConfig) (view, error)
}

// Store is a database as services need it.
type Store[T saga.Tx] interface {
	database
	Update(ctx context.Context, fn func(T) error) error
}

// database is a Store whose transactions are of no concern.
type database interface {
	outbox.Store
	outbox.Inspector
	inbox.Admin
	inbox.Inspector
	saga.Admin
	Ping(ctx context.Context) error
	Close() error
}

// On is a service on a database that is none of SQL. Its view is a consumer that takes
// each message once; nobody pauses it.
func On[T saga.Tx](db Store[T], does PartsOf[T]) Backend { return backendOf[T]{db, does} }

type backendOf[T saga.Tx] struct {
	store Store[T]
	does  PartsOf[T]
}

func (b backendOf[T]) database() database { return b.store }
func (b backendOf[T]) parts() parts       { return partsOf(b.does) }

// parts are PartsOf without what needs the type of transactions.
type parts struct {
	services []lifecycle.Service
	sagas    []managed
	streams  []*streams.App
	view     []string // topics
	routes   func(Env, *Router)
}

func partsOf[T saga.Tx](p PartsOf[T]) parts {
	all := parts{services: p.Services, streams: p.Streams, view: slices.Sorted(maps.Keys(p.View)), routes: p.Routes}
	for _, one := range p.Sagas {
		all.sagas = append(all.sagas, one)
	}
	return all
}

// consumerConfig is an inbox.Config without handlers.
type consumerConfig struct {
	name, deadLetters, instance string
	log                         *slog.Logger
	metrics                     *metrics.Set
}

// consumer is an inbox.Consumer of any type.
type consumer interface {
	lifecycle.Service
	admin.Consumer
}

func (b backendOf[T]) config(c consumerConfig) inbox.Config[T] {
	return inbox.Config[T]{Name: c.name, DeadLetterTopic: c.deadLetters, InstanceID: c.instance, Logger: c.log, Metrics: c.metrics}
}

func (b backendOf[T]) newConsumer(_ bool, cluster kafka.Config, c consumerConfig) (consumer, error) {
	return startable[T](b.store, cluster, b.config(c), b.does)
}

// startable is nil where nothing is consumed.
func startable[T saga.Tx](store inbox.Store[T], cluster kafka.Config, c inbox.Config[T], does PartsOf[T]) (consumer, error) {
	c.Topics, c.Groups, c.Foreign = does.Handlers, does.groups(), does.Foreign
	if len(c.Topics)+len(c.Groups) == 0 {
		return nil, nil
	}
	return inbox.NewConsumer(store, cluster, c)
}

// groups are the handlers of many messages: the definition's, then those of its
// sagas, each of which sees all messages of its topics.
func (p PartsOf[T]) groups() map[string]inbox.GroupHandler[T] {
	all := map[string]inbox.GroupHandler[T]{}
	maps.Copy(all, p.Groups)
	for _, one := range p.Sagas {
		for topic, handle := range one.Handlers() {
			if first := all[topic]; first != nil {
				handle = inSequence(first, handle)
			}
			all[topic] = handle
		}
	}
	return all
}

func inSequence[T saga.Tx](first, second inbox.GroupHandler[T]) inbox.GroupHandler[T] {
	return func(ctx context.Context, tx T, ms []inbox.Message) error {
		if err := first(ctx, tx, ms); err != nil {
			return err
		}
		return second(ctx, tx, ms)
	}
}

// sqlBackend has turns and projections besides.
type sqlBackend struct{ backendOf[storage.Tx] }

func (b sqlBackend) newConsumer(takesTurns bool, cluster kafka.Config, c consumerConfig) (consumer, error) {
	var db inbox.Store[storage.Tx] = b.store
	if takesTurns {
		db = inTurn{b.store.(storage.DB)}
	}
	return startable(db, cluster, b.config(c), b.does)
}
