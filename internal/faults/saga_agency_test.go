//go:build unix

package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
	"github.com/twmb/franz-go/pkg/kgo"
)

// agency is where agents work: processes with the sagas of trips and their sellers,
// on one database.
type agency struct {
	testing.TB
	on       surroundings
	db       storage.DB
	file     string // of SQLite
	database string
	schema   string
	clock    string
	cluster  kafka.Config
	client   *kgo.Client
	agents   []*program
	trips    int
	rounds   int
	repeats  int
}

// agencyTopics are those that something is answered to, by key.
var agencyTopics = []string{trips, book, unbook, booked}

// newAgency starts agents that do everything.
func newAgency(t testing.TB, on surroundings, agents int) *agency {
	t.Helper()
	a := emptyAgency(t, on)
	for n := range agents {
		a.add(agentSettings{Instance: fmt.Sprintf("agent-%d", n+1), Leads: true, Takes: true})
	}
	return a
}

func emptyAgency(t testing.TB, on surroundings) *agency {
	t.Helper()
	a := &agency{
		TB: t, on: on, database: on.postgres, schema: "agency", clock: filepath.Join(t.TempDir(), "clock"),
		cluster: kafka.Config{Brokers: on.brokers, Prefix: testenv.Prefix(t) + "agency.", Logger: quiet},
	}
	if on.postgres == "" {
		a.file = filepath.Join(t.TempDir(), "agency.db")
		a.database = "sqlite:" + a.file
	}
	var err error
	if a.db, err = open.DB(t.Context(), a.database, open.Config{Schema: a.schema, Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.db.Close() })
	if err := a.db.Migrate(t.Context(), "agency", tripTables); err != nil {
		t.Fatal(err)
	}
	if a.client, err = kafka.NewClient(a.cluster); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.client.Close)
	for _, topic := range agencyTopics {
		if err := kafka.EnsureTopics(t.Context(), a.client, a.cluster, kafka.Topic{Name: topic}); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (a *agency) add(c agentSettings) *program {
	a.Helper()
	p := &program{name: c.Instance}
	a.agents = append(a.agents, p)
	database, through := a.database, ""
	if a.on.postgres != "" {
		through = hostOf(a.TB, a.on.postgres)
	}
	p.line(a.TB, a.on.brokers[0], through)
	if p.db != nil {
		database = throughProxy(a.TB, database, p.db.Addr())
	}
	c.Database, c.Schema, c.Brokers, c.Prefix, c.Clock = database, a.schema, []string{p.kafka.Addr()}, a.cluster.Prefix, a.clock
	p.start(a.TB, roleAgent, c)
	return p
}

// order starts trips, two of each manner; some orders come twice.
func (a *agency) order() {
	a.Helper()
	var events []event.Event
	for range 2 * int(manners) {
		e := event.New(trips, tripID(a.trips), order{tripID(a.trips), a.trips})
		events = append(events, e)
		if a.trips%3 == 0 {
			events = append(events, e, event.New(trips, e.Key, order{e.Key, a.trips}))
			a.repeats += 2
		}
		a.trips++
	}
	a.publish(trips, events...)
}

func (a *agency) publish(topic string, events ...event.Event) {
	a.Helper()
	records := make([]*kgo.Record, len(events))
	for i, e := range events {
		if e.Source == "" {
			e.Source = "/faults"
		}
		records[i] = kafka.ToRecord(a.cluster.Topic(topic), e)
	}
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	if err := a.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		a.Fatal(err)
	}
}

// again publishes messages once more, in any order: some as they were, and answers
// also as if the sellers had repeated themselves.
func (a *agency) again(random *rand.Rand, n int) {
	a.Helper()
	for _, topic := range agencyTopics {
		all := a.read(topic)
		if len(all) == 0 {
			continue
		}
		var events []event.Event
		for range n {
			e := all[random.IntN(len(all))].Event
			if topic == booked && random.IntN(2) == 0 {
				e.ID = event.NewID()
			}
			events = append(events, e)
		}
		a.publish(topic, events...)
		a.repeats += n
	}
}

// answerLate sends the answers that the sellers kept to themselves, twice.
func (a *agency) answerLate() {
	a.Helper()
	var events []event.Event
	for n := range a.trips {
		if mannerOf(n) == late && a.booking(tripID(n), "car") == "booked" {
			w := wish{order{tripID(n), n}, "car", 1}
			for range 2 {
				events = append(events, event.New(booked, tripID(n), confirmation{w, saga.Succeeded}))
			}
		}
	}
	a.publish(booked, events...)
}

func (a *agency) read(topic string) []record {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	return readCommitted(ctx, a.TB, a.cluster, topic)
}

// settle waits until all trips have ended and nothing is under way.
func (a *agency) settle(what string) {
	a.Helper()
	var last string
	within(a.TB, "all trips end after "+what, &last, func() bool {
		if last = a.remaining(); last != "" {
			return false
		}
		for _, topic := range agencyTopics { // what came before may have sent more
			for partition, offset := range lastOffsets(a.read(topic)) {
				if next, err := handled(a.Context(), a.db, topic, partition); err != nil || next <= offset {
					last = fmt.Sprintf("%s/%d is handled up to %d of %d (%v)", topic, partition, next, offset, err)
					return false
				}
			}
		}
		last = a.remaining()
		return last == ""
	})
}

// remaining says what is not done yet, "" when all is.
func (a *agency) remaining() string {
	counts, err := a.db.SagaCounts(a.Context())
	ended := int64(0)
	for _, c := range counts {
		if c.Status.Ended() {
			ended += c.Count
		}
	}
	if err != nil || ended != int64(a.trips) {
		return fmt.Sprintf("%d of %d trips have ended: %+v (%v)", ended, a.trips, counts, err)
	}
	var waiting, outgoing int64
	err = a.db.View(a.Context(), func(q storage.Querier) error {
		return q.QueryRow(a.Context(), `SELECT (SELECT count(*) FROM pabal_inbox_waiting), (SELECT count(*) FROM pabal_outbox)`).Scan(&waiting, &outgoing)
	})
	if err != nil || waiting+outgoing > 0 {
		return fmt.Sprintf("%d waiting, %d in the outbox (%v)", waiting, outgoing, err)
	}
	return ""
}

// booking is what a seller knows, "" for nothing.
func (a *agency) booking(trip, step string) string {
	a.Helper()
	var state string
	err := a.db.View(a.Context(), func(q storage.Querier) error {
		return q.QueryRow(a.Context(), `SELECT coalesce(min(state), '') FROM bookings WHERE trip = $1 AND step = $2`, trip, step).Scan(&state)
	})
	if err != nil {
		a.Fatal(err)
	}
	return state
}

// round orders trips, lets fault strike, and waits and judges.
func (a *agency) round(what string, fault ...func()) {
	a.Helper()
	a.rounds++
	a.order()
	for _, fn := range fault {
		fn()
	}
	a.settle(what)
	a.answerLate()
	a.settle(what + ", late answers")
	a.judge(what)
}

// shift makes the agents' clocks wrong.
func (a *agency) shift(by time.Duration) {
	a.Helper()
	if err := os.WriteFile(a.clock, []byte(by.String()), 0o600); err != nil {
		a.Fatal(err)
	}
}

// finish judges once more, after messages of all rounds came again.
func (a *agency) finish(random *rand.Rand, what string) {
	a.Helper()
	before := a.judge(what)
	a.again(random, 60)
	a.settle("messages of long ago")
	if after := a.judge("messages of long ago"); after != before {
		a.Errorf("%d trips were completed, and %d after repeated messages", before, after)
	}
	var kills int64
	for _, p := range a.agents {
		kills += p.kills.Load()
	}
	tally.rounds.Add(int64(a.rounds))
	tally.messages.Add(int64(a.trips))
	tally.repeats.Add(int64(a.repeats))
	a.Logf("%s: %d rounds, %d kills, %d trips (%d of them made), %d repeated messages, %d poisonous answers; each command carried out once",
		what, a.rounds, kills, a.trips, before, a.repeats, len(a.read("agency.dead-letters")))
}
