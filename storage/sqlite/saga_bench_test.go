package sqlite

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/saga"
)

// BenchmarkSagaPairs loads and saves running sagas, 200 to a transaction.
func BenchmarkSagaPairs(b *testing.B) {
	const size, groups = 200, 50
	db := openTest(b, Config{})
	ctx := b.Context()
	text := json.RawMessage(`{"text":"` + strings.Repeat("x", 250) + `"}`)
	now := time.Now()
	var ids [groups][]string
	for g := range ids {
		var records []saga.Record
		for range size {
			id := event.NewID()
			records = append(records, saga.Record{Name: "order", ID: id, Version: 1, Revision: 1, Status: saga.Running, State: text,
				Progress: text, Started: now, Changed: now, Due: now.Add(time.Minute), Entries: []saga.Entry{{At: now, Kind: saga.EntryStarted}}})
			ids[g] = append(ids[g], id)
		}
		err := db.Update(ctx, func(tx *Tx) error {
			_, err := tx.InsertSagas(ctx, records)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		err := db.Update(ctx, func(tx *Tx) error {
			records, err := tx.LoadSagas(ctx, "order", ids[n%groups])
			if err != nil {
				return err
			}
			for i := range records {
				records[i].Revision++
				records[i].Due = records[i].Due.Add(time.Second)
				records[i].Entries = []saga.Entry{{At: now, Kind: saga.EntryAnswer, Step: "pay", MessageID: event.NewID()}}
			}
			return tx.SaveSagas(ctx, records)
		})
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(0, "ns/op")
}
