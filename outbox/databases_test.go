package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
	"github.com/twmb/franz-go/pkg/kgo"
)

var discard = slog.New(slog.DiscardHandler)

// world is one pair of a database and a Kafka.
type world struct {
	database func(t *testing.T) string
	kafka    func(t *testing.T) kafka.Config
}

var worlds = map[string]world{
	"sqlite, in process":     {sqliteFile, inProcess},
	"postgres, in process":   {func(t *testing.T) string { return testenv.Postgres(t) }, inProcess},
	"sqlite, Apache Kafka":   {sqliteFile, apache},
	"postgres, Apache Kafka": {func(t *testing.T) string { return testenv.Postgres(t) }, apache},
}

func sqliteFile(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "orders.db") }

func inProcess(t *testing.T) kafka.Config { return kafkatest.Start(t).Config }

func apache(t *testing.T) kafka.Config {
	return kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: discard}
}

func openDB(t *testing.T, url string) storage.DB {
	t.Helper()
	db, err := open.DB(bounded(t), url, open.Config{Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func topics(t *testing.T, cluster kafka.Config, topics ...kafka.Topic) *kgo.Client {
	t.Helper()
	client, err := kafka.NewClient(cluster)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := kafka.EnsureTopics(bounded(t), client, cluster, topics...); err != nil {
		t.Fatal(err)
	}
	return client
}

func relay(t *testing.T, db outbox.Store, cluster kafka.Config, config outbox.RelayConfig) *outbox.Relay {
	t.Helper()
	config.Logger, config.LeaseTTL, config.PollInterval = discard, time.Second, 100*time.Millisecond
	config.Backoff = outbox.Backoff{Min: time.Millisecond, Max: 10 * time.Millisecond}
	r, err := outbox.NewRelay(db, cluster, config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func start(t *testing.T, r *outbox.Relay) *outbox.Relay {
	t.Helper()
	if err := r.Start(bounded(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(bounded(t)); err != nil {
			t.Error(err)
		}
	})
	return r
}

// consume reads a topic, read_committed, until it has n records and a moment
// longer, and returns the values by key.
func consume(t *testing.T, cluster kafka.Config, topic string, n int) map[string][]event.Event {
	t.Helper()
	client, err := kafka.NewClient(cluster, kgo.ConsumeTopics(cluster.Topic(topic)), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	byKey, seen := map[string][]event.Event{}, map[string]bool{}
	ctx, got := bounded(t), 0
	for ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			e, err := kafka.FromRecord(r)
			if err != nil {
				t.Fatal(err)
			}
			if seen[e.ID] {
				t.Fatalf("%s of key %s is in the log twice", e.ID, e.Key)
			}
			seen[e.ID] = true
			byKey[e.Key] = append(byKey[e.Key], e)
			got++
		})
		if got == n {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
		}
	}
	if got != n {
		t.Fatalf("%d records in %s, want %d", got, topic, n)
	}
	return byKey
}

// TestEveryCommittedRowOnce: writers of eight keys, some of which roll back, and
// relays that are stopped in the middle of what they do.
func TestEveryCommittedRowOnce(t *testing.T) {
	for name, w := range worlds {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			cluster, url := w.kafka(t), w.database(t)
			topics(t, cluster, kafka.Topic{Name: "orders"})
			db := openDB(t, url)
			kills := make([]time.Duration, 6)
			for i := range kills {
				kills[i] = time.Duration(random.IntN(300)) * time.Millisecond
			}
			written, done := make(chan map[string][]string), make(chan struct{})
			go func() { defer close(done); written <- write(t, db, 8, 60) }()
			for _, after := range kills {
				r := relay(t, db, cluster, outbox.RelayConfig{BatchRows: 20, Holder: "relay"})
				if err := r.Start(bounded(t)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(after)
				killed, cancel := context.WithCancel(context.Background())
				cancel()
				_ = r.Stop(killed)
			}
			want := <-written
			<-done
			start(t, relay(t, db, cluster, outbox.RelayConfig{Holder: "relay"}))
			total := 0
			for _, ids := range want {
				total += len(ids)
			}
			got := consume(t, cluster, "orders", total)
			for key, ids := range want {
				for i, e := range got[key] {
					if e.ID != ids[i] {
						t.Fatalf("key %s: place %d has another event", key, i)
					}
				}
			}
			testenv.Wait(t, "an empty outbox", 20*time.Second, func() bool { return backlog(t, db).Started == 0 })
		})
	}
}

func backlog(t *testing.T, db outbox.Store) outbox.Backlog {
	t.Helper()
	b, err := db.Backlog(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var errRolledBack = errors.New("rolled back")

// write enqueues n events for each key, each in a transaction of two, and
// returns the ids of those that committed, in their order.
func write(t *testing.T, db storage.DB, keys, n int) map[string][]string {
	var mu sync.Mutex
	var writers sync.WaitGroup
	committed := map[string][]string{}
	for k := range keys {
		key := fmt.Sprint("k", k)
		writers.Go(func() {
			for i := range n / 2 {
				two := []event.Event{event.New("orders", key, 2*i), event.New("orders", key, 2*i+1)}
				err := db.Update(bounded(t), func(tx storage.Tx) error {
					if err := outbox.Enqueue(context.Background(), tx, two...); err != nil {
						return err
					}
					if i%7 == k%7 {
						return errRolledBack
					}
					return nil
				})
				if err != nil && !errors.Is(err, errRolledBack) {
					t.Error(err)
					return
				}
				if err == nil {
					mu.Lock()
					committed[key] = append(committed[key], two[0].ID, two[1].ID)
					mu.Unlock()
				}
			}
		})
	}
	writers.Wait()
	return committed
}

// TestRefusedRowOnEveryDatabase: one row too large, one of a topic that does
// not exist yet, and a replay once the limit is raised.
func TestRefusedRowOnEveryDatabase(t *testing.T) {
	for name, w := range worlds {
		t.Run(name, func(t *testing.T) {
			cluster, db := w.kafka(t), openDB(t, w.database(t))
			topics(t, cluster, kafka.Topic{Name: "orders"})
			big := event.New("orders", "k1", strings.Repeat("x", 2<<20))
			err := db.Update(bounded(t), func(tx storage.Tx) error {
				for i := range 20 {
					if err := outbox.Enqueue(t.Context(), tx, event.New("orders", fmt.Sprint("k", i%3), i)); err != nil {
						return err
					}
					if i == 5 {
						if err := outbox.Enqueue(t.Context(), tx, big); err != nil {
							return err
						}
					}
				}
				return outbox.EnqueueTo(t.Context(), tx, "later", event.New("x", "k", 1))
			})
			if err != nil {
				t.Fatal(err)
			}
			r := start(t, relay(t, db, cluster, outbox.RelayConfig{MaxAttempts: 3, TopicBackoff: outbox.Backoff{Min: time.Millisecond, Max: 50 * time.Millisecond}}))
			consume(t, cluster, "orders", 20)
			letters := consume(t, cluster, "outbox.dead-letters", 1)
			if l := letters["k1"]; len(l) != 1 || l[0].ID != big.ID || l[0].Headers[outbox.HeaderAttempts] != "3" || l[0].Headers[outbox.HeaderLeftOut] != "value" {
				t.Errorf("dead letter %+v", letters)
			}
			testenv.Wait(t, "FAILED, and one that waits for its topic", 10*time.Second, func() bool {
				b := backlog(t, db)
				return b.Failed == 1 && b.Started == 1 && r.Health() != nil
			})
			topics(t, cluster, kafka.Topic{Name: "later"})
			consume(t, cluster, "later", 1)
			testenv.RaiseMessageLimit(t, cluster.Brokers, cluster.Topic("orders"), 4<<20)
			if n, err := db.Replay(bounded(t)); n != 1 || err != nil {
				t.Fatalf("replayed %d: %v", n, err)
			}
			if all := consume(t, cluster, "orders", 21); all["k1"][len(all["k1"])-1].ID != big.ID {
				t.Error("the replayed event is not the last of its key")
			}
			testenv.Wait(t, "an empty outbox", 10*time.Second, func() bool { b := backlog(t, db); return b.Failed+b.Started == 0 && r.Health() == nil })
		})
	}
}

// TestCopiedDatabaseFile: the copy of a SQLite file is another database.
func TestCopiedDatabaseFile(t *testing.T) {
	cluster := inProcess(t)
	topics(t, cluster, kafka.Topic{Name: "orders"})
	url := sqliteFile(t)
	db := openDB(t, url)
	enqueue(t, db, event.New("orders", "k", 1))
	r := relay(t, db, cluster, outbox.RelayConfig{})
	if err := r.Start(bounded(t)); err != nil {
		t.Fatal(err)
	}
	consume(t, cluster, "orders", 1)
	if err := errors.Join(r.Stop(bounded(t)), db.Close()); err != nil {
		t.Fatal(err)
	}
	file := strings.TrimPrefix(url, "sqlite:")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".copy", content, 0o600); err != nil {
		t.Fatal(err)
	}
	clone := openDB(t, url+".copy")
	err = relay(t, clone, cluster, outbox.RelayConfig{}).Start(bounded(t))
	if !errors.Is(err, outbox.ErrOtherDatabase) {
		t.Fatalf("the copy starts: %v", err)
	}
	if err := outbox.Renew(bounded(t), clone, cluster); err != nil {
		t.Fatal(err)
	}
	original := openDB(t, url)
	start(t, relay(t, clone, cluster, outbox.RelayConfig{}))
	start(t, relay(t, original, cluster, outbox.RelayConfig{}))
	enqueue(t, clone, event.New("orders", "clone", 1))
	enqueue(t, original, event.New("orders", "original", 1))
	consume(t, cluster, "orders", 3)
}

func enqueue(t *testing.T, db storage.DB, events ...event.Event) {
	t.Helper()
	err := db.Update(bounded(t), func(tx storage.Tx) error { return outbox.Enqueue(t.Context(), tx, events...) })
	if err != nil {
		t.Fatal(err)
	}
}
