package mongodb_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// BenchmarkEnqueue: transactions that write a document of their own and a message.
// "counter" shows what a counter of ids in the writers' transactions would cost.
func BenchmarkEnqueue(b *testing.B) {
	for _, writers := range []int{1, 8, 32} {
		for _, counted := range []bool{false, true} {
			name := map[bool]string{false: "stamp", true: "counter"}[counted]
			b.Run(fmt.Sprintf("%s/%d", name, writers), func(b *testing.B) { benchEnqueue(b, writers, counted) })
		}
	}
}

func benchEnqueue(b *testing.B, writers int, counted bool) {
	db := openNew(b)
	payload := make([]byte, 256)
	write := func(ctx context.Context) error {
		return db.Update(ctx, func(tx *mongodb.Tx) error {
			e := event.New("t", "k", nil)
			e.Payload = payload
			if _, err := tx.Database().Collection("orders").InsertOne(tx.Context(ctx), bson.M{"_id": e.ID}); err != nil {
				return err
			}
			if counted {
				_, err := tx.Database().Collection("counter").UpdateByID(tx.Context(ctx), 1, bson.M{"$inc": bson.M{"n": 1}}, options.UpdateOne().SetUpsert(true))
				if err != nil {
					return err
				}
			}
			return outbox.Enqueue(ctx, tx, e)
		})
	}
	if err := write(b.Context()); err != nil {
		b.Fatal(err)
	}
	before := db.Repeats()
	b.ResetTimer()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := w; i < b.N; i += writers {
				if err := write(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	b.ReportMetric(float64(db.Repeats()-before)/float64(b.N), "repeats/tx")
}

// BenchmarkRelay: rows read and removed as a relay does, without Kafka.
func BenchmarkRelay(b *testing.B) {
	const batch = 1000
	db := openNew(b)
	var messages []outbox.Message
	for range batch {
		e := event.New("t", "k", nil)
		e.Payload = make([]byte, 256)
		messages = append(messages, outbox.Message{Topic: "t", Event: e})
	}
	for range b.N {
		if err := db.Update(b.Context(), func(tx *mongodb.Tx) error { return tx.InsertOutbox(b.Context(), messages) }); err != nil {
			b.Fatal(err)
		}
	}
	lease, _, err := db.AcquireLease(b.Context(), "bench", 1<<40)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for last := int64(0); ; {
		rows, err := db.Pending(b.Context(), last, outbox.Exclusion{}, batch, 4<<20)
		if err != nil {
			b.Fatal(err)
		}
		if len(rows) == 0 {
			break
		}
		ids := make([]int64, len(rows))
		for i, r := range rows {
			ids[i] = r.ID
		}
		if err := db.Complete(b.Context(), lease, ids, []byte("p"), false); err != nil {
			b.Fatal(err)
		}
		last = ids[len(ids)-1]
	}
	b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "rows/s")
}
