package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestSagaPlans: plans that a connection made when the table was young, with or
// without statistics, read no more of a table that has grown.
func TestSagaPlans(t *testing.T) {
	for _, young := range testenv.Sized([]int{0, 64}, []int{0, 4, 64, 1000}) {
		for _, analyzed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d rows, analyzed %v", young, analyzed), func(t *testing.T) { testSagaPlans(t, young, analyzed) })
		}
	}
}

// rowsRead counts those of the sagas' tables, also by transactions before this one
// that the server has not reckoned up yet.
func rowsRead(ctx context.Context, tx *postgres.Tx) (n int64, err error) {
	err = tx.QueryRow(ctx, `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables
		WHERE relname IN ('pabal_saga', 'pabal_saga_entry')`).Scan(&n)
	return n, err
}

func testSagaPlans(t *testing.T, young int, analyzed bool) {
	db := open(t, testenv.Postgres(t), postgres.Config{MaxConns: 1})
	ctx := t.Context()
	now := time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
	grow := func(from, to int) {
		var records []saga.Record
		for i := from; i < to; i++ {
			r := benchSaga(fmt.Sprintf("s-%06d", i), now)
			r.Due = now.Add(time.Duration(i) * time.Second / 1000)
			records = append(records, r)
		}
		if err := insertSagas(ctx, db, records); err != nil {
			t.Fatal(err)
		}
	}
	grow(0, young)
	if analyzed {
		must[any](t)(db.Pool().Exec(ctx, "VACUUM ANALYZE pabal_saga"))
	}
	round := func(want int) (read int64) {
		err := db.Update(ctx, func(tx *postgres.Tx) error {
			before, err := rowsRead(ctx, tx)
			if err != nil {
				return err
			}
			loaded, err := tx.LoadSagas(ctx, "order", []string{"s-000000", "s-000001"})
			if err != nil {
				return err
			}
			due, err := tx.DueSagas(ctx, "order", now.Add(time.Hour), 2)
			if err != nil {
				return err
			}
			if len(loaded) != want || len(due) != want {
				t.Fatalf("%d loaded, %d due", len(loaded), len(due))
			}
			for i, r := range loaded {
				loaded[i] = benchDecision(r, now)
				loaded[i].Due = r.Due
			}
			if err := tx.SaveSagas(ctx, loaded); want > 0 && err != nil {
				return err
			}
			after, err := rowsRead(ctx, tx)
			read = after - before
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return read
	}
	for range 12 { // from the sixth on a plan is kept
		round(min(young, 2))
	}
	for i := range 20 {
		grow(young+i*1000, young+1000+i*1000)
	}
	for _, plans := range []string{"kept", "made anew"} {
		if read := round(2); read > 40 {
			t.Errorf("plans %s: %d rows were read to load, find and save two each", plans, read)
		}
		must[any](t)(db.Pool().Exec(ctx, "DISCARD PLANS"))
	}
	must[any](t)(db.Pool().Exec(ctx, "SELECT pg_stat_force_next_flush()"))
	var scans int64
	if err := db.Pool().QueryRow(ctx, "SELECT idx_scan FROM pg_stat_user_indexes WHERE relid = 'pabal_saga'::regclass AND indexrelname = 'pabal_saga_age'").Scan(&scans); err != nil {
		t.Fatal(err)
	}
	if scans != 0 { // which reads all ids of the name to find one, and no count tells
		t.Errorf("sagas were looked for %d times in the index of ages", scans)
	}
}
