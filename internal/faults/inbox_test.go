//go:build unix

package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
	"github.com/twmb/franz-go/pkg/kgo"
)

// counter is where tellers work: a topic, and a database in which each message
// must have left one row, and for which one answer must have been sent.
type counter struct {
	testing.TB
	on       surroundings
	db       storage.DB
	file     string // of SQLite
	database string
	cluster  kafka.Config
	client   *kgo.Client
	tellers  []*program
	sent     []event.Event
	want     map[string][]int // by key, in the order of the log
	dead     int
	rounds   int
	repeats  int
}

func newCounter(t testing.TB, on surroundings, tellers int) *counter {
	t.Helper()
	c := &counter{
		TB: t, on: on, database: on.postgres, want: map[string][]int{},
		cluster: kafka.Config{Brokers: on.brokers, Prefix: testenv.Prefix(t), Logger: quiet},
	}
	if on.postgres == "" {
		c.file = filepath.Join(t.TempDir(), "teller.db")
		c.database = "sqlite:" + c.file
	}
	var err error
	if c.db, err = open.DB(t.Context(), c.database, open.Config{Schema: tellerName, Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.db.Close() })
	if err := c.db.Migrate(t.Context(), tellerName, tellerTables(on.postgres != "")); err != nil {
		t.Fatal(err)
	}
	if c.client, err = kafka.NewClient(c.cluster); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.client.Close)
	if err := kafka.EnsureTopics(t.Context(), c.client, c.cluster, kafka.Topic{Name: letters}, kafka.Topic{Name: answers}); err != nil {
		t.Fatal(err)
	}
	for i := range tellers {
		c.addTeller(fmt.Sprintf("teller-%d", i+1), tellers == 1)
	}
	return c
}

func (c *counter) addTeller(name string, static bool) {
	c.Helper()
	p := &program{name: name}
	c.tellers = append(c.tellers, p)
	database, through := c.database, ""
	if c.on.postgres != "" {
		through = hostOf(c.TB, c.on.postgres)
	}
	p.line(c.TB, c.on.brokers[0], through)
	if p.db != nil {
		database = throughProxy(c.TB, database, p.db.Addr())
	}
	p.start(c.TB, roleTeller, tellerSettings{
		Database: database, Postgres: c.on.postgres != "", Brokers: []string{p.kafka.Addr()},
		Prefix: c.cluster.Prefix, Instance: name, Static: static,
	})
}

// send publishes messages of several keys; one may be poison.
func (c *counter) send(n int, poisoned bool) {
	c.Helper()
	var batch []event.Event
	for range n {
		i := len(c.sent) + len(batch)
		key := fmt.Sprint("key-", i%7)
		batch = append(batch, event.New(letters, key, i))
		c.want[key] = append(c.want[key], i)
	}
	if poisoned {
		batch = slices.Insert(batch, n/2, event.New(letters, "key-1", poison))
		c.dead++
	}
	c.publish(batch)
	c.sent = append(c.sent, batch...)
}

// sendAgain publishes messages once more, in any order.
func (c *counter) sendAgain(random *rand.Rand, n int) {
	c.Helper()
	var batch []event.Event
	for range n {
		batch = append(batch, c.sent[random.IntN(len(c.sent))])
	}
	c.publish(batch)
	c.repeats += n
}

func (c *counter) publish(batch []event.Event) {
	c.Helper()
	records := make([]*kgo.Record, len(batch))
	for i, e := range batch {
		e.Source = "/faults"
		records[i] = kafka.ToRecord(c.cluster.Topic(letters), e)
	}
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	if err := c.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		c.Fatal(err)
	}
}

// drain waits until all that is in the topic was handled and all answers sent.
func (c *counter) drain(what string) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	ends := lastOffsets(readCommitted(ctx, c.TB, c.cluster, letters))
	var last string
	within(c.TB, "the topic is handled after "+what, &last, func() bool {
		last = c.remaining(ends)
		return last == ""
	})
}

// remaining says what is not done yet, "" when all is.
func (c *counter) remaining(ends map[int32]int64) string {
	for partition, offset := range ends {
		next, err := handled(c.Context(), c.db, letters, partition)
		if err != nil || next <= offset {
			return fmt.Sprintf("partition %d is handled up to %d of %d (%v)", partition, next, offset, err)
		}
	}
	var waiting, outgoing int64
	err := c.db.View(c.Context(), func(q storage.Querier) error {
		return q.QueryRow(c.Context(), `SELECT (SELECT count(*) FROM pabal_inbox_waiting), (SELECT count(*) FROM pabal_outbox)`).Scan(&waiting, &outgoing)
	})
	if err != nil || waiting+outgoing > 0 {
		return fmt.Sprintf("%d waiting, %d in the outbox (%v)", waiting, outgoing, err)
	}
	return ""
}

// judge compares effects and answers with what was sent.
func (c *counter) judge(what string) {
	c.Helper()
	effects := map[string][]int{}
	err := c.db.View(c.Context(), func(q storage.Querier) error {
		rows, err := q.Query(c.Context(), `SELECT k, n FROM effects ORDER BY ord`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			var n int
			if err := rows.Scan(&key, &n); err != nil {
				return err
			}
			effects[key] = append(effects[key], n)
		}
		return rows.Err()
	})
	if err != nil {
		c.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	answered := map[string][]int{}
	for _, r := range readCommitted(ctx, c.TB, c.cluster, answers) {
		n, err := event.Decode[int](r.Event)
		if err != nil {
			c.Fatal(err)
		}
		answered[r.Key] = append(answered[r.Key], n)
	}
	for key, want := range c.want {
		if !slices.Equal(effects[key], want) {
			c.Errorf("%s: key %s had the effects %v, sent were %v", what, key, effects[key], want)
		}
		if !slices.Equal(answered[key], want) {
			c.Errorf("%s: key %s had the answers %v, sent were %v", what, key, answered[key], want)
		}
	}
	if got := len(readCommitted(ctx, c.TB, c.cluster, tellerDead)); got != c.dead {
		c.Errorf("%s: %d dead letters, want %d", what, got, c.dead)
	}
	if c.Failed() {
		c.FailNow()
	}
}

// round sends, waits and judges.
func (c *counter) round(what string) {
	c.Helper()
	c.rounds++
	c.send(14, c.rounds%5 == 1)
	c.drain(what)
	c.judge(what)
}

func (c *counter) finish(what string) {
	c.Helper()
	c.judge(what)
	tally.rounds.Add(int64(c.rounds))
	tally.messages.Add(int64(len(c.sent)))
	tally.repeats.Add(int64(c.repeats))
	var kills int64
	for _, p := range c.tellers {
		kills += p.kills.Load()
	}
	c.Logf("%s: %d rounds, %d kills, %d messages (%d of them dead) and %d repeats, each with one effect and one answer, in order",
		what, c.rounds, kills, len(c.sent), c.dead, c.repeats)
}
