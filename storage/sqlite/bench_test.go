package sqlite

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// BenchmarkUpdate is a transaction of five statements, one of them a message.
func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			db := openTest(b, Config{})
			exec(b, db, "CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER, note TEXT)",
				"INSERT INTO account SELECT value, 0, '' FROM json_each('[0,1,2,3,4,5,6,7]')")
			work := make(chan int)
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					for i := range work {
						if err := db.Update(context.Background(), func(tx *Tx) error { return fiveStatements(tx, i) }); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ResetTimer()
			for i := range b.N {
				work <- i
			}
			close(work)
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
		})
	}
}

func fiveStatements(tx *Tx, i int) error {
	ctx := context.Background()
	var amount int
	if err := tx.QueryRow(ctx, "SELECT amount FROM account WHERE id = $1", i%8).Scan(&amount); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE account SET amount = $2 WHERE id = $1", i%8, amount+1); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO account (amount, note) VALUES ($1, $2)", i, "paid"); err != nil {
		return err
	}
	if _, err := tx.MarkInbox(ctx, "payment", []inbox.Mark{{ID: event.NewID(), Outcome: inbox.Handled}}); err != nil {
		return err
	}
	return outbox.Enqueue(ctx, tx, event.New("payment-response", "order", map[string]int{"amount": amount}))
}

const benchBatch = 1000

// BenchmarkRelay reads a thousand rows of 256 bytes and removes them, as a
// relay does.
func BenchmarkRelay(b *testing.B) {
	for _, history := range []bool{false, true} {
		b.Run(fmt.Sprintf("history=%v", history), func(b *testing.B) {
			db := openTest(b, Config{})
			ctx := context.Background()
			lease, _, err := db.AcquireLease(ctx, "bench", time.Hour)
			if err != nil {
				b.Fatal(err)
			}
			e := event.New("t", "k", nil)
			e.Payload = make([]byte, 256)
			batch := slices.Repeat([]event.Event{e}, benchBatch)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				if err := db.Update(ctx, func(tx *Tx) error { return outbox.Enqueue(ctx, tx, batch...) }); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				rows, err := db.Pending(ctx, 0, outbox.Exclusion{}, benchBatch, 1<<30)
				if err != nil || len(rows) != benchBatch {
					b.Fatal(len(rows), err)
				}
				ids := make([]int64, len(rows))
				for i, r := range rows {
					ids[i] = r.ID
				}
				if err := db.Complete(ctx, lease, ids, []byte("position"), history); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*benchBatch)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
