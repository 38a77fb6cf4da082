// Package sinktest holds a sink.Target to what a sink relies on, for whoever writes one. Each
// test needs a Kafka cluster and an empty place in the target.
package sinktest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/sink"
)

// Fixture is an empty place in a target.
type Fixture struct {
	Target sink.Target
	// Contents are all rows.
	Contents func(t testing.TB) map[string]string
	// Forget deletes everything, the positions too, as an accident does.
	Forget func(t testing.TB)
}

const (
	partitions = 3
	keys       = 40
	patience   = 60 * time.Second
)

// Run runs all tests. Topics and groups begin with prefix.
func Run(t *testing.T, cluster kafka.Config, prefix string, rng *rand.Rand, open func(t testing.TB) Fixture) {
	cluster.Prefix = prefix
	t.Run("steps", func(t *testing.T) { steps(t, rng, open(t)) })
	t.Run("copies", func(t *testing.T) { copies(t, Start(t, cluster, rng, open(t), "copies")) })
	t.Run("shared and restarted", func(t *testing.T) { shared(t, Start(t, cluster, rng, open(t), "shared")) })
	t.Run("forgotten", func(t *testing.T) { forgotten(t, Start(t, cluster, rng, open(t), "forgotten")) })
}

// Bench is a topic with a random history, and what its table is.
type Bench struct {
	t       testing.TB
	cluster kafka.Config
	rng     *rand.Rand
	Fixture
	topic  string
	client *kgo.Client
	sinks  []*sink.Sink
	// Want is the table that the topic makes.
	Want map[string]string
}

// Start makes the topic.
func Start(t testing.TB, cluster kafka.Config, rng *rand.Rand, f Fixture, topic string) *Bench {
	t.Helper()
	b := &Bench{t: t, cluster: cluster, rng: rng, Fixture: f, topic: topic, Want: map[string]string{}}
	client, err := kafka.NewClient(cluster)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	b.client = client
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := kafka.EnsureTopics(ctx, client, cluster, kafka.Topic{Name: topic, Partitions: partitions, Config: map[string]string{"cleanup.policy": "compact"}}); err != nil {
		t.Fatal(err)
	}
	return b
}

// Change some keys; one in five deletes.
func (b *Bench) Change(n int) {
	b.t.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		key := fmt.Sprintf("key-%02d", b.rng.IntN(keys))
		r := &kgo.Record{Topic: b.cluster.Topic(b.topic), Key: []byte(key)}
		if b.rng.IntN(5) == 0 {
			delete(b.Want, key)
		} else {
			b.Want[key] = fmt.Sprintf("value-%d", b.rng.Int64())
			r.Value = []byte(b.Want[key])
		}
		records[i] = r
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	if err := b.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}

// Sink runs one over the topic until the test ends, or it is stopped.
func (b *Bench) Sink(change ...func(*sink.Config)) *sink.Sink {
	b.t.Helper()
	c := sink.Config{Name: "sink-" + b.topic, Kafka: b.cluster, Topic: b.topic, BatchSize: 50, CheckInterval: 50 * time.Millisecond,
		MaxBackoff: 200 * time.Millisecond, SessionTimeout: 6 * time.Second, Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&c)
	}
	s, err := sink.New(b.Target, c)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := s.Start(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.sinks = append(b.sinks, s)
	b.t.Cleanup(func() { b.Stop(s) })
	return s
}

// Stop a sink.
func (b *Bench) Stop(s *sink.Sink) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		b.t.Error(err)
	}
}

// Equal waits until the target has what the topic makes, key by key.
func (b *Bench) Equal() {
	b.t.Helper()
	b.wait("the target equals the table", func() bool { return maps.Equal(b.Contents(b.t), b.Want) })
}

func (b *Bench) wait(what string, condition func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			for _, s := range b.sinks {
				b.t.Logf("sink: %+v, %v", s.Stats(), s.Health())
			}
			b.t.Fatalf("waited %s until %s: it has %v, want %v", patience, what, b.Contents(b.t), b.Want)
		}
	}
}

func copies(t *testing.T, b *Bench) {
	b.Change(300)
	s := b.Sink()
	b.Equal()
	for range 5 {
		b.Change(200)
	}
	b.Equal()
	b.wait("the sink knows that it lacks nothing", func() bool { return s.Stats().Lag == 0 && len(s.Stats().Partitions) == partitions })
	stats := s.Stats()
	if stats.Applied == 0 || stats.Deleted == 0 || stats.Resyncs != 0 || s.Health() != nil {
		t.Errorf("%+v, %v", stats, s.Health())
	}
}

// shared by two that come and go.
func shared(_ *testing.T, b *Bench) {
	b.Change(200)
	first := b.Sink()
	for range 3 {
		b.Change(200)
		second := b.Sink()
		b.Change(200)
		b.Stop(first)
		b.Change(100)
		first = second
	}
	b.Equal()
}

// forgotten while it is written, and while nothing happens.
func forgotten(t *testing.T, b *Bench) {
	s := b.Sink()
	b.Change(500)
	b.Equal()
	for range 3 {
		b.Change(100)
		b.Forget(t)
		b.Change(100)
		b.Equal()
	}
	b.Forget(t)
	b.Equal()
	if s.Stats().Resyncs == 0 {
		t.Errorf("%+v: it does not know", s.Stats())
	}
}

// steps: whatever is repeated, comes out of order or from who is behind changes nothing.
func steps(t *testing.T, rng *rand.Rand, f Fixture) {
	var history []sink.Batch
	want := map[string]string{}
	at := int64(sink.None)
	for i := range 60 {
		b := sink.Batch{Sink: "steps", Topic: "topic", Partition: 1, From: at, To: int64(i+1) * 10}
		at = b.To
		for n := range 3 {
			c := sink.Change{Key: fmt.Appendf(nil, "key-%d", 3*rng.IntN(5)+n), Timestamp: time.UnixMilli(int64(i)), Offset: int64(i*10 + n)}
			if rng.IntN(4) > 0 {
				c.Value = fmt.Appendf(nil, "value-%d", i)
			}
			b.Changes = append(b.Changes, c)
		}
		history = append(history, b)
	}
	for next := 0; next < len(history); {
		i := next
		if rng.IntN(2) == 0 {
			i = rng.IntN(len(history))
		}
		err := f.Target.Apply(t.Context(), history[i])
		switch {
		case i == next && err != nil:
			t.Fatalf("step %d: %v", i, err)
		case i != next && !errors.Is(err, sink.ErrMoved):
			t.Fatalf("step %d instead of %d: %v", i, next, err)
		}
		if i == next {
			for _, c := range history[i].Changes {
				if c.Value == nil {
					delete(want, string(c.Key))
				} else {
					want[string(c.Key)] = string(c.Value)
				}
			}
			next++
		}
	}
	if got := f.Contents(t); !maps.Equal(got, want) {
		t.Errorf("it has %v, want %v", got, want)
	}
	positions, err := f.Target.Positions(t.Context(), "steps", "topic", []int32{0, 1, 2})
	if err != nil || len(positions) != 1 || positions[1] != 600 {
		t.Errorf("positions %v, %v", positions, err)
	}
}
