//go:build unix

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// agentSettings are those of a process that leads sagas, takes their commands, or
// both.
type agentSettings struct {
	Database string
	Schema   string
	Brokers  []string
	Prefix   string
	Instance string
	Leads    bool
	Takes    bool
	// Clock is a file with the duration by which its clock is wrong.
	Clock string
}

const roleAgent = "agent"

// runAgent is that process; it returns its exit code.
func runAgent(ctx context.Context, c agentSettings) int {
	if err := leadUntil(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func leadUntil(ctx context.Context, c agentSettings) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("instance", c.Instance)
	db, err := open.DB(ctx, c.Database, open.Config{Schema: c.Schema, Logger: log})
	if err != nil {
		return err
	}
	defer db.Close()
	cluster := kafka.Config{Brokers: c.Brokers, Prefix: c.Prefix, ClientID: c.Instance, Logger: log}
	all, err := agentServices(db, cluster, c, log)
	if err != nil {
		return err
	}
	if err := startAll(ctx, all, log); err != nil {
		return err
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	return all.Stop(stopping)
}

func agentServices(db storage.DB, cluster kafka.Config, c agentSettings, log *slog.Logger) (*lifecycle.Group, error) {
	all := &lifecycle.Group{}
	relay, err := outbox.NewRelay(db, cluster, outbox.RelayConfig{
		Name: "agency", Holder: c.Instance, LeaseTTL: time.Second, PollInterval: 50 * time.Millisecond, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	all.Add("relay", relay)
	var failed error
	consume := func(name string, config inbox.Config[storage.Tx]) {
		// Small batches, so that there are many steps.
		config.Name, config.BatchSize, config.Attempts = name, 8, 2
		config.Backoff = inbox.Backoff{Min: 10 * time.Millisecond, Max: 50 * time.Millisecond}
		config.CheckInterval, config.SessionTimeout, config.Logger = 100*time.Millisecond, 1500*time.Millisecond, log
		consumer, err := inbox.NewConsumer[storage.Tx](db, cluster, config)
		if failed = errors.Join(failed, err); err == nil {
			all.Add(name, consumer)
		}
	}
	if c.Leads {
		m, err := newLead(db, clockOf(c.Clock), log)
		if err != nil {
			return nil, err
		}
		all.Add("sagas", m.Service())
		consume("agency", inbox.Config[storage.Tx]{Topics: map[string]inbox.Handler[storage.Tx]{trips: startTrip(m)}, Groups: m.Handlers()})
	}
	if c.Takes {
		consume("sellers", inbox.Config[storage.Tx]{Topics: map[string]inbox.Handler[storage.Tx]{book: sell, unbook: takeBack}})
	}
	return all, failed
}

type lead = saga.Manager[storage.Tx, itinerary]

func newLead(db storage.DB, clock func() time.Time, log *slog.Logger) (*lead, error) {
	return saga.New[storage.Tx](db, saga.Config[storage.Tx, itinerary]{
		Definitions: []saga.Definition[itinerary]{tripSaga()}, Clock: clock, Logger: log,
		PollInterval: 50 * time.Millisecond, TimerBatch: 8, Backoff: outbox.Backoff{Min: 20 * time.Millisecond, Max: 200 * time.Millisecond},
	})
}

// clockOf is wrong by what a file says.
func clockOf(file string) func() time.Time {
	return func() time.Time {
		text, err := os.ReadFile(file)
		if err != nil {
			return time.Now()
		}
		wrong, err := time.ParseDuration(string(text))
		if err != nil {
			return time.Now() // being written
		}
		return time.Now().Add(wrong)
	}
}
