//go:build unix

package faults_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// clerkSettings are those of a process that hosts entities. It takes commands from
// a topic, and gives commands to the same entities directly.
type clerkSettings struct {
	Database string
	Schema   string
	Durable  bool
	Brokers  []string
	Prefix   string
	Instance string
	Static   bool
	// Acknowledged is a file to which it writes the commands of its own that were
	// carried out; while the file Pause exists it gives none.
	Acknowledged, Pause string
}

const (
	orderedTo = "orders-to-stamp" // commands
	stamped   = "stamped"         // messages of decisions
)

// An entity is a sheet with stamps: one for each command, in their order.
type (
	stamp struct {
		Token string `json:"token"`
	}
	sheet struct {
		Tokens []string `json:"tokens"`
	}
	receipt struct {
		Token string `json:"token"`
		Place int    `json:"place"`
	}
)

func clerkRegistry() *journal.Registry {
	r, err := journal.NewRegistry(journal.JSON(journal.TypeOf[stamp]("stamp"), journal.TypeOf[sheet]("sheet")))
	if err != nil {
		panic(err) // types of this package
	}
	return r
}

func stampOnto(s sheet, c stamp) (sheet, error) {
	return sheet{slices.Concat(s.Tokens, []string{c.Token})}, nil
}

func outcome(c entity.Context, s sheet, command stamp) (receipt, []event.Event) {
	return receipt{command.Token, len(s.Tokens) + 1}, []event.Event{event.New(stamped, c.ID, command.Token)}
}

type clerks = entity.Host[stamp, sheet, receipt]

func newClerks(db storage.DB, durable bool, log *slog.Logger) (*clerks, error) {
	// Little memory, so that states are read again and again.
	config := entity.Config{MaxLive: 3, ConflictRetries: 1000, Logger: log}
	blank := func(string) sheet { return sheet{} }
	if durable {
		return entity.NewDurable(entity.DurableState[stamp, sheet, receipt]{
			Type: "sheet", Initial: blank, Registry: clerkRegistry(),
			Decide: func(c entity.Context, s sheet, command stamp) (entity.Change[sheet, receipt], error) {
				next, err := stampOnto(s, command)
				reply, messages := outcome(c, s, command)
				return entity.Change[sheet, receipt]{Set: &next, Reply: reply, Messages: messages}, err
			},
		}, db, config)
	}
	return entity.NewEventSourced(entity.EventSourced[stamp, stamp, sheet, receipt]{
		Type: "sheet", Initial: blank, Registry: clerkRegistry(), Apply: stampOnto, Snapshot: journal.SnapshotPolicy{Every: 5},
		Decide: func(c entity.Context, s sheet, command stamp) (entity.Decision[stamp, receipt], error) {
			reply, messages := outcome(c, s, command)
			return entity.Decision[stamp, receipt]{Events: []stamp{command}, Reply: reply, Messages: messages}, nil
		},
	}, db, config)
}

// runClerk is that process; it returns its exit code.
func runClerk(ctx context.Context, c clerkSettings) int {
	if err := stampUntil(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func stampUntil(ctx context.Context, c clerkSettings) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("instance", c.Instance)
	db, err := open.DB(ctx, c.Database, open.Config{Schema: c.Schema, Logger: log})
	if err != nil {
		return err
	}
	defer db.Close()
	cluster := kafka.Config{Brokers: c.Brokers, Prefix: c.Prefix, ClientID: c.Instance, Logger: log}
	relay, err := outbox.NewRelay(db, cluster, outbox.RelayConfig{
		Holder: c.Instance, LeaseTTL: time.Second, PollInterval: 50 * time.Millisecond, Logger: log,
	})
	if err != nil {
		return err
	}
	host, err := newClerks(db, c.Durable, log)
	if err != nil {
		return err
	}
	server, err := entity.NewServer(host, inbox.Store[storage.Tx](db), cluster, clerkServer(c, log))
	if err != nil {
		return err
	}
	var all lifecycle.Group
	all.Add("relay", relay)
	all.Add("host", host)
	all.Add("server", server)
	if err := startAll(ctx, &all, log); err != nil {
		return err
	}
	err = giveCommands(ctx, host, c)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	if late := all.Stop(stopping); err == nil {
		err = late
	}
	return err
}

func clerkServer(c clerkSettings, log *slog.Logger) entity.ServerConfig[stamp, receipt] {
	config := entity.ServerConfig[stamp, receipt]{
		Topic: orderedTo, BatchSize: 4, Backoff: inbox.Backoff{Min: 5 * time.Millisecond, Max: 50 * time.Millisecond},
		CheckInterval: 100 * time.Millisecond, SessionTimeout: 1500 * time.Millisecond, Logger: log,
	}
	if c.Static {
		config.InstanceID = c.Instance
	}
	return config
}

// sheetCount is how many entities there are.
const sheetCount = 7

// giveCommands gives commands directly, now and then, until ctx ends.
func giveCommands(ctx context.Context, host *clerks, c clerkSettings) error {
	file, err := os.OpenFile(c.Acknowledged, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := os.Stat(c.Pause); err == nil {
			continue
		}
		key, token := sheetOf(rand.IntN(sheetCount)), directly+event.NewID()
		asking, cancel := context.WithTimeout(ctx, 10*time.Second)
		got, err := host.Ask(asking, key, stamp{token})
		cancel()
		if err != nil {
			continue // it may have been carried out, or not
		}
		line := fmt.Sprintf("%s %s %d\n", key, got.Token, got.Place)
		if _, err := file.WriteString(line); err != nil {
			return err
		}
	}
}

func sheetOf(n int) string { return fmt.Sprint("sheet-", n%sheetCount) }

// directly begins the tokens of commands that did not come through the topic.
const directly = "direct-"

func isDirect(token string) bool { return strings.HasPrefix(token, directly) }
