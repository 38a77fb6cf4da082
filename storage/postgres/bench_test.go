package postgres_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

func benchMessages(n int) []outbox.Message {
	payload := bytes.Repeat([]byte("x"), 256)
	all := make([]outbox.Message, n)
	for i := range all {
		e := event.New("payment-request", fmt.Sprint("key-", i%100), nil)
		e.Payload = payload
		e.Traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		all[i] = outbox.Message{Topic: "payment-request", Event: e}
	}
	return all
}

func perSecond(b *testing.B, rows int, start time.Time) {
	b.ReportMetric(float64(rows)/time.Since(start).Seconds(), "rows/s")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkInsertOutbox(b *testing.B) {
	for _, size := range []int{1, 100} {
		url := testenv.Postgres(b)
		messages := benchMessages(size)
		b.Run(fmt.Sprintf("pgx/%d-per-transaction", size), func(b *testing.B) {
			db := open(b, url, postgres.Config{})
			start := time.Now()
			for b.Loop() {
				enqueue(b, db, messages...)
			}
			perSecond(b, b.N*size, start)
		})
		b.Run(fmt.Sprintf("database-sql/%d-per-transaction", size), func(b *testing.B) {
			db := open(b, url, postgres.Config{})
			pool := must[*sql.DB](b)(sql.Open("pgx", url))
			defer pool.Close()
			start := time.Now()
			for b.Loop() {
				tx := must[*sql.Tx](b)(pool.BeginTx(b.Context(), nil))
				if err := db.JoinSQL(tx, postgres.WithoutNotify()).InsertOutbox(b.Context(), messages); err != nil {
					b.Fatal(err)
				}
				if err := tx.Commit(); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b, b.N*size, start)
		})
	}
}

// BenchmarkRelay reads and removes batches of 5,000 rows of 256 bytes from a
// low-water mark, one connection.
func BenchmarkRelay(b *testing.B) {
	const batch = 5000
	for _, c := range []struct {
		name       string
		keep, held bool
	}{{"delete", false, false}, {"delete-xmin-held", false, true}, {"history", true, false}, {"history-xmin-held", true, true}} {
		b.Run(c.name, func(b *testing.B) {
			url := testenv.Postgres(b)
			db := open(b, url, postgres.Config{})
			ctx := context.Background()
			lease, _, err := db.AcquireLease(ctx, "bench", time.Hour)
			if err != nil {
				b.Fatal(err)
			}
			rounds := 0
			total := 40
			for range total {
				enqueue(b, db, benchMessages(batch)...)
			}
			if c.held {
				conn := connect(b, url)
				for _, s := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM pg_class"} {
					if _, err := conn.Exec(ctx, s); err != nil {
						b.Fatal(err)
					}
				}
			}
			start := time.Now()
			mark := int64(0)
			var reading time.Duration
			for b.Loop() {
				if rounds == total {
					b.StopTimer()
					pause := time.Now()
					for range total {
						enqueue(b, db, benchMessages(batch)...)
					}
					total += total
					start = start.Add(time.Since(pause))
					b.StartTimer()
				}
				t := time.Now()
				rows, err := db.Pending(ctx, mark, outbox.Exclusion{}, batch, 1<<30)
				if err != nil || len(rows) != batch {
					b.Fatal(len(rows), err)
				}
				reading += time.Since(t)
				ids := make([]int64, len(rows))
				for i := range rows {
					ids[i] = rows[i].ID
				}
				if err := db.Complete(ctx, lease, ids, []byte("position"), c.keep); err != nil {
					b.Fatal(err)
				}
				mark = ids[len(ids)-1]
				rounds++
			}
			b.ReportMetric(float64(b.N*batch)/reading.Seconds(), "read/s")
			perSecond(b, b.N*batch, start)
		})
	}
}

func BenchmarkMarkInbox(b *testing.B) {
	db := openNew(b)
	claim := must[inbox.Claim](b)(db.Claim(b.Context(), "bench", inbox.Partition{Cluster: "c", TopicID: "t", Topic: "t"}, 1))
	for _, size := range []int{1, 200} {
		b.Run(fmt.Sprintf("%d-per-transaction", size), func(b *testing.B) {
			marks := make([]inbox.Mark, size)
			start := time.Now()
			for b.Loop() {
				for i := range marks {
					marks[i] = inbox.Mark{ID: event.NewID(), Outcome: inbox.Handled}
				}
				err := db.Update(b.Context(), func(tx *postgres.Tx) error {
					if err := tx.AdvanceInbox(b.Context(), claim, 0, 7); err != nil {
						return err
					}
					_, err := tx.MarkInbox(b.Context(), "bench", marks)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b, b.N*size, start)
		})
	}
}
