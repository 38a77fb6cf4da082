package storagetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

func sagaDueCases[T saga.Tx]() map[string]func(sagaCase[T], *testing.T) {
	return map[string]func(sagaCase[T], *testing.T){
		"the earliest first":      sagaCase[T].dueOrder,
		"timers that move":        sagaCase[T].dueMoves,
		"random timers":           sagaCase[T].dueRandom,
		"the order survives them": sagaCase[T].dueStale,
	}
}

// nextDue is sagaEpoch or later; -1 is none.
func (c sagaCase[T]) nextDue(t *testing.T) time.Duration {
	t.Helper()
	at, err := c.db.NextDue(t.Context(), theSaga)
	must(t, err)
	if at.IsZero() {
		return -1
	}
	equal(t, "its place", at.Location(), time.UTC)
	return at.Sub(sagaEpoch)
}

func (c sagaCase[T]) dueOrder(t *testing.T) {
	var all []saga.Record
	for i, after := range []time.Duration{3 * time.Second, time.Second, time.Microsecond, 0, 2 * time.Second} {
		all = append(all, dueAt(sagaRecord(fmt.Sprint("s", i), i), after))
	}
	foreign := dueAt(sagaRecord("foreign", 0), -time.Hour)
	foreign.Name = "another"
	c.insert(t, append(all, foreign, sagaRecord("none", 0))...)
	equal(t, "the next", c.nextDue(t), 0)
	equal(t, "before all", sagaIDs(c.due(t, -time.Microsecond, 10)), "")
	sameSagas(t, "due to the microsecond", c.due(t, 0, 10), all[3])
	equal(t, "a microsecond later", sagaIDs(c.due(t, time.Microsecond, 10)), "s3 s2")
	equal(t, "limited", sagaIDs(c.due(t, time.Hour, 3)), "s3 s2 s1")
	equal(t, "all", sagaIDs(c.due(t, time.Hour, 10)), "s3 s2 s1 s4 s0")
	equal(t, "none wanted", sagaIDs(c.due(t, time.Hour, 0)), "")
	c.update(t, func(tx T) error {
		for _, name := range []string{"nobody's", "", "\xff", "nul\x00"} {
			if records, err := tx.DueSagas(t.Context(), name, sagaEpoch.Add(time.Hour), 10); err != nil || len(records) != 0 {
				t.Fatalf("of the name %q: %v, %v", name, records, err)
			}
		}
		return nil
	})
	for _, name := range []string{"nobody's", "", "\xff", "nul\x00"} {
		if at, err := c.db.NextDue(t.Context(), name); err != nil || !at.IsZero() {
			t.Fatalf("next of the name %q: %v, %v", name, at, err)
		}
	}
}

func (c sagaCase[T]) dueMoves(t *testing.T) {
	a := dueAt(sagaRecord("a", 1), time.Second)
	c.insert(t, a)
	a = dueAt(next(a), time.Hour) // later
	c.save(t, a)
	equal(t, "at the time it had", sagaIDs(c.due(t, time.Minute, 10)), "")
	equal(t, "the next is not before its time once that was looked at", c.nextDue(t), time.Hour)
	a = dueAt(next(a), time.Millisecond) // earlier
	c.save(t, a)
	equal(t, "next", c.nextDue(t), time.Millisecond)
	sameSagas(t, "at its time", c.due(t, time.Millisecond, 10), a)
	a = next(a)
	a.Due = time.Time{} // none
	c.save(t, a)
	equal(t, "none", c.nextDue(t), -1)
	equal(t, "without a timer", sagaIDs(c.due(t, time.Hour, 10)), "")
	a = dueAt(next(a), 0)
	c.save(t, a)
	equal(t, "again", c.nextDue(t), 0)
	c.save(t, ended(a, saga.Completed, 0))
	equal(t, "after the end", c.nextDue(t), -1)
	equal(t, "after the end", sagaIDs(c.due(t, time.Hour, 10)), "")
}

// dueStale: with a limit, those come first that are due first, whatever they were due
// before.
func (c sagaCase[T]) dueStale(t *testing.T) {
	var moved []saga.Record
	for i := range 6 {
		r := dueAt(sagaRecord(fmt.Sprint("m", i), i), time.Duration(i)*time.Second)
		c.insert(t, r)
		moved = append(moved, dueAt(next(r), time.Duration(100-i)*time.Second))
	}
	c.save(t, moved...)
	for i := range 4 {
		c.insert(t, dueAt(sagaRecord(fmt.Sprint("s", i), i), time.Duration(11+30*i)*time.Second))
	}
	equal(t, "one", sagaIDs(c.due(t, time.Hour, 1)), "s0")
	equal(t, "three", sagaIDs(c.due(t, time.Hour, 3)), "s0 s1 s2")
	equal(t, "six", sagaIDs(c.due(t, time.Hour, 6)), "s0 s1 s2 m5 m4 m3")
	equal(t, "all", sagaIDs(c.due(t, time.Hour, 20)), "s0 s1 s2 m5 m4 m3 m2 m1 m0 s3")
}

// dueRandom compares with a model.
func (c sagaCase[T]) dueRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	model := map[string]saga.Record{}
	var ids []string
	places := random.Perm(1_000_000) // no two are due at one time
	for n := range 400 {
		at := time.Duration(places[n]) * time.Second
		switch random.IntN(4) {
		case 0:
			r := dueAt(sagaRecord(fmt.Sprint("r", n), n), at)
			c.insert(t, r)
			model[r.ID], ids = r, append(ids, r.ID)
		case 1, 2:
			if len(ids) == 0 {
				continue
			}
			r := next(model[ids[random.IntN(len(ids))]])
			if r = dueAt(r, at); random.IntN(5) == 0 {
				r.Due = time.Time{}
			}
			if random.IntN(5) == 0 {
				r.Status = []saga.Status{saga.Running, saga.Compensating, saga.NeedsReview}[random.IntN(3)]
			}
			c.save(t, r)
			model[r.ID] = r
		case 3:
			limit := 1 + random.IntN(12)
			equal(t, fmt.Sprintf("%d due after %s", limit, at), sagaIDs(c.due(t, at, limit)), dueOf(model, at, limit))
			earliest := dueOf(model, 1_000_000*time.Second, 1)
			if next := c.nextDue(t); (next < 0) != (earliest == "") || earliest != "" && next > model[earliest].Due.Sub(sagaEpoch) {
				t.Fatalf("next is after %s, but saga %s is due at %s", next, earliest, model[earliest].Due)
			}
		}
	}
}

func dueOf(model map[string]saga.Record, after time.Duration, limit int) string {
	var due []saga.Record
	for _, r := range model {
		if !r.Due.IsZero() && !r.Due.After(sagaEpoch.Add(after)) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b saga.Record) int { return a.Due.Compare(b.Due) })
	return strings.TrimSpace(sagaIDs(due[:min(limit, len(due))]))
}
