//go:build unix

package faults_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// bench is an outbox with relays as processes, and what was put into it.
type bench struct {
	testing.TB
	db       storage.DB
	file     string // of SQLite
	on       surroundings
	database string
	cluster  kafka.Config
	relays   []*program
	want     map[string][]int // by key, in the order of their commits
	total    int
	dead     int
	rounds   int
}

const letters = "letters"

func newBench(t testing.TB, on surroundings, relays int) *bench {
	t.Helper()
	b := &bench{
		TB: t, on: on, database: on.postgres, want: map[string][]int{},
		cluster: kafka.Config{Brokers: on.brokers, Prefix: testenv.Prefix(t), Logger: quiet},
	}
	if on.postgres == "" {
		b.file = filepath.Join(t.TempDir(), "outbox.db")
		b.database = "sqlite:" + b.file
	}
	var err error
	if b.db, err = open.DB(t.Context(), b.database, open.Config{Schema: "outbox", Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.db.Close() })
	client, err := kafka.NewClient(b.cluster)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := kafka.EnsureTopics(t.Context(), client, b.cluster, kafka.Topic{Name: letters}); err != nil {
		t.Fatal(err)
	}
	for i := range relays {
		b.addRelay(fmt.Sprintf("relay-%d", i+1))
	}
	return b
}

func (b *bench) addRelay(name string) {
	b.Helper()
	p := &program{name: name}
	b.relays = append(b.relays, p)
	database, through := b.database, ""
	if b.on.postgres != "" {
		through = hostOf(b.TB, b.on.postgres)
	}
	p.line(b.TB, b.on.brokers[0], through)
	if p.db != nil {
		database = throughProxy(b.TB, database, p.db.Addr())
	}
	p.start(b.TB, roleRelay, relaySettings{
		Database: database, Schema: "outbox", Brokers: []string{p.kafka.Addr()},
		Prefix: b.cluster.Prefix, Holder: name, LeaseTTL: time.Second,
	})
}

// enqueue stores messages of several keys in several transactions; some rounds
// have one that Kafka refuses.
func (b *bench) enqueue(refused bool) {
	b.Helper()
	for range 3 {
		b.commit(4, false)
	}
	if refused {
		b.commit(0, true)
		b.dead++
	}
	b.commit(2, false)
}

func (b *bench) commit(n int, refused bool) {
	b.Helper()
	var events []event.Event
	for range n {
		key := fmt.Sprint("key-", b.total%3)
		events = append(events, event.New(letters, key, b.total))
		b.want[key] = append(b.want[key], b.total)
		b.total++
	}
	if refused {
		events = append(events, event.New(letters, "large", strings.Repeat("x", 2<<20)))
	}
	b.update(func(ctx context.Context, tx storage.Tx) error { return outbox.Enqueue(ctx, tx, events...) })
}

// update goes on until the database takes it: a stopped relay may be in its way.
func (b *bench) update(fn func(context.Context, storage.Tx) error) {
	b.Helper()
	var last string
	within(b.TB, "the database takes a transaction", &last, func() bool {
		err := b.db.Update(b.Context(), func(tx storage.Tx) error { return fn(b.Context(), tx) })
		if err != nil && !b.db.Transient(err) {
			b.Fatal(err)
		}
		last = fmt.Sprint(err)
		return err == nil
	})
}

// drain waits until everything was published or is dead.
func (b *bench) drain(what string) {
	b.Helper()
	var last string
	within(b.TB, "the outbox is empty after "+what, &last, func() bool {
		backlog, err := b.db.Backlog(b.Context())
		last = fmt.Sprintf("%+v %v", backlog, err)
		return err == nil && backlog.Started == 0 && backlog.Failed == int64(b.dead)
	})
}

// judge reads the log: every message once, each key in the order of its commits.
func (b *bench) judge(what string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	got := map[string][]int{}
	for _, e := range readCommitted(ctx, b.TB, b.cluster, letters) {
		n, err := event.Decode[int](e.Event)
		if err != nil {
			b.Fatalf("%s: %v", what, err)
		}
		got[e.Key] = append(got[e.Key], n)
	}
	for key, want := range b.want {
		if !slices.Equal(got[key], want) {
			b.Errorf("%s: key %s is in the log as %v, committed were %v", what, key, got[key], want)
		}
	}
	dead := map[string]bool{}
	for _, e := range readCommitted(ctx, b.TB, b.cluster, "outbox.dead-letters") {
		if dead[e.ID] {
			b.Errorf("%s: the dead letter %s is there twice", what, e.ID)
		}
		dead[e.ID] = true
	}
	if len(dead) != b.dead {
		b.Errorf("%s: %d dead letters, want %d", what, len(dead), b.dead)
	}
	if b.Failed() {
		b.FailNow()
	}
}

// round lets a load through and judges.
func (b *bench) round(what string) {
	b.Helper()
	b.rounds++
	b.enqueue(b.rounds%5 == 1)
	b.drain(what)
	b.judge(what)
}

func (b *bench) finish(what string) {
	b.Helper()
	b.judge(what)
	tally.rounds.Add(int64(b.rounds))
	tally.messages.Add(int64(b.total))
	var kills int64
	for _, r := range b.relays {
		kills += r.kills.Load()
	}
	b.Logf("%s: %d rounds, %d kills, %d messages and %d dead letters, none lost, none twice, each key in order",
		what, b.rounds, kills, b.total, b.dead)
}
