package projection_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

func rebuildConfig(name string, workers int) projection.Config[storage.Tx] {
	c := viewConfig(name, workers)
	c.Tables = []string{"letters"}
	return c
}

// spoil makes the view wrong.
func spoil(t *testing.T, db storage.DB, id string) {
	t.Helper()
	err := db.Update(t.Context(), func(tx storage.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE letters SET text = 'wrong' WHERE id = $1", id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rebuilt says whether the rebuild of a process has caught up.
func rebuilt(p *projection.Projection[storage.Tx]) bool {
	there := false
	for _, r := range p.Stats().Ranges {
		if r.Rebuild {
			there = true
			if r.State != projection.StateRunning || r.LagEvents > 0 {
				return false
			}
		}
	}
	return there
}

// A view is rebuilt beside the live one, by processes that come and go, and takes
// its place while events are written.
func TestRebuild(t *testing.T) { everywhere(t, testRebuild) }

func testRebuild(t *testing.T, db storage.DB) {
	w := newWriter(t, db)
	ids := entities(20)
	for range 10 {
		w.append(ids...)
	}
	first := start(t, db, db, rebuildConfig("letters-view", 2))
	w.waitView()
	if _, err := first.Compare(t.Context(), nil, 10); !errors.Is(err, projection.ErrNoRebuild) {
		t.Errorf("compare without a rebuild: %v", err)
	}
	if err := first.Swap(t.Context()); !errors.Is(err, projection.ErrNoRebuild) {
		t.Errorf("swap without a rebuild: %v", err)
	}
	spoil(t, db, ids[3])
	if err := first.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop(t, first) // another process takes it up
	second := start(t, db, db, rebuildConfig("letters-view", 3))
	wait(t, "the rebuild to catch up", func() bool { return rebuilt(second) && differences(t, second) == 1 })
	all, err := second.Compare(t.Context(), nil, 10)
	if err != nil || len(all) != 1 || all[0].Live != 20 || all[0].Copy != 20 || len(all[0].LiveRows) != 1 {
		t.Fatalf("difference %+v, %v", all, err)
	}

	var writing sync.WaitGroup
	over := make(chan struct{})
	writing.Go(func() {
		for !isOver(over) {
			w.append(ids...)
		}
	})
	err = second.Swap(t.Context())
	close(over)
	writing.Wait()
	if err != nil {
		t.Fatalf("swap: %v", err)
	}
	w.append(ids...)
	w.waitView() // also the row that was spoilt
	wait(t, "the rebuild to be over", func() bool {
		stored, err := db.Projections(t.Context(), "letters-view:rebuild")
		return err == nil && len(stored) == 0 && len(second.Stats().Ranges) == 3
	})
	wait(t, "the live view to go on", func() bool { return !second.Stats().Paused })
	if paused, err := db.Paused(t.Context(), "letters-view", journal.AllSlices()); paused || err != nil {
		t.Errorf("after the swap it is paused: %v, %v", paused, err)
	}
}

func differences(t *testing.T, p *projection.Projection[storage.Tx]) (n int64) {
	t.Helper()
	all, err := p.Compare(t.Context(), nil, 1)
	if err != nil {
		return -1
	}
	for _, d := range all {
		n += d.OnlyLive
	}
	return n
}

func TestCancelRebuild(t *testing.T) { everywhere(t, testCancelRebuild) }

func testCancelRebuild(t *testing.T, db storage.DB) {
	w := newWriter(t, db)
	w.append(entities(10)...)
	p := start(t, db, db, rebuildConfig("letters-view", 2))
	for range 3 {
		if err := p.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		wait(t, "the rebuild", func() bool { return rebuilt(p) })
		if err := p.CancelRebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Swap(t.Context()); !errors.Is(err, projection.ErrNoRebuild) {
		t.Errorf("swap after cancelling: %v", err)
	}
	err := db.View(t.Context(), func(q storage.Querier) error {
		var n int
		return q.QueryRow(context.Background(), "SELECT count(*) FROM letters__rebuild").Scan(&n)
	})
	if err == nil {
		t.Error("the copy is still there")
	}
	w.append(entities(10)...)
	w.waitView()
	if err := p.Health(); err != nil {
		t.Error(err)
	}
}

func TestRebuildWithoutTables(t *testing.T) {
	p := start(t, openSQLite(t), newMemJournal(), viewConfig("view", 1))
	if err := p.Rebuild(t.Context()); !errors.Is(err, projection.ErrNoTables) {
		t.Errorf("%v", err)
	}
	if err := p.CancelRebuild(t.Context()); !errors.Is(err, projection.ErrNoTables) {
		t.Errorf("%v", err)
	}
}
