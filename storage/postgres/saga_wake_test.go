package postgres_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestSagaWake: a decision leaves the index of timers alone where it can.
func TestSagaWake(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	begin := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	after := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	for name, c := range map[string]struct {
		decided, due int // after the start; the first timer is due after 30 s
		status       saga.Status
		wake         int
	}{
		"moved on":                      {1, 40, saga.Running, 30},
		"as it was":                     {1, 30, saga.Running, 30},
		"earlier":                       {1, 20, saga.Running, 20},
		"moved on when it was due":      {30, 60, saga.Running, 60},
		"moved on when it was long due": {100, 130, saga.Running, 130},
		"with another status":           {1, 40, saga.Compensating, 40},
		"none any more":                 {1, 0, saga.Running, 0},
	} {
		r := benchSaga(name, begin)
		if err := insertSagas(ctx, db, []saga.Record{r}); err != nil {
			t.Fatal(err)
		}
		r = benchDecision(r, after(c.decided))
		if r.Status, r.Due = c.status, after(c.due); c.due == 0 {
			r.Due = time.Time{}
		}
		if err := db.Update(ctx, func(tx *postgres.Tx) error { return tx.SaveSagas(ctx, []saga.Record{r}) }); err != nil {
			t.Fatal(err)
		}
		var wake *time.Time
		if err := db.Pool().QueryRow(ctx, "SELECT wake FROM pabal_saga WHERE id = $1", name).Scan(&wake); err != nil {
			t.Fatal(err)
		}
		if c.wake == 0 && wake == nil {
			continue
		}
		if wake == nil || !wake.Equal(after(c.wake)) {
			t.Errorf("%s: wakes at %v, want %s", name, wake, after(c.wake))
		}
	}
	// Within the page, as the server counts it.
	const count = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'pabal_saga'"
	var updates, within, updatesBefore, withinBefore int64
	r := benchSaga("many", begin)
	if err := insertSagas(ctx, db, []saga.Record{r}); err != nil {
		t.Fatal(err)
	}
	err := db.Update(ctx, func(tx *postgres.Tx) error {
		if err := tx.QueryRow(ctx, count).Scan(&updatesBefore, &withinBefore); err != nil {
			return err
		}
		for i := range 4 {
			r = benchDecision(r, after(1+i))
			if err := tx.SaveSagas(ctx, []saga.Record{r}); err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, count).Scan(&updates, &within)
	})
	if updates, within = updates-updatesBefore, within-withinBefore; err != nil || updates != 4 || within != 4 {
		t.Errorf("of %d updates %d were within the page, want 4 of 4 (%v)", updates, within, err)
	}
}
