package outbox_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
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

// benchWorlds are the databases and Kafkas of the benchmarks.
var benchWorlds = []struct {
	name     string
	database func(b *testing.B) string
	kafka    func(b *testing.B) kafka.Config
}{
	{"sqlite/embedded", benchFile, benchInProcess},
	{"postgres/embedded", benchPostgres, benchInProcess},
	{"postgres/kafka", benchPostgres, benchApache},
}

func benchFile(b *testing.B) string            { return "sqlite:" + b.TempDir() + "/bench.db" }
func benchPostgres(b *testing.B) string        { return testenv.Postgres(b) }
func benchInProcess(b *testing.B) kafka.Config { return kafkatest.Start(b).Config }
func benchApache(b *testing.B) kafka.Config {
	return kafka.Config{Brokers: testenv.Kafka(b), Prefix: testenv.Prefix(b), Logger: discard}
}

func benchSetup(b *testing.B, url string, cluster kafka.Config) storage.DB {
	b.Helper()
	ctx := context.Background()
	db, err := open.DB(ctx, url, open.Config{Logger: discard})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	client, err := kafka.NewClient(cluster)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	if err := kafka.EnsureTopics(ctx, client, cluster, kafka.Topic{Name: "orders"}); err != nil {
		b.Fatal(err)
	}
	return db
}

func benchRelay(b *testing.B, db storage.DB, cluster kafka.Config) *outbox.Relay {
	b.Helper()
	r, err := outbox.NewRelay(db, cluster, outbox.RelayConfig{Logger: discard})
	if err != nil {
		b.Fatal(err)
	}
	if err := r.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Stop(context.Background()) })
	return r
}

func benchEvents(n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = event.New("orders", fmt.Sprint("key-", i%1000), nil)
		events[i].Payload = []byte(`"` + strings.Repeat("x", 254) + `"`)
	}
	return events
}

// BenchmarkBacklog publishes and removes b.N rows of 256 bytes that are there
// already.
func BenchmarkBacklog(b *testing.B) {
	for _, w := range benchWorlds {
		b.Run(w.name, func(b *testing.B) {
			cluster := w.kafka(b)
			db := benchSetup(b, w.database(b), cluster)
			for done := 0; done < b.N; done += 5000 {
				batch := benchEvents(min(5000, b.N-done))
				err := db.Update(context.Background(), func(tx storage.Tx) error { return outbox.Enqueue(context.Background(), tx, batch...) })
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			r := benchRelay(b, db, cluster)
			for r.Stats().Removed < int64(b.N) {
				time.Sleep(time.Millisecond)
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkLatency is the time from commit to a read_committed consumer, at
// 1,000 events per second; the first half warms up.
func BenchmarkLatency(b *testing.B) {
	for _, w := range benchWorlds {
		b.Run(w.name, func(b *testing.B) {
			cluster := w.kafka(b)
			db := benchSetup(b, w.database(b), cluster)
			benchRelay(b, db, cluster)
			client, err := kafka.NewClient(cluster, kgo.ConsumeTopics(cluster.Topic("orders")), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
				kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			b.ResetTimer()
			committed := make(map[string]chan time.Time, b.N)
			events := benchEvents(b.N)
			for _, e := range events {
				committed[e.ID] = make(chan time.Time, 1)
			}
			go func() {
				next := time.Now()
				for _, e := range events {
					time.Sleep(time.Until(next))
					next = next.Add(time.Millisecond)
					go func() {
						_ = db.Update(context.Background(), func(tx storage.Tx) error { return outbox.Enqueue(context.Background(), tx, e) })
						committed[e.ID] <- time.Now()
					}()
				}
			}()
			var took []time.Duration
			for len(took) < b.N {
				client.PollFetches(context.Background()).EachRecord(func(r *kgo.Record) {
					now := time.Now()
					e, _ := kafka.FromRecord(r)
					took = append(took, now.Sub(<-committed[e.ID]))
				})
			}
			took = took[len(took)/2:]
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50_ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99_ms")
		})
	}
}
