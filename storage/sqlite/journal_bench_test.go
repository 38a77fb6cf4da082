package sqlite

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

// BenchmarkAppend is an event of 256 bytes per command, of entities at the same
// time.
func BenchmarkAppend(b *testing.B) {
	for _, entities := range []int{1, 256} {
		b.Run(fmt.Sprintf("entities=%d", entities), func(b *testing.B) {
			db := openTest(b, Config{})
			w := journal.NewWriter(db, journal.WriterConfig{})
			if err := w.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			work := make(chan struct{})
			var all sync.WaitGroup
			for e := range entities {
				all.Go(func() { appendEach(b, w, fmt.Sprintf("bench|%d", e), work) })
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			if err := w.Stop(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func appendEach(b *testing.B, w *journal.Writer, id string, work <-chan struct{}) {
	write := benchWrite(id, 1)
	for range work {
		done, err := w.Append(b.Context(), write)
		if err != nil {
			b.Error(err)
			continue
		}
		write.After, write.AfterTime = done.SeqNr, done.Time
	}
}

func benchWrite(id string, n int) journal.Write {
	w := journal.Write{PersistenceID: id, Writer: "0197a1b2-0000-7000-8000-000000000001"}
	for range n {
		w.Events = append(w.Events, journal.NewEvent{Payload: journal.Payload{Serializer: 31, Manifest: "placed", Data: make([]byte, 256)}})
	}
	return w
}

// BenchmarkRead loads 10,000 events of an entity, or reads them by slices.
func BenchmarkRead(b *testing.B) {
	const n = 10_000
	db := openTest(b, Config{})
	if _, err := db.AppendGroup(b.Context(), []journal.Write{benchWrite("bench|1", n)}); err != nil {
		b.Fatal(err)
	}
	b.Run("entity", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			read := 0
			err := db.Events(b.Context(), "bench|1", 1, 0, func(journal.Event) error { read++; return nil })
			if err != nil || read != n {
				b.Fatal(read, err)
			}
		}
		b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("slices", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			q := journal.Query{Slices: journal.AllSlices()}
			for read, more := 0, true; more || read != n; {
				page, err := db.Page(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				read, more, q.After = read+len(page.Events), page.More, page.Cursor
			}
		}
		b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "events/s")
	})
}
