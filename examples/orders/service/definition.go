// Package service is what the four services share: configuration, an HTTP
// server with health and metrics, a database with its outbox, a consumer, and a
// program around it. What one of them is about is its Definition.
package service

import (
	"context"
	"io/fs"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// Definition is what tells one service from another.
type Definition struct {
	// Name is used for the schema, the group and the program.
	Name string
	// Summary is one sentence for --help.
	Summary string
	// Port the service listens on where nobody says.
	Port int
	// Migrations are the numbered .sql files of its tables.
	Migrations fs.FS
	// Consumes and Produces are the topics.
	Consumes func(message.Topics) []string
	Produces func(message.Topics) []string
	// Handlers are for each topic in Consumes.
	Handlers func(Env) map[string]inbox.Handler[storage.Tx]
	// TakesTurns makes the handlers' transactions run one after the other,
	// where messages of different keys change the same rows: many of them in
	// one transaction would lock those in any order, and deadlock. The table
	// "turns" has a row "consumer" then.
	TakesTurns bool
	// Routes registers the REST API.
	Routes func(Env, *Router)
}

// Env is what handlers and endpoints work with.
type Env struct {
	DB      storage.DB
	Topics  message.Topics
	Log     *slog.Logger
	Metrics *metrics.Set
}

// Counter counts something of the service under that name.
func (e Env) Counter(name string) *metrics.Counter { return e.Metrics.GetOrCreateCounter(name) }

// Now is the present time as the tables and messages hold it.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Enqueue stores messages in the transaction.
func Enqueue(ctx context.Context, tx storage.Tx, messages ...outbox.Message) error {
	return outbox.EnqueueMessages(ctx, tx, messages...)
}

// To is a message for a topic; the event's type need not be the topic's name.
func To(topic string, e event.Event) outbox.Message { return outbox.Message{Topic: topic, Event: e} }
