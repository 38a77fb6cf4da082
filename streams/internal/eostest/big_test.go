//go:build unix

package eostest

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
)

func bigTopology() (*streams.Topology, error) {
	b := streams.NewBuilder()
	streams.Count(streams.From(b, "data", serde.String(), serde.Bytes()).GroupByKey(), streams.Materialized(count))
	return b.Build()
}

// big is one instance with a store of many keys.
type big struct {
	*testing.T
	k      kafka.Config
	one    *instance
	client *kgo.Client
	admin  *kadm.Client
	sent   int64
	counts map[string]int64
}

// TestKillNeverWipesAStore: a restart replays what was not on disk yet, a small share of the
// changelog, and the counts are right.
func TestKillNeverWipesAStore(t *testing.T) {
	t.Parallel()
	k := kafkatest.Start(t).Config
	makeTopics(t, k)
	random := testenv.Rand(t)
	keys := times(20_000, 2_000_000)
	b := &big{T: t, k: k, client: client(t, k, kgo.MaxBufferedRecords(100_000)), counts: map[string]int64{}}
	b.admin = kadm.NewClient(b.client)
	b.one = newInstance(t, "big", settings{Brokers: k.Brokers, Prefix: k.Prefix, Dir: filepath.Join(testenv.MemoryDir(t), "big"), Instance: "big", Big: true})
	b.one.start()
	for n := range keys {
		b.send(n)
	}
	b.processed()
	for range times(2, 12) {
		// Between two kills it is flushed several times, as it is every few seconds.
		for until := time.Now().Add(6 * time.Second); time.Now().Before(until); {
			for range 10 {
				b.send(random.IntN(keys))
			}
			b.processed()
		}
		b.send(random.IntN(keys))
		b.one.kill()
		began := time.Now()
		b.one.start()
		await(t, "it runs again", func() string {
			b.one.alive()
			state, _ := b.one.status()
			if state != streams.Running {
				return string(state)
			}
			return ""
		})
		_, replayed := b.one.status()
		t.Logf("%d records of %d replayed, running %s after the start", replayed, b.sent, time.Since(began).Round(time.Millisecond))
		if replayed > keys/10 {
			t.Errorf("a kill cost %d records of %d", replayed, b.sent)
		}
	}
	b.processed()
	b.one.stop()
	b.check()
}

func (b *big) send(n int) {
	key := fmt.Sprintf("key-%d", n)
	b.counts[key]++
	b.sent++
	b.client.Produce(context.Background(), &kgo.Record{Topic: b.k.Topic("data"), Key: []byte(key), Value: []byte("x")}, func(_ *kgo.Record, err error) {
		if err != nil {
			b.Errorf("send: %v", err)
		}
	})
}

// processed returns when everything that was sent is committed.
func (b *big) processed() {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	if err := b.client.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	await(b, "all is committed", func() string {
		b.one.alive()
		offsets, err := b.admin.FetchOffsets(ctx, b.k.Group("eos"))
		if err != nil {
			return err.Error()
		}
		var sum int64
		offsets.Each(func(o kadm.OffsetResponse) { sum += max(0, o.At) })
		if sum < b.sent {
			return fmt.Sprintf("%d of %d", sum, b.sent)
		}
		return ""
	})
}

func (b *big) check() {
	b.Helper()
	t, err := bigTopology()
	if err != nil {
		b.Fatal(err)
	}
	app, err := streams.New(t, b.one.with.config())
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	if err := app.Start(ctx); err != nil {
		b.Fatal(err)
	}
	defer stopApp(b, app)
	await(b, "all tasks are here", func() string {
		if n := len(app.Stats().Tasks); app.State() != streams.Running || n != partitions {
			return fmt.Sprintf("%s with %d tasks", app.State(), n)
		}
		return ""
	})
	store, err := streams.WaitStore[string, int64](ctx, app, count)
	if err != nil {
		b.Fatal(err)
	}
	got := maps.Collect(func(yield func(string, int64) bool) {
		for p, err := range store.All(ctx) {
			if err != nil {
				b.Fatal(err)
			}
			if !yield(p.Key, p.Value) {
				return
			}
		}
	})
	equalStores(b.T, count, got, b.counts)
}
