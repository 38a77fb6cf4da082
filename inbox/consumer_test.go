package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

func TestStartSaysWhatIsWrong(t *testing.T) {
	e := embedded(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	nobody := kafka.Config{Brokers: []string{freeAddress(t)}, Logger: testLogger()}
	c, err := inbox.NewConsumer(e.db, nobody, e.config("payment", "orders", e.record("payment")))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx); !errors.Is(err, kafka.ErrUnreachable) || !strings.Contains(err.Error(), nobody.Brokers[0]) {
		t.Errorf("without Kafka: %v", err)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Errorf("stopping what never ran: %v", err)
	}

	e.db.Close()
	c, _ = inbox.NewConsumer(e.db, e.cluster, e.config("payment", "orders", e.record("payment")))
	if err := c.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "database") {
		t.Errorf("without a database: %v", err)
	}
	noneLeft(t)
	if _, err := inbox.NewConsumer(e.db, kafka.Config{}, e.config("payment", "orders", e.record("payment"))); !errors.Is(err, kafka.ErrConfig) {
		t.Errorf("no brokers: %v", err)
	}
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestHealthTellsThatKafkaIsGone(t *testing.T) {
	cluster := kafkatest.Start(t)
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	e := newEnv(t, cluster.Config, storage.Any(db))
	topic := e.topic("orders", 1)
	c := e.start(e.db, e.config("payment", topic, e.record("payment")))
	testenv.Wait(t, "the partition", soon, func() bool { return len(c.Stats().Partitions) == 1 })
	if err := c.Health(); err != nil {
		t.Errorf("health: %v", err)
	}
	cluster.Stop(context.Background())
	testenv.Wait(t, "the health to tell", soon, func() bool { return errors.Is(c.Health(), kafka.ErrUnreachable) })
	began := time.Now()
	e.stop(c)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("stopping without Kafka took %s", took)
	}
}

// More than the bound on buffered bytes comes through, in portions.
func TestFetchingPausesAndResumes(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		payload := strings.Repeat("x", 50<<10)
		var events []event.Event
		for i := range 100 {
			events = append(events, newEvent(string(rune('a'+i%9)), payload))
			e.send(topic, 0, events[i])
		}
		config := e.config("payment", topic, e.record("payment"))
		config.MaxBufferedBytes = 150 << 10
		c := e.start(e.db, config)
		e.waitIdle(c, 1)
		e.once("payment", events)
	})
}

func TestMetrics(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	e.send(topic, 0, append(many(5, 5), newEvent("a", "poison"))...)
	config := e.config("payment", topic, failing(e.record("payment"), func(inbox.Message) {}))
	config.Metrics, config.Attempts = metrics.NewSet(), 2
	c := e.start(e.db, config)
	testenv.Wait(t, "the dead letter", soon, func() bool { return c.Stats().Dead == 1 })
	e.waitIdle(c, 1)
	var text bytes.Buffer
	config.Metrics.WritePrometheus(&text)
	for _, line := range []string{
		`pabal_inbox_handled_total{consumer="payment"} 5`, `pabal_inbox_dead_total{consumer="payment"} 1`,
		`pabal_inbox_retried_total{consumer="payment"} 1`, `pabal_inbox_lag{consumer="payment",topic="orders",partition="0"} 0`,
		`pabal_inbox_waiting_bytes{consumer="payment",topic="orders",partition="0"} 0`,
	} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("%s is not in\n%s", line, &text)
		}
	}
	e.stop(c)
	text.Reset()
	config.Metrics.WritePrometheus(&text)
	if strings.Contains(text.String(), "pabal_inbox_lag") {
		t.Errorf("after Stop:\n%s", &text)
	}
}

func TestCleanerForgetsOldMarks(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(25, 5)
		e.send(topic, 0, events...)
		c := e.start(e.db, e.config("payment", topic, e.record("payment")))
		e.waitIdle(c, 1)
		keeps, err := inbox.NewCleaner(e.db, inbox.CleanerConfig{Logger: testLogger()})
		if err != nil {
			t.Fatal(err)
		}
		if err := keeps.Clean(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.send(topic, 0, events...)
		e.waitIdle(c, 1)
		e.once("payment", events)

		forgets, err := inbox.NewCleaner(e.db, inbox.CleanerConfig{Retention: time.Nanosecond, Interval: 10 * time.Millisecond, Step: 7, Logger: testLogger()})
		if err != nil {
			t.Fatal(err)
		}
		if err := forgets.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer forgets.Stop(context.Background())
		testenv.Wait(t, "the marks to be deleted", soon, func() bool {
			var n int64
			e.view(func(q storage.Querier) error {
				return q.QueryRow(context.Background(), "SELECT count(*) FROM pabal_inbox").Scan(&n)
			})
			return n == 0
		})
		if err := forgets.Stop(t.Context()); err != nil || forgets.Health() != nil {
			t.Errorf("stop: %v, health: %v", err, forgets.Health())
		}
		e.send(topic, 0, events...) // nothing is known of them any more
		e.waitEffects("payment", 50)
		e.waitIdle(c, 1)
		e.exactly("payment", events, 2)
	})
}
