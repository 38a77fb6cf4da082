package service

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// Env is what handlers and endpoints work with.
type Env struct {
	// DB is nil of a Definition with NoDatabase, and on one of Definition.Databases.
	DB storage.DB
	// Kafka and Group, the name of the service's consumer, are for parts that consume
	// by themselves.
	Kafka kafka.Config
	Group string
	// Instance names this process among those of the service, "" where no name is stable.
	Instance string
	// StreamsURL and "/" and its id is where an application of Parts.Streams serves its stores.
	StreamsURL string
	// Topics are the names of topics that are not the standard ones, by those.
	Topics map[string]string
	// Durations are settings that are not the defaults, by name.
	Durations map[string]time.Duration
	// Texts are settings that are not empty, by name.
	Texts map[string]string
	// Clock is time.Now where nil.
	Clock   func() time.Time
	Log     *slog.Logger
	Metrics *metrics.Set
	// CDC says that change data capture takes messages out of the database, and no relay.
	CDC bool
	// Source is the CloudEvents source of the service's events, for databases of its own.
	Source string
	// OutboxHistory is how long published messages are kept.
	OutboxHistory time.Duration
	// Payloads write and read what events carry; nil has JSON only.
	Payloads *Payloads
	// View is the projection of Parts.View, nil without one.
	View View
}

// View is what runs Parts.View.
type View interface {
	// Lag is how far it is behind its topics, of the partitions that this process reads.
	Lag() (events int64, seconds float64)
}

// Topic is the configured name of a topic, without the cluster's prefix.
func (e Env) Topic(standard string) string { return cmp.Or(e.Topics[standard], standard) }

// Duration is a setting's value.
func (e Env) Duration(d Duration) time.Duration { return cmp.Or(e.Durations[d.Name], d.Default) }

// Text is a setting's value, "" where nobody says.
func (e Env) Text(t Text) string { return e.Texts[t.Name] }

// Now is the present time as tables and messages hold it.
func (e Env) Now() time.Time {
	clock := e.Clock
	if clock == nil {
		clock = time.Now
	}
	return clock().UTC().Truncate(time.Microsecond)
}

// Counter counts something of the service under that name.
func (e Env) Counter(name string) *metrics.Counter { return e.Metrics.GetOrCreateCounter(name) }

// To is a message for a topic of that standard name; the event's type need not be it.
func (e Env) To(standard string, v event.Event) outbox.Message {
	return outbox.Message{Topic: e.Topic(standard), Event: v}
}

// Send stores an event for a topic of that standard name in the transaction.
func (e Env) Send(ctx context.Context, tx storage.Tx, standard string, v event.Event) error {
	return outbox.EnqueueMessages(ctx, tx, e.To(standard, v))
}

// names are the configured names of topics.
func (e Env) names(standard []string) []string {
	all := make([]string, len(standard))
	for i, name := range standard {
		all[i] = e.Topic(name)
	}
	return sorted(all)
}

func sorted(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}
