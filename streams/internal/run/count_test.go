package run

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// brokers run a test on each kind of broker.
func brokers(t *testing.T, test func(t *testing.T, k kafka.Config)) {
	t.Run("in-process", func(t *testing.T) { test(t, kafkatestConfig(t)) })
	t.Run("Apache Kafka", func(t *testing.T) {
		test(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: slog.New(slog.DiscardHandler)})
	})
}

// slowBrokers is for tests that take long: on Apache Kafka in long mode only.
func slowBrokers(t *testing.T, test func(t *testing.T, k kafka.Config)) {
	t.Run("in-process", func(t *testing.T) { test(t, kafkatestConfig(t)) })
	t.Run("Apache Kafka", func(t *testing.T) {
		testenv.Full(t)
		test(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: slog.New(slog.DiscardHandler)})
	})
}

func kafkatestConfig(t testing.TB) kafka.Config { return kafkatest.Start(t).Config }

func client(t testing.TB, k kafka.Config, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kafka.NewClient(k, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// deadline of a test's waits.
func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func makeTopics(t testing.TB, k kafka.Config, partitions int32, names ...string) {
	t.Helper()
	var topics []kafka.Topic
	for _, n := range names {
		topics = append(topics, kafka.Topic{Name: n, Partitions: partitions})
	}
	if err := kafka.EnsureTopics(deadline(t), client(t, k), k, topics...); err != nil {
		t.Fatal(err)
	}
}

// feed sends n records of ten keys.
func feed(t testing.TB, k kafka.Config, c *kgo.Client, n int) {
	t.Helper()
	var recs []*kgo.Record
	for i := range n {
		recs = append(recs, &kgo.Record{Topic: k.Topic("in"), Key: fmt.Appendf(nil, "key-%d", i%10), Value: []byte("x")})
	}
	if err := c.ProduceSync(deadline(t), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// poisonAfter feeds n records and one that cannot be processed.
func poisonAfter(t testing.TB, k kafka.Config, n int) {
	t.Helper()
	c := client(t, k)
	feed(t, k, c, n)
	if err := c.ProduceSync(deadline(t), &kgo.Record{Topic: k.Topic("in"), Key: []byte("key-1"), Value: []byte("poison")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// output reads counts: each key's must go up by one, from one record to the next.
type output struct {
	client *kgo.Client
	last   map[string]int64
	total  int64
}

func newOutput(t testing.TB, k kafka.Config) *output {
	return &output{last: map[string]int64{}, client: client(t, k, kgo.ConsumeTopics(k.Topic("out")),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))}
}

func (o *output) await(t testing.TB, total int64) {
	t.Helper()
	ctx := deadline(t)
	for o.total < total {
		fetches := o.client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d: %v", o.total, total, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			n := int64(binary.BigEndian.Uint64(r.Value))
			if n != o.last[string(r.Key)]+1 {
				t.Errorf("%s went from %d to %d", r.Key, o.last[string(r.Key)], n)
			}
			o.last[string(r.Key)] = n
			o.total++
		})
	}
	if o.total != total {
		t.Errorf("%d outputs of %d inputs", o.total, total)
	}
}

func begin(t testing.TB, cfg Config) *Runtime {
	t.Helper()
	r := New(cfg)
	if err := r.Start(deadline(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Stop(context.Background()) })
	return r
}

func stop(t testing.TB, r *Runtime) {
	t.Helper()
	if err := r.Stop(deadline(t)); err != nil {
		t.Fatal(err)
	}
}

func TestCountsExactlyOnceOverRestarts(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 3, "in", "out")
		cfg := configure(t, k)
		in, out := client(t, k), newOutput(t, k)
		for round := range int64(3) {
			r := begin(t, cfg)
			feed(t, k, in, 1000)
			out.await(t, (round+1)*1000)
			stop(t, r)
			if r.State() != NotRunning {
				t.Errorf("it is %s", r.State())
			}
		}
	})
}
