package storagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

func swapCases[T ProjectionTx]() map[string]func(projectionCase[T], *testing.T) {
	type c = projectionCase[T]
	return map[string]func(c, *testing.T){
		"the copies are live, with their offsets":  c.swap,
		"again and again":                          c.swapAgain,
		"behind":                                   c.swapBehind,
		"behind in an entity it has not met":       c.swapBehindUnmet,
		"offsets that the rebuild has trimmed":     c.swapTrimmed,
		"without copies nothing happens":           c.swapNothing,
		"transactions of the live one are awaited": c.swapWaits,
	}
}

const theRebuild = "view:rebuild"

// rebuilt makes copies and the claims of both projections.
func (c projectionCase[T]) rebuilt(t *testing.T) (live, rebuild projection.Claim) {
	t.Helper()
	must(t, c.tables(t).CopyTables(t.Context(), twoTables, copied))
	return c.claimAll(t), c.claimOf(t, theRebuild, journal.AllSlices(), nil)
}

func (c projectionCase[T]) swapNow(ctx context.Context) error {
	return c.db.(projection.Tables).SwapTables(ctx, twoTables, copied, theView, theRebuild)
}

func (c projectionCase[T]) swap(t *testing.T) {
	live, rebuild := c.rebuilt(t)
	at := startTime()
	c.appendTo(t, "p1", "p10")
	c.saved(t, live, nil, offsetOf("p1", 1, at))
	c.saved(t, rebuild, c.now(t), offsetOf("p1", 1, at), offsetOf("p10", 1, at))
	c.appendTo(t, "p1")
	c.exec(t, "INSERT INTO thing__copy (id, n, name) VALUES (5, 5, 'a')", "INSERT INTO part__copy VALUES (5, 'x')")
	must(t, c.swapNow(t.Context()))

	equal(t, "rows of the view", c.number(t, "SELECT id FROM thing"), 5)
	equal(t, "rows of its other table", c.number(t, "SELECT thing FROM part"), 5)
	isFencedOff(t, "the live view's worker", c.save(t.Context(), live, nil))
	isFencedOff(t, "the rebuild's worker", c.save(t.Context(), rebuild, nil))
	again := c.claimAll(t)
	c.storedAre(t, "offsets", again, "p1:1", "p10:1")
	c.readsOn(t, "the rebuild's cursor", again, "p1:2")
	all, err := c.db.Projections(t.Context(), theRebuild)
	must(t, err)
	equal(t, "what is left of the rebuild", len(all), 0)
	c.exec(t, "INSERT INTO thing (id, name) VALUES (6, 'c')")
	if c.tryExec(t, "INSERT INTO thing (id, name) VALUES (7, 'c')") == nil {
		t.Fatal("the unique index is gone")
	}
}

// swapAgain: names of indexes and constraints are free again.
func (c projectionCase[T]) swapAgain(t *testing.T) {
	tables := c.tables(t)
	for range 3 {
		must(t, tables.CopyTables(t.Context(), twoTables, copied))
		c.claimOf(t, theRebuild, journal.AllSlices(), nil)
		must(t, c.swapNow(t.Context()))
		equal(t, "rows", c.number(t, "SELECT count(*) FROM thing"), 0)
		must(t, tables.DropCopies(t.Context(), twoTables, copied))
		c.exec(t, "INSERT INTO thing (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET n = 8")
		c.exec(t, "DROP INDEX thing_name", "CREATE UNIQUE INDEX thing_name ON thing (name)")
		equal(t, "the default", c.number(t, "SELECT n FROM thing"), 7)
	}
}

func (c projectionCase[T]) isBehind(t *testing.T) {
	t.Helper()
	c.exec(t, "INSERT INTO thing__copy (id, name) VALUES (5, 'z')")
	if err := c.swapNow(t.Context()); !errors.Is(err, projection.ErrBehind) || c.db.Transient(err) {
		t.Fatalf("swap: %v, want projection.ErrBehind", err)
	}
	equal(t, "rows of the view", c.number(t, "SELECT count(*) FROM thing"), 2)
	equal(t, "rows of the copy", c.number(t, "SELECT count(*) FROM thing__copy"), 1)
}

func (c projectionCase[T]) swapBehind(t *testing.T) {
	live, rebuild := c.rebuilt(t)
	at := startTime()
	c.appendTo(t, "p1", "p1")
	c.saved(t, live, nil, offsetOf("p1", 2, at.Add(tick)))
	c.saved(t, rebuild, nil, offsetOf("p1", 1, at))
	c.isBehind(t)
	c.saved(t, live, nil)
	c.saved(t, rebuild, nil, offsetOf("p1", 2, at.Add(tick)))
	must(t, c.swapNow(t.Context()))
}

func (c projectionCase[T]) swapBehindUnmet(t *testing.T) {
	live, rebuild := c.rebuilt(t)
	at := startTime()
	c.saved(t, rebuild, c.now(t))
	c.appendTo(t, "p1", "p10")
	c.saved(t, live, nil, offsetOf("p1", 1, at), offsetOf("p10", 1, at))
	c.saved(t, rebuild, nil, offsetOf("p1", 1, at))
	c.isBehind(t)
	c.saved(t, rebuild, c.now(t), offsetOf("p10", 1, at))
	must(t, c.swapNow(t.Context()))
}

// swapTrimmed: what the cursor has passed was handled, also where the offset is
// gone.
func (c projectionCase[T]) swapTrimmed(t *testing.T) {
	live, rebuild := c.rebuilt(t)
	start := longAgo()
	c.appendTo(t, "p500", "p621")
	offsets := []projection.Offset{offsetOf("p500", 1, start), offsetOf("p621", 1, start.Add(time.Second))}
	c.saved(t, live, c.now(t), offsets...)
	c.saved(t, rebuild, c.now(t), offsets...)
	c.trimmed(t, rebuild, start.Add(window), 1)
	must(t, c.swapNow(t.Context()))
}

func (c projectionCase[T]) swapNothing(t *testing.T) {
	c.tables(t)
	live, rebuild := c.claimAll(t), c.claimOf(t, theRebuild, journal.AllSlices(), nil)
	if err := c.swapNow(t.Context()); err == nil || c.db.Transient(err) {
		t.Fatalf("swap: %v", err)
	}
	c.saved(t, live, nil)
	c.saved(t, rebuild, nil)
	equal(t, "rows of the view", c.number(t, "SELECT count(*) FROM thing"), 2)
}

func (c projectionCase[T]) swapWaits(t *testing.T) {
	_, rebuild := c.rebuilt(t)
	c.saved(t, rebuild, c.now(t), offsetOf("p1", 1, startTime().Add(time.Hour)))
	c.afterTransaction(t, "a swap", c.swapNow)
}
