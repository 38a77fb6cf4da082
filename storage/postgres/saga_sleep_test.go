package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestSleepingSagas: among a million that sleep, 5,000 a second are due, for a minute.
// Each moves on to another timer, which leaves a dead entry in the index of timers.
func TestSleepingSagas(t *testing.T) {
	testenv.Full(t)
	const sleeping, batch, perSecond, rounds = 1_000_000, 500, 5000, 600
	db := openNew(t)
	ctx := t.Context()
	begin := time.Now()
	for from := 0; from < sleeping; from += 2000 {
		records := make([]saga.Record, 2000)
		for i := range records {
			n := from + i
			records[i] = benchSaga(fmt.Sprintf("s-%07d", n*7919%sleeping), begin)
			records[i].Due = begin.Add(time.Hour + time.Duration(n)*time.Second/perSecond)
		}
		if err := insertSagas(ctx, db, records); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("inserted in %s", time.Since(begin))
	at := begin.Add(time.Hour)
	var took, finding []time.Duration
	start := time.Now()
	for round := range rounds {
		at = at.Add(batch * time.Second / perSecond)
		begun := time.Now()
		n, found, err := fire(ctx, db, at, batch)
		if err != nil {
			t.Fatal(err)
		}
		if n != batch {
			t.Fatalf("round %d: %d were due, want %d", round, n, batch)
		}
		took, finding = append(took, time.Since(begun)), append(finding, found)
		if round%100 == 99 {
			t.Logf("after %d: %s; finding %s", (round+1)*batch, percentiles(took[round-99:]), percentiles(finding[round-99:]))
			t.Log(explainDue(t, db, at.Add(batch*time.Second/perSecond)))
		}
		time.Sleep(time.Until(start.Add(time.Duration(round+1) * batch * time.Second / perSecond)))
	}
	elapsed := time.Since(start)
	t.Logf("%d fired in %s: %s; finding %s", rounds*batch, elapsed, percentiles(took), percentiles(finding))
	if late := elapsed - rounds*batch*time.Second/perSecond; late > 10*time.Second {
		t.Errorf("%s behind", late)
	}
	begun := time.Now()
	counts := must[[]saga.Count](t)(db.SagaCounts(ctx))
	t.Logf("counts %+v in %s", counts, time.Since(begun))
	begun = time.Now()
	page := must[[]saga.Record](t)(db.Sagas(ctx, saga.Query{After: &saga.Place{Started: begin.UTC().Truncate(time.Microsecond), Name: "order", ID: "s-0500000"}}))
	t.Logf("a page of %d in %s", len(page), time.Since(begun))
}

// fire moves what is due on by an hour, and says how long finding it took.
func fire(ctx context.Context, db *postgres.DB, at time.Time, limit int) (n int, found time.Duration, err error) {
	err = db.Update(ctx, func(tx *postgres.Tx) error {
		begun := time.Now()
		due, err := tx.DueSagas(ctx, "order", at, limit)
		if err != nil {
			return err
		}
		found = time.Since(begun)
		for i, r := range due {
			due[i] = benchDecision(r, at)
			due[i].Due = r.Due.Add(time.Hour)
		}
		n = len(due)
		return tx.SaveSagas(ctx, due)
	})
	return n, found, err
}

func percentiles(all []time.Duration) string {
	sorted := slices.Sorted(slices.Values(all))
	return fmt.Sprintf("p50 %s, p99 %s, most %s", sorted[len(sorted)/2], sorted[len(sorted)*99/100], sorted[len(sorted)-1])
}

func explainDue(t *testing.T, db *postgres.DB, at time.Time) string {
	t.Helper()
	rows, err := db.Pool().Query(t.Context(), `EXPLAIN (ANALYZE, BUFFERS) SELECT id FROM pabal_saga
		WHERE name = 'order' AND wake <= $1 ORDER BY wake LIMIT 500`, at)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
