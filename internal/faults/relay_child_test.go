//go:build unix

package faults_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/open"
)

// relaySettings are those of a process that is a relay and nothing else.
type relaySettings struct {
	Database, Schema string
	Brokers          []string
	Prefix, Holder   string
	LeaseTTL         time.Duration
}

// runRelay is that process; it returns its exit code.
func runRelay(ctx context.Context, c relaySettings) int {
	if err := relayUntil(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func relayUntil(ctx context.Context, c relaySettings) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("holder", c.Holder)
	db, err := open.DB(ctx, c.Database, open.Config{Schema: c.Schema, Logger: log})
	if err != nil {
		return err
	}
	defer db.Close()
	cluster := kafka.Config{Brokers: c.Brokers, Prefix: c.Prefix, ClientID: c.Holder, Logger: log}
	relay, err := outbox.NewRelay(db, cluster, outbox.RelayConfig{
		Holder: c.Holder, LeaseTTL: c.LeaseTTL, Logger: log,
		// Small batches, so that there are many steps; few attempts, so that
		// what Kafka refuses is soon dead.
		BatchRows: 4, MaxAttempts: 2, PollInterval: 50 * time.Millisecond,
		Backoff: outbox.Backoff{Min: 10 * time.Millisecond, Max: 50 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	if err := startAll(ctx, relay, log); err != nil {
		return err
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	return relay.Stop(stopping)
}

// startAll starts a relay, alone or among others. With too much to do, it may lose its lease
// of a second while it starts.
func startAll(ctx context.Context, all lifecycle.Service, log *slog.Logger) error {
	for tries := 1; ; tries++ {
		err := all.Start(ctx)
		if err == nil {
			return nil
		}
		if log.Warn("start", "error", err); tries == 10 || ctx.Err() != nil {
			return err
		}
	}
}
