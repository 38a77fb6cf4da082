package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// fillJournal stores n events of 256 bytes by groups of 500 entities.
func fillJournal(b *testing.B, db *postgres.DB, n int) {
	b.Helper()
	_, err := db.Pool().Exec(b.Context(), `INSERT INTO event_journal (slice, entity_type, persistence_id, seq_nr, db_timestamp, event_ser_id,
		event_ser_manifest, event_payload, writer, adapter_manifest, xid)
		SELECT abs(hashtext('order|' || n % 5000)) % 1024, 'order', 'order|' || n % 5000, n / 5000 + 1, now(), 31, 'orders.Placed',
			decode(repeat('ab', 256), 'hex'), '0197a1b2-0000-7000-8000-000000000003', '', (3 + n / 500)::text::xid8
		FROM generate_series(0, $1 - 1) AS n`, n)
	if err != nil {
		b.Fatal(err)
	}
	// Numbers have to be below the server's.
	for range n/500 + 10 {
		if _, err := db.Pool().Exec(b.Context(), "SELECT pg_current_xact_id()"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCatchUp reads a journal from its beginning.
func BenchmarkCatchUp(b *testing.B) {
	db := open(b, testenv.Postgres(b), postgres.Config{})
	const n = 200_000
	fillJournal(b, db, n)
	for name, q := range map[string]journal.Query{
		"all":        {Slices: journal.AllSlices(), Limit: 1000},
		"all-5000":   {Slices: journal.AllSlices(), Limit: 5000},
		"one-eighth": {Slices: journal.SliceRanges(8)[3], Limit: 1000},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			read := 0
			for b.Loop() {
				q := q
				for more := true; more; {
					p, err := db.Page(b.Context(), q)
					if err != nil {
						b.Fatal(err)
					}
					q.After, more = p.Cursor, p.More
					read += len(p.Events)
				}
			}
			b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkAppendToPage is the time from the call of an append to the event's
// being read by somebody who is woken, at 2,000 appends per second of another
// handle; percentiles in milliseconds.
func BenchmarkAppendToPage(b *testing.B) {
	url := testenv.Postgres(b)
	writer, reader := open(b, url, postgres.Config{MaxConns: 8}), open(b, url, postgres.Config{})
	for name, db := range map[string]*postgres.DB{"same-process": writer, "other-process": reader} {
		b.Run(name, func(b *testing.B) {
			const perSecond = 2000
			wake, done := db.Appends(b.Context())
			_ = done
			q := journal.Query{Slices: journal.AllSlices(), After: must[journal.Cursor](b)(db.Now(b.Context(), journal.Events))}
			sent := make([]time.Time, b.N)
			prefix := fmt.Sprintf("%s%d|", name, time.Now().UnixNano())
			started := time.Now()
			slots := make(chan struct{}, 8)
			go func() {
				for i := range sent {
					time.Sleep(time.Until(started.Add(time.Duration(i) * time.Second / perSecond)))
					slots <- struct{}{}
					sent[i] = time.Now()
					go func() {
						_, _ = writer.AppendGroup(b.Context(), []journal.Write{eventOf(fmt.Sprint(prefix, i), 0)})
						<-slots
					}()
				}
			}()
			took := make([]time.Duration, 0, b.N)
			pages := 0
			for len(took) < b.N {
				<-wake
				for more := true; more; {
					p, err := db.Page(b.Context(), q)
					if err != nil {
						b.Fatal(err)
					}
					pages++
					now := time.Now()
					for _, e := range p.Events {
						var i int
						if _, err := fmt.Sscanf(e.PersistenceID[len(prefix):], "%d", &i); err != nil {
							b.Fatal(err)
						}
						took = append(took, now.Sub(sent[i]))
					}
					q.After, more = p.Cursor, p.More
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(pages)/b.Elapsed().Seconds(), "pages/s")
		})
	}
}
