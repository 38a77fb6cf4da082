package sink_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/streams/sink"
	"github.com/pabal-dev/pabal/streams/sink/sinktest"
)

const patience = 60 * time.Second

func fixture(m *memory) sinktest.Fixture {
	return sinktest.Fixture{Target: m, Contents: m.contents, Forget: m.forget}
}

func TestConformance(t *testing.T) {
	c := kafkatest.Start(t)
	sinktest.Run(t, c.Config, "", testenv.Rand(t), func(testing.TB) sinktest.Fixture { return fixture(newMemory()) })
}

func TestConformanceOnApacheKafka(t *testing.T) {
	sinktest.Run(t, kafka.Config{Brokers: testenv.Kafka(t)}, testenv.Prefix(t), testenv.Rand(t),
		func(testing.TB) sinktest.Fixture { return fixture(newMemory()) })
}

var errAway = errors.New("away")

// TestTrouble: steps that fail, and steps that are made and not answered, change nothing in the
// end.
func TestTrouble(t *testing.T) {
	random := testenv.Rand(t)
	faults := rand.New(rand.NewPCG(random.Uint64(), 0)) // the target's, who is called by others
	m := newMemory()
	b := sinktest.Start(t, kafkatest.Start(t).Config, random, fixture(m), "table")
	m.set(func() (before, after error) {
		switch faults.IntN(4) {
		case 0:
			return errAway, nil
		case 1:
			return nil, errAway
		}
		return nil, nil
	})
	s := b.Sink()
	for range 10 {
		b.Change(100)
	}
	b.Equal()
	m.set(func() (error, error) { return errAway, nil })
	b.Change(10)
	testenv.Wait(t, "it says what does not work", patience, func() bool { return errors.Is(s.Health(), errAway) })
	m.set(nil)
	b.Equal()
	testenv.Wait(t, "it is well again", patience, func() bool { return s.Health() == nil && s.Stats().Lag == 0 })
	if r := s.Stats().Resyncs; r != 0 {
		t.Errorf("%d re-syncs, and nothing was lost", r)
	}
}

// TestNoStepIsAnswered: the target makes all steps, and no answer comes.
func TestNoStepIsAnswered(t *testing.T) {
	m := newMemory()
	b := sinktest.Start(t, kafkatest.Start(t).Config, testenv.Rand(t), fixture(m), "table")
	m.set(func() (before, after error) { return nil, errAway })
	s := b.Sink()
	b.Change(100)
	b.Equal()
	testenv.Wait(t, "it is well", patience, func() bool { return s.Health() == nil && s.Stats().Lag == 0 })
}

// TestOlderTarget: one that went back in time goes on from there.
func TestOlderTarget(t *testing.T) {
	m := newMemory()
	b := sinktest.Start(t, kafkatest.Start(t).Config, testenv.Rand(t), fixture(m), "table")
	s := b.Sink()
	b.Change(300)
	b.Equal()
	rows, positions := m.contents(t), map[string]int64{}
	m.mu.Lock()
	for k, v := range m.positions {
		positions[k] = v
	}
	m.mu.Unlock()
	b.Change(300)
	b.Equal()
	m.mu.Lock()
	m.rows, m.positions = rows, positions
	m.mu.Unlock()
	b.Equal()
	if s.Stats().Resyncs == 0 {
		t.Error("it was not noticed")
	}
}

// TestOnePartitionIsRefused: the others go on.
func TestOnePartitionIsRefused(t *testing.T) {
	m := newMemory()
	m.refused = 1
	b := sinktest.Start(t, kafkatest.Start(t).Config, testenv.Rand(t), fixture(m), "table")
	s := b.Sink()
	for range 5 {
		b.Change(100)
		testenv.Wait(t, "the others are copied", patience, func() bool {
			stats := s.Stats()
			done := len(stats.Partitions) > 1
			for _, p := range stats.Partitions {
				done = done && (p.Partition == 1) == (p.Lag != 0)
			}
			return done
		})
	}
	if err := s.Health(); err == nil || !strings.Contains(err.Error(), "partition 1") {
		t.Errorf("it says %v", err)
	}
	m.mu.Lock()
	m.refused = 0
	m.mu.Unlock()
	b.Equal()
	testenv.Wait(t, "it is well", patience, func() bool { return s.Health() == nil })
}

// TestTopicIsMadeAnew, and has more than the old one had before that is looked at: all of it is
// copied, be the sink there or not.
func TestTopicIsMadeAnew(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprint("running ", running), func(t *testing.T) {
			c := kafkatest.Start(t)
			m := newMemory()
			b := sinktest.Start(t, c.Config, testenv.Rand(t), fixture(m), "table")
			s := b.Sink()
			b.Change(50)
			b.Equal()
			if !running {
				b.Stop(s)
			}
			admin := kadm.NewClient(c.Client(t))
			topics, err := admin.ListTopics(t.Context(), "table")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := admin.DeleteTopics(t.Context(), "table"); err != nil {
				t.Fatal(err)
			}
			if _, err := admin.CreateTopic(t.Context(), int32(len(topics["table"].Partitions)), 1, nil, "table"); err != nil {
				t.Fatal(err)
			}
			client := c.Client(t)
			for i := range 500 {
				key := fmt.Sprint("new-", i)
				b.Want[key] = "v"
				if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "table", Key: []byte(key), Value: []byte("v")}).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			if !running {
				b.Sink()
			}
			b.Equal()
		})
	}
}

// TestTransactions: what was aborted is not copied, and markers do not count as lag.
func TestTransactions(t *testing.T) {
	c := kafkatest.Start(t)
	m := newMemory()
	b := sinktest.Start(t, c.Config, testenv.Rand(t), fixture(m), "table")
	s := b.Sink()
	p := c.Client(t, kgo.TransactionalID("writer"))
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		key := fmt.Sprintf("of-%d", i)
		err := p.BeginTransaction()
		err = errors.Join(err, p.ProduceSync(ctx, &kgo.Record{Topic: "table", Key: []byte(key), Value: []byte("v")}).FirstErr())
		if err = errors.Join(err, p.EndTransaction(ctx, end)); err != nil {
			t.Fatal(err)
		}
		if end == kgo.TryCommit {
			b.Want[key] = "v"
		}
	}
	b.Equal()
	testenv.Wait(t, "there is no lag", patience, func() bool { return s.Stats().Lag == 0 })
}

// TestRender: keys and values are made into others; a record that cannot be holds its
// partition, by name, unless it may be skipped.
func TestRender(t *testing.T) {
	c := kafkatest.Start(t)
	m := newMemory()
	b := sinktest.Start(t, c.Config, testenv.Rand(t), fixture(m), "table")
	client := c.Client(t)
	for i, v := range []string{"one", "bad", "two", "left out"} {
		r := &kgo.Record{Topic: "table", Key: fmt.Appendf(nil, "%d", i), Value: []byte(v)}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	render := func(c sink.Change) (sink.Change, bool, error) {
		if string(c.Value) == "bad" {
			return c, false, errors.New("it is bad")
		}
		keep := string(c.Value) != "left out"
		c.Key, c.Value = append([]byte("k"), c.Key...), bytes.ToUpper(c.Value)
		return c, keep, nil
	}
	s := b.Sink(func(c *sink.Config) { c.Render = render })
	testenv.Wait(t, "the bad record is named", patience, func() bool {
		err := s.Health()
		return err != nil && strings.Contains(err.Error(), "the record at offset") && strings.Contains(err.Error(), "it is bad")
	})
	b.Stop(s)
	set := metrics.NewSet()
	s = b.Sink(func(c *sink.Config) {
		c.Render, c.Metrics = render, set
		c.Skip = func(int32, sink.Change, error) bool { return true }
	})
	b.Want = map[string]string{"k0": "ONE", "k2": "TWO"}
	b.Equal()
	testenv.Wait(t, "the bad record is skipped", patience, func() bool { return s.Stats().Skipped == 1 })
	var text bytes.Buffer
	set.WritePrometheus(&text)
	if !strings.Contains(text.String(), `pabal_sink_skipped_total{sink="sink-table"} 1`) || !strings.Contains(text.String(), "pabal_sink_lag") {
		t.Errorf("the metrics are\n%s", text.String())
	}
}

func TestConfig(t *testing.T) {
	_, err := sink.New(newMemory(), sink.Config{BatchSize: -1, Timeout: -1})
	for _, part := range []string{"Name", "Topic", "BatchSize", "Timeout"} {
		if !errors.Is(err, sink.ErrConfig) || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", part, err)
		}
	}
}
