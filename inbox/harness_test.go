package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const soon = 30 * time.Second

// env is a cluster and a database with a table of effects.
type env struct {
	testing.TB
	cluster kafka.Config
	db      storage.DB
	client  *kgo.Client
	order   atomic.Int64
}

// everywhere runs a test on the embedded default and on the real servers.
func everywhere(t *testing.T, test func(t *testing.T, e *env)) {
	t.Run("embedded", func(t *testing.T) { test(t, embedded(t)) })
	t.Run("servers", func(t *testing.T) { test(t, servers(t)) })
}

func embedded(t testing.TB) *env {
	cluster := kafkatest.Start(t)
	cluster.Config.Logger = testLogger()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return newEnv(t, cluster.Config, storage.Any(db))
}

func servers(t testing.TB) *env {
	config := kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: slog.New(slog.DiscardHandler)}
	db, err := postgres.Open(t.Context(), testenv.Postgres(t), postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return newEnv(t, config, storage.Any(db))
}

func newEnv(t testing.TB, cluster kafka.Config, db storage.DB) *env {
	e := &env{TB: t, cluster: cluster, db: db}
	err := db.Migrate(t.Context(), "test", fstest.MapFS{"0001_effects.sql": {Data: []byte(`
		CREATE TABLE effect (consumer TEXT NOT NULL, id TEXT NOT NULL, k TEXT NOT NULL, place BIGINT NOT NULL, ord BIGINT NOT NULL)`)}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.NewClient(cluster, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.UnknownTopicRetries(100), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	e.client = client
	return e
}

// topic creates one and returns its name.
func (e *env) topic(name string, partitions int32) string {
	e.Helper()
	if err := kafka.EnsureTopics(e.Context(), e.client, e.cluster, kafka.Topic{Name: name, Partitions: partitions}); err != nil {
		e.Fatal(err)
	}
	return name
}

// record is what a handler does by default: one row per message.
func (e *env) record(consumer string) inbox.Handler[storage.Tx] {
	return func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
		_, err := tx.Exec(ctx, "INSERT INTO effect (consumer, id, k, place, ord) VALUES ($1, $2, $3, $4, $5)",
			consumer, m.ID, m.Key, m.Offset, e.order.Add(1))
		return err
	}
}

type effect struct {
	id, key       string
	offset, order int64
}

// effects are in the order in which their handlers ran.
func (e *env) effects(consumer string) []effect {
	e.Helper()
	var all []effect
	e.view(func(q storage.Querier) error {
		all = nil
		rows, err := q.Query(context.Background(), "SELECT id, k, place, ord FROM effect WHERE consumer = $1 ORDER BY ord", consumer)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var one effect
			if err := rows.Scan(&one.id, &one.key, &one.offset, &one.order); err != nil {
				return err
			}
			all = append(all, one)
		}
		return rows.Err()
	})
	return all
}

// view is the database's, again where a test has cut its connections.
func (e *env) view(fn func(storage.Querier) error) {
	e.Helper()
	err := e.db.View(context.Background(), fn)
	for n := 0; n < 50 && err != nil && e.db.Transient(err); n++ {
		err = e.db.View(context.Background(), fn)
	}
	if err != nil {
		e.Fatal(err)
	}
}

// config is a consumer's with short pauses.
func (e *env) config(name, topic string, handle inbox.Handler[storage.Tx]) inbox.Config[storage.Tx] {
	return inbox.Config[storage.Tx]{
		Name: name, Topics: map[string]inbox.Handler[storage.Tx]{topic: handle},
		Backoff:       inbox.Backoff{Min: time.Millisecond, Max: 20 * time.Millisecond},
		CheckInterval: 50 * time.Millisecond, OffsetCopyInterval: 100 * time.Millisecond,
		SessionTimeout: 6 * time.Second, Logger: testLogger(),
	}
}

// start runs a consumer until the test ends, or until it is stopped before.
func (e *env) start(store inbox.Store[storage.Tx], c inbox.Config[storage.Tx]) *inbox.Consumer[storage.Tx] {
	e.Helper()
	consumer, err := inbox.NewConsumer(store, e.cluster, c)
	if err != nil {
		e.Fatal(err)
	}
	if err := consumer.Start(e.Context()); err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { e.stop(consumer) })
	return consumer
}

func (e *env) stop(c *inbox.Consumer[storage.Tx]) {
	e.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		e.Errorf("stop: %v", err)
	}
}

// event of a key with a payload.
func newEvent(key string, payload any) event.Event {
	ev := event.New("test-event", key, payload)
	ev.Source = "/test"
	return ev
}

func (e *env) send(topic string, partition int32, events ...event.Event) {
	e.Helper()
	records := make([]*kgo.Record, len(events))
	for i, ev := range events {
		records[i] = kafka.ToRecord(e.cluster.Topic(topic), ev)
		records[i].Partition = partition
	}
	e.sendRecords(records...)
}

func (e *env) sendRecords(records ...*kgo.Record) {
	e.Helper()
	if err := e.client.ProduceSync(e.Context(), records...).FirstErr(); err != nil {
		e.Fatal(err)
	}
}

// many events of several keys, in a fixed order.
func many(n, keys int) []event.Event {
	all := make([]event.Event, n)
	for i := range all {
		all[i] = newEvent(fmt.Sprintf("key-%d", i%keys), i)
	}
	return all
}

func (e *env) waitEffects(consumer string, n int) {
	e.Helper()
	testenv.Wait(e.TB, fmt.Sprintf("%d effects of %s", n, consumer), soon, func() bool { return len(e.effects(consumer)) >= n })
}

// waitIdle waits until a consumer has nothing left to do in n partitions.
func (e *env) waitIdle(c *inbox.Consumer[storage.Tx], partitions int) {
	e.Helper()
	var last inbox.Stats
	defer func() {
		if e.Failed() {
			e.Logf("last: %+v, health: %v", last, c.Health())
		}
	}()
	testenv.Wait(e.TB, "the consumer to be idle", soon, func() bool {
		last = c.Stats()
		for _, p := range last.Partitions {
			if p.Lag > 0 || p.Waiting > 0 || p.Claiming || p.Next < e.end(p) {
				return false
			}
		}
		return len(last.Partitions) == partitions
	})
}

// end is where the log ends, whatever the consumer knows of it.
func (e *env) end(p inbox.PartitionStats) int64 {
	ends, err := e.admin().ListEndOffsets(context.Background(), e.cluster.Topic(p.Topic))
	o, ok := ends.Lookup(e.cluster.Topic(p.Topic), p.Partition)
	if err != nil || !ok || o.Err != nil {
		return 1 << 62
	}
	return o.Offset
}

// once checks that each of the events had one effect, and in its key's order.
func (e *env) once(consumer string, events []event.Event) {
	e.Helper()
	e.exactly(consumer, events, 1)
	got := e.effects(consumer)
	last := map[string]int64{}
	for _, one := range got {
		if one.key != "" && one.offset <= last[one.key] && last[one.key] != 0 {
			e.Errorf("%s: key %s: offset %d was handled after offset %d", consumer, one.key, one.offset, last[one.key])
		}
		last[one.key] = one.offset
	}
}

// exactly checks that each of the events had n effects, and no other had any.
func (e *env) exactly(consumer string, events []event.Event, n int) {
	e.Helper()
	counts := map[string]int{}
	for _, one := range e.effects(consumer) {
		counts[one.id]++
	}
	for _, ev := range events {
		if counts[ev.ID] != n {
			e.Errorf("%s: event %s (key %s, payload %s) had %d effects, want %d", consumer, ev.ID, ev.Key, ev.Payload, counts[ev.ID], n)
		}
		delete(counts, ev.ID)
	}
	for id, n := range counts {
		e.Errorf("%s: event %s had %d effects, want none", consumer, id, n)
	}
}

// outbox are the messages in the database's outbox, oldest first.
func (e *env) outbox() []outbox.Row {
	e.Helper()
	rows, err := e.db.Pending(context.Background(), 0, outbox.Exclusion{}, 10000, 1<<30)
	if err != nil {
		e.Fatal(err)
	}
	return rows
}

// deadLetters are those of a consumer in the outbox.
func (e *env) deadLetters(consumer string) []event.Event {
	e.Helper()
	var letters []event.Event
	for _, row := range e.outbox() {
		if row.Topic == consumer+".dead-letters" {
			letters = append(letters, row.Event)
		}
	}
	return letters
}

func (e *env) admin() *kadm.Client { return kadm.NewClient(e.client) }

// place is a partition as the database knows it.
func (e *env) place(topic string, number int32) inbox.Partition {
	e.Helper()
	details, err := e.admin().ListTopics(e.Context(), e.cluster.Topic(topic))
	if err != nil {
		e.Fatal(err)
	}
	id, err := kafka.ClusterID(e.Context(), e.client, e.cluster)
	if err != nil {
		e.Fatal(err)
	}
	return inbox.Partition{Cluster: id, TopicID: fmt.Sprintf("%x", [16]byte(details[e.cluster.Topic(topic)].ID)), Topic: topic, Partition: number}
}

var errBoom = errors.New("boom")

// testLogger shows everything where PABAL_TEST_LOG is set.
func testLogger() *slog.Logger {
	if os.Getenv("PABAL_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
