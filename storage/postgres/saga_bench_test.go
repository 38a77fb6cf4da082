package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// benchSaga is about as large as an order's: state 190 bytes, progress 420.
func benchSaga(id string, now time.Time) saga.Record {
	return saga.Record{
		Name: "order", ID: id, Version: 1, Revision: 1, Status: saga.Running, CorrelationID: "c-" + id, Current: "pay",
		State:    json.RawMessage(`{"orderId":"0193-4e2f","customer":"c-42","restaurant":"r-7","items":[{"id":"i-1","price":12000,"quantity":2},{"id":"i-2","price":8000,"quantity":1}],"total":32000,"tracking":"0193"}`),
		Progress: json.RawMessage(`{"steps":[{"name":"pay","phase":"SUCCEEDED","attempt":1,"command":"0193a4b2-7c10-7abc-8def-0123456789ab","since":"2026-11-21T09:30:00.123456Z"},{"name":"approve","phase":"RUNNING","attempt":1,"left":2,"command":"0193a4b2-7c10-7abc-8def-0123456789ab","since":"2026-11-21T09:30:00.123456Z"}],"timers":[{"kind":"timeout","step":"approve","attempt":1,"due":"2026-11-21T09:30:30.123456Z"}]}`),
		Started:  now, Changed: now, Due: now.Add(30 * time.Second),
		Entries: []saga.Entry{{At: now, Kind: saga.EntryStarted}, {At: now, Kind: saga.EntryCommand, Step: "pay", Attempt: 1,
			MessageID: event.NewID(), Type: "payment-request", Topic: "payment-request"}},
	}
}

func benchDecision(r saga.Record, now time.Time) saga.Record {
	r.Revision++
	r.Changed, r.Due = now, now.Add(30*time.Second)
	r.Entries = []saga.Entry{{At: now, Kind: saga.EntryAnswer, Step: "pay", Attempt: 1, MessageID: event.NewID(), Type: "payment-completed",
		Topic: "payment-response"}, {At: now, Kind: saga.EntryCommand, Step: "approve", Attempt: 1, MessageID: event.NewID(), Type: "approve"}}
	return r
}

func insertSagas(ctx context.Context, db *postgres.DB, records []saga.Record) error {
	return db.Update(ctx, func(tx *postgres.Tx) error {
		_, err := tx.InsertSagas(ctx, records)
		return err
	})
}

// decide loads sagas and saves what change makes of them.
func decide(ctx context.Context, db *postgres.DB, ids []string, change func(saga.Record, time.Time) saga.Record) error {
	return db.Update(ctx, func(tx *postgres.Tx) error {
		records, err := tx.LoadSagas(ctx, "order", ids)
		if err != nil {
			return err
		}
		now := time.Now()
		for i, r := range records {
			records[i] = change(r, now)
		}
		return tx.SaveSagas(ctx, records)
	})
}

// BenchmarkSagaPairs loads and saves running sagas, one connection.
func BenchmarkSagaPairs(b *testing.B) {
	for _, size := range []int{1, 200} {
		b.Run(fmt.Sprintf("%d-per-transaction", size), func(b *testing.B) {
			db := openNew(b)
			const groups = 50
			var ids [groups][]string
			for g := range ids {
				var records []saga.Record
				for range size {
					records = append(records, benchSaga(event.NewID(), time.Now()))
					ids[g] = append(ids[g], records[len(records)-1].ID)
				}
				if err := insertSagas(b.Context(), db, records); err != nil {
					b.Fatal(err)
				}
			}
			start, n := time.Now(), 0
			for b.Loop() {
				if err := decide(b.Context(), db, ids[n%groups], benchDecision); err != nil {
					b.Fatal(err)
				}
				n++
			}
			perSecond(b, b.N*size, start)
		})
	}
}

// BenchmarkSagaLives are whole lives: started, three decisions, ended.
func BenchmarkSagaLives(b *testing.B) {
	const size = 200
	db := openNew(b)
	start := time.Now()
	for b.Loop() {
		var records []saga.Record
		var ids []string
		for range size {
			records = append(records, benchSaga(event.NewID(), time.Now()))
			ids = append(ids, records[len(records)-1].ID)
		}
		if err := insertSagas(b.Context(), db, records); err != nil {
			b.Fatal(err)
		}
		for step := range 4 {
			err := decide(b.Context(), db, ids, func(r saga.Record, now time.Time) saga.Record {
				if r = benchDecision(r, now); step == 3 {
					r.Status, r.Ended, r.Due = saga.Completed, now, time.Time{}
				}
				return r
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	perSecond(b, b.N*size, start)
}

// BenchmarkSagaDue fires 500 timers at a time, among 100,000.
func BenchmarkSagaDue(b *testing.B) {
	const sleeping, batch = 100_000, 500
	db := openNew(b)
	begin := time.Now()
	for from := 0; from < sleeping; from += 2000 {
		records := make([]saga.Record, 2000)
		for i := range records {
			records[i] = benchSaga(fmt.Sprintf("s-%07d", (from+i)*7919%sleeping), begin)
			records[i].Due = begin.Add(time.Duration(from+i) * time.Millisecond)
		}
		if err := insertSagas(b.Context(), db, records); err != nil {
			b.Fatal(err)
		}
	}
	start, at := time.Now(), begin
	for b.Loop() {
		at = at.Add(batch * time.Millisecond)
		if _, _, err := fire(b.Context(), db, at, batch); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, b.N*batch, start)
}
