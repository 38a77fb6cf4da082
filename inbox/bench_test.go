package inbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
)

// Messages per second through one consumer, with a handler that does nothing,
// and with one that inserts a row.
func BenchmarkConsumer(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *env{"embedded": embedded, "servers": servers} {
		b.Run(name+"/nothing", func(b *testing.B) {
			consume(b, open(b), func(*env) inbox.Handler[storage.Tx] {
				return func(context.Context, storage.Tx, inbox.Message) error { return nil }
			})
		})
		b.Run(name+"/insert", func(b *testing.B) {
			consume(b, open(b), func(e *env) inbox.Handler[storage.Tx] { return e.record("payment") })
		})
	}
}

func consume(b *testing.B, e *env, handler func(*env) inbox.Handler[storage.Tx]) {
	topic := e.topic("orders", 4)
	payload := map[string]string{"note": string(make([]byte, 100))}
	for at := 0; at < b.N; at += 1000 {
		var events [4][]event.Event
		for i := range min(1000, b.N-at) {
			events[i%4] = append(events[i%4], newEvent(fmt.Sprintf("key-%d", (at+i)%1000), payload))
		}
		for partition, some := range events {
			e.send(topic, int32(partition), some...)
		}
	}
	config := e.config("payment", topic, handler(e))
	config.CheckInterval, config.OffsetCopyInterval = 0, 0
	b.ResetTimer()
	c := e.start(e.db, config)
	testenv.Wait(b, "all messages", 5*time.Minute, func() bool { return c.Stats().Handled >= int64(b.N) })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
