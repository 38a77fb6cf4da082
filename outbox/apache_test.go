package outbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/twmb/franz-go/pkg/kerr"
)

// TestRecordsThatApacheKafkaRefuses: an event of the day after tomorrow, and
// one without a key for a compacted topic.
func TestRecordsThatApacheKafkaRefuses(t *testing.T) {
	cluster := apache(t)
	topics(t, cluster, kafka.Topic{Name: "orders"}, kafka.Topic{Name: "state", Config: kafka.Compacted()})
	db := openDB(t, sqliteFile(t))
	early := event.New("orders", "k", 1)
	early.Time = early.Time.Add(48 * time.Hour)
	unkeyed := event.New("state", "", 1)
	fine := []event.Event{event.New("orders", "k", 2), event.New("orders", "l", 1), event.New("state", "k", 1)}
	enqueue(t, db, append([]event.Event{early, unkeyed}, fine...)...)
	start(t, relay(t, db, cluster, outbox.RelayConfig{MaxAttempts: 2}))
	consume(t, cluster, "orders", 2)
	consume(t, cluster, "state", 1)
	for _, letters := range consume(t, cluster, "outbox.dead-letters", 2) {
		for _, l := range letters {
			want := map[string]*kerr.Error{early.ID: kerr.InvalidTimestamp, unkeyed.ID: kerr.InvalidRecord}[l.ID]
			if want == nil || len(l.Headers[outbox.HeaderError]) == 0 || l.Headers[outbox.HeaderError][:len(want.Message)] != want.Message {
				t.Errorf("dead letter %s: %v", l.ID, l.Headers)
			}
		}
	}
	testenv.Wait(t, "FAILED", 10*time.Second, func() bool { b := backlog(t, db); return b.Failed == 2 && b.Started == 0 })
}

// TestKafkaIsKilled: Apache Kafka is killed and started again while rows come.
func TestKafkaIsKilled(t *testing.T) {
	testenv.Full(t)
	server := testenv.StartKafka(t)
	cluster := kafka.Config{Brokers: []string{server.Addr}, Logger: discard}
	topics(t, cluster, kafka.Topic{Name: "orders"})
	db := openDB(t, sqliteFile(t))
	r := start(t, relay(t, db, cluster, outbox.RelayConfig{BatchRows: 50}))
	stop, done, n := make(chan struct{}), make(chan struct{}), 0
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				enqueue(t, db, event.New("orders", fmt.Sprint("k", n%5), n))
				n++
			}
		}
	}()
	for range 3 {
		before := r.Stats().Published
		testenv.Wait(t, "rows flow", 90*time.Second, func() bool { return r.Stats().Published > before+100 })
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := server.Restart(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-done
	testenv.Wait(t, "an empty outbox", 90*time.Second, func() bool { return backlog(t, db).Started == 0 })
	for key, events := range consume(t, cluster, "orders", n) {
		last := -1
		for _, e := range events {
			i, err := event.Decode[int](e)
			if err != nil || i <= last {
				t.Fatalf("key %s: %d after %d: %v", key, i, last, err)
			}
			last = i
		}
	}
}
