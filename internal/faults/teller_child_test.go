//go:build unix

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing/fstest"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// tellerSettings are those of a process that handles messages. What it does to
// its database and what it sends would show if it were done twice: unlike the
// services, it does not look whether it has seen a message.
type tellerSettings struct {
	Database string
	Postgres bool
	Brokers  []string
	Prefix   string
	Instance string // of the relay, and of the consumer where it is a static member
	Static   bool
}

const (
	tellerName = "teller"
	tellerDead = "teller.dead-letters"
	answers    = "answers"
)

// poison is what the teller cannot handle.
const poison = -1

func tellerTables(postgres bool) fstest.MapFS {
	ord := "INTEGER PRIMARY KEY AUTOINCREMENT"
	if postgres {
		ord = "BIGSERIAL PRIMARY KEY"
	}
	return fstest.MapFS{"0001_effects.sql": {Data: []byte(`CREATE TABLE effects (ord ` + ord + `, k TEXT NOT NULL, n BIGINT NOT NULL)`)}}
}

// runTeller is that process; it returns its exit code.
func runTeller(ctx context.Context, c tellerSettings) int {
	if err := tellUntil(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func tellUntil(ctx context.Context, c tellerSettings) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("instance", c.Instance)
	db, err := open.DB(ctx, c.Database, open.Config{Schema: tellerName, Logger: log})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx, tellerName, tellerTables(c.Postgres)); err != nil {
		return err
	}
	cluster := kafka.Config{Brokers: c.Brokers, Prefix: c.Prefix, ClientID: c.Instance, Logger: log}
	relay, err := outbox.NewRelay(db, cluster, outbox.RelayConfig{
		Holder: c.Instance, LeaseTTL: time.Second, PollInterval: 50 * time.Millisecond, Logger: log,
	})
	if err != nil {
		return err
	}
	consumer, err := inbox.NewConsumer[storage.Tx](db, cluster, tellerConfig(c, log))
	if err != nil {
		return err
	}
	var all lifecycle.Group
	all.Add("relay", relay)
	all.Add("consumer", consumer)
	if err := startAll(ctx, &all, log); err != nil {
		return err
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	return all.Stop(stopping)
}

func tellerConfig(c tellerSettings, log *slog.Logger) inbox.Config[storage.Tx] {
	config := inbox.Config[storage.Tx]{
		Name: tellerName, Topics: map[string]inbox.Handler[storage.Tx]{letters: tell},
		// Small batches, so that there are many steps.
		BatchSize: 4, Attempts: 2, Backoff: inbox.Backoff{Min: 10 * time.Millisecond, Max: 50 * time.Millisecond},
		DeadLetterTopic: tellerDead, CheckInterval: 100 * time.Millisecond, SessionTimeout: 1500 * time.Millisecond,
		Logger: log,
	}
	if c.Static {
		config.InstanceID = c.Instance
	}
	return config
}

func tell(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	n, err := event.Decode[int](m.Event)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO effects (k, n) VALUES ($1, $2)`, m.Key, n); err != nil {
		return err
	}
	if n == poison {
		return errors.New("poison")
	}
	return outbox.Enqueue(ctx, tx, event.New(answers, m.Key, n))
}
