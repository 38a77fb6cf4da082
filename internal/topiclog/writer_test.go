package topiclog_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/topiclog"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

func TestWritersInProcess(t *testing.T) { writers(t, kafkatest.Start(t).Config) }

func TestWritersOnApacheKafka(t *testing.T) {
	writers(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: slog.New(slog.DiscardHandler)})
}

// counter is a process that adds one to what the topic says.
type counter struct {
	*topiclog.Writer
	log  *topiclog.Log
	seen *seen
}

func newCounter(t *testing.T, cfg kafka.Config) *counter {
	t.Helper()
	c := &counter{seen: newSeen()}
	var err error
	if c.log, err = topiclog.Open(t.Context(), cfg, kafka.Topic{Name: "counts", Partitions: 1, Config: kafka.Compacted()}, c.seen.apply); err != nil {
		t.Fatal(err)
	}
	c.Writer = topiclog.NewWriter(topiclog.WriterConfig{Kafka: cfg, ID: "counters", Before: []*topiclog.Log{c.log}, After: []*topiclog.Log{c.log}})
	t.Cleanup(func() {
		c.Close()
		c.log.Close()
	})
	return c
}

func (c *counter) value() int {
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	n, _ := strconv.Atoi(c.seen.all["n"])
	return n
}

func (c *counter) add(ctx context.Context) error {
	return c.Change(ctx, func(context.Context) ([]*kgo.Record, error) {
		return []*kgo.Record{{Topic: c.log.Topic(), Key: []byte("n"), Value: []byte(strconv.Itoa(c.value() + 1))}}, nil
	})
}

// writers: of changes that meet, none is lost, and one that is left in the middle holds nobody up.
func writers(t *testing.T, cfg kafka.Config) {
	const each = 5
	all := []*counter{newCounter(t, cfg), newCounter(t, cfg), newCounter(t, cfg)}
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(func() {
			for range each {
				if err := c.add(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	if err := all[0].log.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := all[0].value(); got != each*len(all) {
		t.Errorf("counted to %d, want %d", got, each*len(all))
	}

	gone, err := topiclog.Fence(t.Context(), cfg, cfg.TransactionalID("counters"), kgo.TransactionTimeout(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	if err := gone.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := gone.ProduceSync(t.Context(), &kgo.Record{Topic: all[0].log.Topic(), Key: []byte("n"), Value: []byte("0")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := all[0].add(t.Context()); err != nil { // long before that transaction times out
		t.Fatal(err)
	}
	if got := all[0].value(); got != each*len(all)+1 {
		t.Errorf("counted to %d, want %d", got, each*len(all)+1)
	}

	refused := errors.New("refused")
	err = all[1].Change(t.Context(), func(context.Context) ([]*kgo.Record, error) { return nil, refused })
	if !errors.Is(err, refused) || errors.Is(err, topiclog.ErrNotWritten) {
		t.Errorf("who decides says no: %v", err)
	}
	all[1].Close()
	if err := all[1].add(t.Context()); !errors.Is(err, topiclog.ErrNotWritten) {
		t.Errorf("a closed writer: %v", err)
	}
}
