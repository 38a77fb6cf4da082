//go:build unix

package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// capture is a database with writers, a worker that captures its changes as a process, and a consumer
// that follows them. Each change of a row adds one to its version, so that a change that is lost,
// comes twice or out of order shows.
type capture struct {
	testing.TB
	url     string
	worker  program
	cluster kafka.Config
	writing atomic.Bool
	changes atomic.Int64 // that were committed
	writers sync.WaitGroup

	mu   sync.Mutex
	seen map[int]int // version by row
	// again are how often rows were read by the snapshot under way that was asked for; nil before any was.
	again map[int]int
	bad   []string
	read  int
}

func newCapture(t testing.TB, brokers []string, database string, random *rand.Rand) *capture {
	t.Helper()
	c := &capture{
		TB: t, url: database, seen: map[int]int{},
		cluster: kafka.Config{Brokers: brokers, Prefix: testenv.Prefix(t), Logger: quiet},
	}
	c.exec("CREATE TABLE counters (id int PRIMARY KEY, version int NOT NULL)",
		"INSERT INTO counters SELECT i, 1 FROM generate_series(1, 500) i",
		"CREATE TABLE signals (id text PRIMARY KEY, type text, data text)")
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	name := strings.TrimPrefix(u.Path, "/")
	c.worker.name = "capture"
	c.worker.line(t, brokers[0], "")
	c.worker.start(t, roleCapture, captureSettings{
		Brokers: []string{c.worker.kafka.Addr()}, Prefix: c.cluster.Prefix, ID: "capture",
		Connector: map[string]string{
			"connector.class": postgres.Class, "topic.prefix": "cdc", "slot.name": name + "_faults",
			"database.hostname": u.Hostname(), "database.port": u.Port(), "database.user": u.User.Username(),
			"database.password": password, "database.dbname": name, "database.sslmode": "disable",
			"slot.retry.delay.ms": "100", "slot.max.retries": "1000", "status.update.interval.ms": "100",
			"max.batch.size": "50", "max.queue.size": "100",
			"signal.data.collection": "public.signals", "incremental.snapshot.chunk.size": "20",
			"topic.creation.default.partitions": "2", "topic.creation.default.replication.factor": "1",
		},
	})
	c.follow()
	c.writing.Store(true)
	for i := range 3 {
		own := rand.New(rand.NewPCG(random.Uint64(), uint64(i)))
		c.writers.Go(func() { c.write(own) })
	}
	t.Cleanup(c.quiesce)
	return c
}

func (c *capture) quiesce() {
	c.writing.Store(false)
	c.writers.Wait()
}

func (c *capture) exec(statements ...string) {
	c.Helper()
	db, err := pgx.Connect(c.Context(), c.url)
	if err != nil {
		c.Fatal(err)
	}
	defer db.Close(context.Background())
	for _, statement := range statements {
		if _, err := db.Exec(c.Context(), statement); err != nil {
			c.Fatalf("%s: %v", statement, err)
		}
	}
}

// write transactions that overlap with those of others, until the database is away, and again.
func (c *capture) write(random *rand.Rand) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for c.writing.Load() {
		db, err := pgx.Connect(ctx, c.url)
		for err == nil && c.writing.Load() {
			err = c.transaction(ctx, db, random)
		}
		if db != nil {
			_ = db.Close(ctx)
		}
		if err != nil {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// transaction of some changes, each of another row, in the order of rows, so that none waits for
// another in a circle.
func (c *capture) transaction(ctx context.Context, db *pgx.Conn, random *rand.Rand) error {
	tx, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	n := 1 + random.IntN(5)
	for id := 1; n > 0; n-- {
		id += random.IntN(120)
		if _, err := tx.Exec(ctx, "INSERT INTO counters VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET version = counters.version + 1", id); err != nil {
			return err
		}
		id++
		time.Sleep(time.Duration(random.IntN(4)) * time.Millisecond)
	}
	if random.IntN(10) == 0 {
		return tx.Rollback(ctx)
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	c.changes.Add(1)
	return nil
}

// follow what is committed in Kafka, until the test ends.
func (c *capture) follow() {
	c.Helper()
	client, err := kafka.NewClient(c.cluster, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeTopics(c.cluster.Topic("cdc.public.counters")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(500*time.Millisecond))
	if err != nil {
		c.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var reader sync.WaitGroup
	reader.Go(func() {
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(c.see)
		}
	})
	c.Cleanup(func() {
		cancel()
		reader.Wait()
		client.Close()
	})
}

// see a change: it must be the next one of its row.
func (c *capture) see(r *kgo.Record) {
	var change struct {
		Op    string
		After struct{ ID, Version int }
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read++
	if err := json.Unmarshal(r.Value, &change); err != nil {
		c.bad = append(c.bad, fmt.Sprintf("%s: %v", r.Value, err))
		return
	}
	id, version := change.After.ID, change.After.Version
	last, there := c.seen[id]
	if change.Op == "r" && c.again != nil {
		c.again[id]++
		if c.again[id] > 1 || version != last {
			c.bad = append(c.bad, fmt.Sprintf("row %d: version %d was read by a snapshot for the %d. time, after %d, at %d/%d", id, version, c.again[id], last, r.Partition, r.Offset))
		}
		return
	}
	if there && version != last+1 || !there && change.Op != "r" && version != 1 {
		c.bad = append(c.bad, fmt.Sprintf("row %d: version %d (%s) after %d, at %d/%d", id, version, change.Op, last, r.Partition, r.Offset))
	}
	c.seen[id] = version
}

// settle waits until all that the database has was seen, and judges.
func (c *capture) settle(what string) {
	c.Helper()
	c.quiesce()
	db, err := pgx.Connect(c.Context(), c.url)
	if err != nil {
		c.Fatal(err)
	}
	defer db.Close(context.Background())
	rows, err := db.Query(c.Context(), "SELECT id, version FROM counters")
	if err != nil {
		c.Fatal(err)
	}
	want := map[int]int{}
	var id, version int
	if _, err := pgx.ForEachRow(rows, []any{&id, &version}, func() error {
		want[id] = version
		return nil
	}); err != nil {
		c.Fatal(err)
	}
	var last string
	within(c.TB, "all changes are in Kafka after "+what, &last, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		missing := 0
		for id, version := range want {
			if c.seen[id] < version {
				missing++
				last = fmt.Sprintf("row %d is at %d, and was seen at %d", id, version, c.seen[id])
			}
		}
		last = fmt.Sprintf("%d rows are missing; %s", missing, last)
		return missing == 0
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, version := range c.seen {
		if want[id] != version {
			c.bad = append(c.bad, fmt.Sprintf("row %d was seen at %d, and is at %d", id, version, want[id]))
		}
	}
	if len(c.bad) > 0 {
		c.Errorf("%s: %d changes are lost, twice or out of order:\n%s", what, len(c.bad), strings.Join(c.bad[:min(10, len(c.bad))], "\n"))
	}
	tally.messages.Add(int64(c.read))
	c.Logf("%s: %d transactions, %d records, %d kills, none lost, none twice", what, c.changes.Load(), c.read, c.worker.kills.Load())
}

// committed waits until that many more transactions were committed.
func (c *capture) committed(more int64) {
	c.Helper()
	before := c.changes.Load()
	testenv.Wait(c.TB, "transactions", patience, func() bool { return c.changes.Load() >= before+more })
}

// progress waits until that many more records were seen.
func (c *capture) progress(more int) {
	c.Helper()
	count := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.read
	}
	before := count()
	testenv.Wait(c.TB, "records", patience, func() bool { return count() >= before+more })
}

// TestKillCapture kills the worker at random points of its transactions in Kafka, in its first
// snapshot and after it, and at random moments.
func TestKillCapture(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	c := newCapture(t, broker(t), testenv.Postgres(t), random)
	kills := 3
	if full() {
		kills = 100
	}
	points := around("kafka", "Produce", "EndTxn", "InitProducerID")
	for i := range kills {
		if i%3 == 2 {
			c.progress(1 + random.IntN(50))
			c.worker.kill()
			continue
		}
		where := points[random.IntN(len(points))]
		if i == 0 {
			where = points[random.IntN(4)] // within the snapshot
		}
		sprung := c.worker.killAt(where, 1+random.IntN(4))
		select {
		case <-sprung:
		case <-time.After(5 * time.Second): // a start that has no such point
		}
		c.worker.trap.disarm()
		c.progress(20)
	}
	tally.rounds.Add(int64(kills))
	c.settle("worker killed")
}

// TestKillCapturedDatabase kills PostgreSQL with all of its processes while it is captured.
func TestKillCapturedDatabase(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	server := testenv.StartPostgres(t)
	c := newCapture(t, kafkatest.Start(t).Config.Brokers, server.URL, random)
	times := 2
	if full() {
		times = 40
	}
	for range times {
		c.progress(1 + random.IntN(100))
		crash(t, server, time.Duration(random.IntN(500))*time.Millisecond)
		c.committed(10)
		c.progress(20)
	}
	c.settle("PostgreSQL killed")
}

// TestKillBrokerOfCapture kills Apache Kafka while changes are written to it.
func TestKillBrokerOfCapture(t *testing.T) {
	testenv.Full(t)
	random := testenv.Rand(t)
	server := testenv.StartKafka(t)
	c := newCapture(t, []string{server.Addr}, testenv.Postgres(t), random)
	for range 8 {
		c.progress(1 + random.IntN(100))
		crash(t, server, time.Duration(random.IntN(3000))*time.Millisecond)
		c.progress(20)
	}
	c.settle("Apache Kafka killed")
}
