package topiclog_test

import (
	"log/slog"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/topiclog"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

func TestInProcessBroker(t *testing.T) { suite(t, kafkatest.Start(t).Config) }

func TestApacheKafka(t *testing.T) {
	suite(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: slog.New(slog.DiscardHandler)})
}

// suite: what was written is there after Open and after Sync, aborted transactions are not.
func suite(t *testing.T, cfg kafka.Config) {
	topic := kafka.Topic{Name: "log", Partitions: 3, Config: kafka.Compacted()}
	seen := newSeen()
	l, err := topiclog.Open(t.Context(), cfg, topic, seen.apply)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := kafka.NewClient(cfg, kgo.TransactionalID(cfg.TransactionalID("writer")))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	write := func(key, value string, how kgo.TransactionEndTry) {
		t.Helper()
		if err := p.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		r := &kgo.Record{Topic: l.Topic(), Key: []byte(key), Value: []byte(value)}
		if err := p.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := p.EndTransaction(t.Context(), how); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		write(key, "1", kgo.TryCommit)
		write(key, "2", kgo.TryAbort)
	}
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen.has(t, 4, "1")

	again := newSeen()
	second, err := topiclog.Open(t.Context(), cfg, topic, again.apply)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	again.has(t, 4, "1")
}

type seen struct {
	mu  sync.Mutex
	all map[string]string
}

func newSeen() *seen { return &seen{all: map[string]string{}} }

func (s *seen) apply(r *kgo.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[string(r.Key)] = string(r.Value)
}

func (s *seen) has(t *testing.T, n int, value string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) != n {
		t.Errorf("%d keys, want %d: %v", len(s.all), n, s.all)
	}
	for key, got := range s.all {
		if got != value {
			t.Errorf("%s is %s, want %s", key, got, value)
		}
	}
}
