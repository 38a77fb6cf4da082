package storagetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

// ProjectionTx is a transaction of a ProjectionDB.
type ProjectionTx interface {
	projection.Tx
	storage.Querier
}

// ProjectionDB is what Projection needs of a database.
type ProjectionDB[T ProjectionTx] interface {
	projection.Store[T]
	journal.Store
}

// Projection tests the ports projection.Tx, projection.Admin and, where the
// database has it, projection.Tables. open is as in Run.
func Projection[T ProjectionTx](t *testing.T, open func(t *testing.T) ProjectionDB[T]) {
	t.Run("offsets", func(t *testing.T) {
		c := projectionCase[T]{open(t)}
		for name, test := range offsetCases[T]() {
			t.Run(name, func(t *testing.T) {
				must(t, c.db.Forget(t.Context(), theView))
				test(c, t)
			})
		}
	})
	for _, group := range []map[string]func(projectionCase[T], *testing.T){
		prefixed("trim: ", trimCases[T]()),
		prefixed("claims: ", claimCases[T]()),
		prefixed("management: ", managementCases[T]()),
		prefixed("tables: ", tableCases[T]()),
		prefixed("swap: ", swapCases[T]()),
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) { test(projectionCase[T]{open(t)}, t) })
		}
	}
}

// projectionCase is one empty database. Each test gets its own, except that the
// cases of offsets share one.
type projectionCase[T ProjectionTx] struct{ db ProjectionDB[T] }

const (
	theView   = "view"
	theSource = "events"
)

func (c projectionCase[T]) claim(t *testing.T, r journal.SliceRange, start journal.Cursor) projection.Claim {
	t.Helper()
	return c.claimOf(t, theView, r, start)
}

func (c projectionCase[T]) claimOf(t *testing.T, name string, r journal.SliceRange, start journal.Cursor) projection.Claim {
	t.Helper()
	claim, err := c.db.ClaimSlices(t.Context(), name, theSource, r, start)
	must(t, err)
	if claim.Projection != name || claim.Source != theSource || claim.Slices != r || claim.Epoch < 1 {
		t.Fatalf("claim of %s: %+v", r, claim)
	}
	return claim
}

func (c projectionCase[T]) claimAll(t *testing.T) projection.Claim {
	t.Helper()
	return c.claim(t, journal.AllSlices(), nil)
}

// save returns the transaction's error.
func (c projectionCase[T]) save(ctx context.Context, claim projection.Claim, cursor journal.Cursor, offsets ...projection.Offset) error {
	return c.db.Update(ctx, func(tx T) error { return tx.SaveOffsets(ctx, claim, offsets, cursor) })
}

func (c projectionCase[T]) saved(t *testing.T, claim projection.Claim, cursor journal.Cursor, offsets ...projection.Offset) {
	t.Helper()
	must(t, c.save(t.Context(), claim, cursor, offsets...))
}

func isFencedOff(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, projection.ErrFenced) {
		t.Fatalf("%s: got %v, want projection.ErrFenced", what, err)
	}
}

// offsetOf an event of that entity.
func offsetOf(persistenceID string, seqNr int64, at time.Time) projection.Offset {
	return projection.Offset{PersistenceID: persistenceID, Slice: journal.SliceOf(persistenceID), SeqNr: seqNr, Time: at}
}

// startTime has no part of a microsecond, which no database keeps.
func startTime() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// storedAre compares the last offsets of all entities of the slices, in any order.
func (c projectionCase[T]) storedAre(t *testing.T, what string, claim projection.Claim, want ...string) {
	t.Helper()
	got := []string{}
	for _, o := range c.offsets(t, claim) {
		got = append(got, fmt.Sprintf("%s:%d", o.PersistenceID, o.SeqNr))
	}
	same(t, what, got, want)
}

func (c projectionCase[T]) offsets(t *testing.T, claim projection.Claim) []projection.Offset {
	t.Helper()
	all, err := c.db.Offsets(t.Context(), claim, everything)
	must(t, err)
	return all
}

// newestAre compares those of the newest time.
func (c projectionCase[T]) newestAre(t *testing.T, what string, claim projection.Claim, at time.Time, want ...string) {
	t.Helper()
	got := []string{}
	for _, o := range c.offsets(t, claim) {
		if o.Time.Equal(at) {
			got = append(got, fmt.Sprintf("%s:%d", o.PersistenceID, o.SeqNr))
		} else if o.Time.After(at) {
			t.Fatalf("%s: %s:%d is later than %s: %s", what, o.PersistenceID, o.SeqNr, at, o.Time)
		}
	}
	same(t, what, got, want)
}

// same compares in any order.
func same[V cmp.Ordered](t *testing.T, what string, got, want []V) {
	t.Helper()
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// appendTo appends one event to each.
func (c projectionCase[T]) appendTo(t *testing.T, persistenceIDs ...string) {
	t.Helper()
	for _, id := range persistenceIDs {
		highest, err := c.db.HighestSeqNrs(t.Context(), []string{id})
		must(t, err)
		results, err := c.db.AppendGroup(t.Context(), []journal.Write{write(id, highest[0], "event")})
		must(t, err)
		must(t, results[0].Err)
	}
}

// now is a cursor that has passed everything.
func (c projectionCase[T]) now(t *testing.T) journal.Cursor {
	t.Helper()
	now, err := c.db.Now(t.Context(), journal.Events)
	must(t, err)
	return now
}

// readsOn compares what is read after a claim's cursor.
func (c projectionCase[T]) readsOn(t *testing.T, what string, claim projection.Claim, want ...string) {
	t.Helper()
	got := []string{}
	for q, more := (journal.Query{Slices: claim.Slices, After: claim.Cursor}), true; more; {
		page, err := c.db.Page(t.Context(), q)
		must(t, err)
		for _, e := range page.Events {
			got = append(got, fmt.Sprintf("%s:%d", e.PersistenceID, e.SeqNr))
		}
		q.After, more = page.Cursor, page.More
	}
	same(t, what, got, want)
}

// exec runs statements in a transaction.
func (c projectionCase[T]) exec(t *testing.T, statements ...string) {
	t.Helper()
	must(t, c.tryExec(t, statements...))
}

func (c projectionCase[T]) tryExec(t *testing.T, statements ...string) error {
	return c.db.Update(t.Context(), func(tx T) error {
		for _, s := range statements {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
}

// number is the result of a query.
func (c projectionCase[T]) number(t *testing.T, query string) (n int64) {
	t.Helper()
	must(t, c.db.Update(t.Context(), func(tx T) error { return tx.QueryRow(t.Context(), query).Scan(&n) }))
	return n
}
