package storagetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

func sagaTrimCases[T saga.Tx]() map[string]func(sagaCase[T], *testing.T) {
	return map[string]func(sagaCase[T], *testing.T){
		"the oldest first":        sagaCase[T].trimming,
		"spares what began again": sagaCase[T].trimmingSpares,
		"an id is free again":     sagaCase[T].trimmedID,
	}
}

func (c sagaCase[T]) trim(t *testing.T, name string, before time.Duration, limit int) int64 {
	t.Helper()
	n, err := c.db.TrimSagas(t.Context(), name, sagaEpoch.Add(before), limit)
	must(t, err)
	return n
}

func (c sagaCase[T]) trimming(t *testing.T) {
	var all []saga.Record
	for i, status := range []saga.Status{saga.Completed, saga.Compensated, saga.Resolved, saga.Completed, saga.Completed} {
		all = append(all, ended(sagaRecord(fmt.Sprint("e", i), 10-i), status, time.Duration(5-i)*time.Minute))
	}
	foreign := ended(sagaRecord("foreign", 0), saga.Completed, 0)
	foreign.Name = "another"
	all = append(all, foreign, sagaRecord("running", -100), ended(sagaRecord("review", -100), saga.NeedsReview, 0))
	c.insert(t, all...)
	equal(t, "of none", c.trim(t, theSaga, time.Hour, 0), 0)
	equal(t, "before the first end", c.trim(t, theSaga, time.Minute, 100), 0)
	equal(t, "of another name", c.trim(t, "nobody's", time.Hour, 100), 0)
	equal(t, "the two oldest", c.trim(t, theSaga, time.Hour, 2), 2)
	equal(t, "left", sagaIDs(c.load(t, "e0", "e1", "e2", "e3", "e4")), "e0 e1 e2")
	equal(t, "up to a time, which does not count", c.trim(t, theSaga, 4*time.Minute, 100), 1)
	equal(t, "all", c.trim(t, theSaga, time.Hour, 100), 2)
	equal(t, "left in the end", sagaIDs(c.load(t, "e0", "e1", "e2", "running", "review")), "review running")
	equal(t, "of the other name", c.trim(t, "another", time.Hour, 100), 1)
	if _, _, err := c.db.Saga(t.Context(), theSaga, "e0"); !errors.Is(err, saga.ErrNotFound) {
		t.Fatalf("trimmed: %v", err)
	}
}

func (c sagaCase[T]) trimmingSpares(t *testing.T) {
	a := ended(sagaRecord("a", 1), saga.Compensated, 0)
	c.insert(t, a)
	a = next(a)
	a.Status, a.Ended = saga.Compensating, time.Time{}
	c.save(t, a)
	equal(t, "trimmed", c.trim(t, theSaga, time.Hour, 10), 0)
	c.save(t, ended(a, saga.Compensated, 2*time.Hour))
	equal(t, "trimmed before its last end", c.trim(t, theSaga, time.Hour, 10), 0)
	equal(t, "trimmed after it", c.trim(t, theSaga, 3*time.Hour, 10), 1)
}

func (c sagaCase[T]) trimmedID(t *testing.T) {
	c.insert(t, ended(sagaRecord("a", 1), saga.Completed, 0))
	equal(t, "trimmed", c.trim(t, theSaga, time.Hour, 10), 1)
	c.insert(t, sagaRecord("a", 2))
	equal(t, "entries of the new one", len(c.timeline(t, "a")), 1)
}
