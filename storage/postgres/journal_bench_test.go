package postgres_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

var journalPayload = journal.Payload{Serializer: 31, Manifest: "order-placed", Data: bytes.Repeat([]byte("x"), 256)}

const journalWriter = "0197a1b2-0000-7000-8000-000000000001"

// BenchmarkAppendGroup appends one event of 256 bytes per write, with connections
// that each have entities of their own.
func BenchmarkAppendGroup(b *testing.B) {
	for _, c := range []struct{ connections, group int }{{1, 1}, {1, 100}, {4, 100}, {4, 250}, {4, 500}} {
		b.Run(fmt.Sprintf("%d-connections/%d-writes", c.connections, c.group), func(b *testing.B) {
			db := openNew(b)
			var left atomic.Int64
			left.Store(int64(b.N))
			start := time.Now()
			var all sync.WaitGroup
			for conn := range c.connections {
				writes := make([]journal.Write, c.group)
				for i := range writes {
					writes[i] = journal.Write{PersistenceID: fmt.Sprintf("order|%d-%d", conn, i), Writer: journalWriter,
						Events: []journal.NewEvent{{Payload: journalPayload}}}
				}
				all.Go(func() {
					for left.Add(-1) >= 0 {
						results, err := db.AppendGroup(b.Context(), writes)
						if err != nil {
							b.Error(err)
							return
						}
						for i, r := range results {
							writes[i].After, writes[i].AfterTime = r.SeqNr, r.Time
						}
					}
				})
			}
			all.Wait()
			perSecond(b, b.N*c.group, start)
		})
	}
}

// BenchmarkReplay loads one long entity.
func BenchmarkReplay(b *testing.B) {
	db := openNew(b)
	const n = 50_000
	for i := range n / 1000 {
		w := journal.Write{PersistenceID: "order|1", After: int64(i * 1000), Writer: journalWriter}
		for range 1000 {
			w.Events = append(w.Events, journal.NewEvent{Payload: journalPayload})
		}
		if r, err := db.AppendGroup(b.Context(), []journal.Write{w}); err != nil || r[0].Err != nil {
			b.Fatal(err, r)
		}
	}
	start := time.Now()
	for b.Loop() {
		events := 0
		if err := db.Events(b.Context(), "order|1", 1, 0, func(journal.Event) error { events++; return nil }); err != nil || events != n {
			b.Fatal(events, err)
		}
	}
	perSecond(b, b.N*n, start)
}
