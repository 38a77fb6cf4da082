package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

func sagaRaceCases[T saga.Tx]() map[string]func(sagaCase[T], *testing.T) {
	return map[string]func(sagaCase[T], *testing.T){
		"a loaded saga is locked":            sagaCase[T].loadWaits,
		"an insert waits for the same":       func(c sagaCase[T], t *testing.T) { c.insertWaits(t, true) },
		"an insert waits for a rollback":     func(c sagaCase[T], t *testing.T) { c.insertWaits(t, false) },
		"what is due and locked is passed":   sagaCase[T].duePasses,
		"what is due is given out once":      sagaCase[T].dueOnce,
		"groups in any order never deadlock": sagaCase[T].countersRace,
		"inserts race":                       sagaCase[T].insertsRace,
		"trimming passes what is locked":     sagaCase[T].trimPasses,
	}
}

// held runs fn in a transaction that stays open until release is called, and returns
// when fn has returned.
func (c sagaCase[T]) held(t *testing.T, fn func(ctx context.Context, tx T) error, commit bool) (release func()) {
	t.Helper()
	entered, leave, left := make(chan error, 1), make(chan struct{}), make(chan error, 1)
	rollback := errors.New("rollback")
	go func() {
		left <- c.db.Update(t.Context(), func(tx T) error {
			err := fn(t.Context(), tx)
			entered <- err
			if err != nil {
				return err
			}
			<-leave
			if !commit {
				return rollback
			}
			return nil
		})
	}()
	if err := receive(t, "the transaction's work", entered); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		close(leave)
		if err := receive(t, "the transaction's end", left); (err == nil) != commit {
			t.Errorf("the transaction's end: %v", err)
		}
	})
	t.Cleanup(release)
	return release
}

// waits says that done is not closed soon, where it must not be before something else.
// A database that is slow passes, one that does not wait fails nearly always.
func waits[V any](t *testing.T, what string, done <-chan V) {
	t.Helper()
	select {
	case <-done:
		t.Fatalf("%s did not wait", what)
	case <-time.After(50 * time.Millisecond):
	}
}

func (c sagaCase[T]) loadWaits(t *testing.T) {
	a := sagaRecord("a", 1)
	c.insert(t, a, sagaRecord("b", 2))
	release := c.held(t, func(ctx context.Context, tx T) error {
		loaded, err := tx.LoadSagas(ctx, theSaga, []string{"a"})
		if err != nil {
			return err
		}
		return tx.SaveSagas(ctx, []saga.Record{next(loaded[0])})
	}, true)
	second := make(chan []saga.Record, 1)
	go func() {
		var loaded []saga.Record
		err := c.db.Update(t.Context(), func(tx T) (err error) {
			loaded, err = tx.LoadSagas(t.Context(), theSaga, []string{"b", "a"})
			return err
		})
		if err != nil {
			t.Error(err)
		}
		second <- loaded
	}()
	waits(t, "loading what another has loaded", second)
	// Who only reads does not wait.
	got, _, err := c.db.Saga(t.Context(), theSaga, "a")
	must(t, err)
	sameSagas(t, "read meanwhile", []saga.Record{got}, a)
	release()
	sameSagas(t, "loaded after the wait", receive(t, "the second load", second), next(a), sagaRecord("b", 2))
}

func (c sagaCase[T]) insertWaits(t *testing.T, commit bool) {
	mine, other := sagaRecord("a", 1), sagaRecord("a", 2)
	release := c.held(t, func(ctx context.Context, tx T) error {
		_, err := tx.InsertSagas(ctx, []saga.Record{other})
		return err
	}, commit)
	type result struct {
		inserted []bool
		loaded   []saga.Record
	}
	second := make(chan result, 1)
	go func() {
		var r result
		err := c.db.Update(t.Context(), func(tx T) (err error) {
			if r.inserted, err = tx.InsertSagas(t.Context(), []saga.Record{sagaRecord("b", 1), mine}); err != nil {
				return err
			}
			r.loaded, err = tx.LoadSagas(t.Context(), theSaga, []string{"a"})
			return err
		})
		if err != nil {
			t.Error(err)
		}
		second <- r
	}()
	waits(t, "inserting what another inserts", second)
	release()
	got := receive(t, "the second insert", second)
	equal(t, "the other saga is new", got.inserted[0], true)
	equal(t, "the saga is new", got.inserted[1], !commit)
	if commit {
		mine = other
	}
	sameSagas(t, "what it sees", got.loaded, mine)
}

// duePasses needs a database that lets several write.
func (c sagaCase[T]) duePasses(t *testing.T) {
	if c.oneWriter() {
		t.Skip("one transaction writes at a time")
	}
	for i := range 4 {
		c.insert(t, dueAt(sagaRecord(fmt.Sprint("s", i), i), time.Duration(i)*time.Second))
	}
	loaded := c.held(t, func(ctx context.Context, tx T) error {
		_, err := tx.LoadSagas(ctx, theSaga, []string{"s1"})
		return err
	}, true)
	equal(t, "due", sagaIDs(c.due(t, time.Hour, 2)), "s0 s2")
	due := c.held(t, func(ctx context.Context, tx T) error {
		_, err := tx.DueSagas(ctx, theSaga, sagaEpoch.Add(time.Hour), 1)
		return err
	}, true)
	equal(t, "due while two are locked", sagaIDs(c.due(t, time.Hour, 9)), "s2 s3")
	due()
	loaded()
	equal(t, "due in the end", sagaIDs(c.due(t, time.Hour, 9)), "s0 s1 s2 s3")
}

func (c sagaCase[T]) oneWriter() bool {
	s, ok := any(c.db).(interface{ SingleWriter() bool })
	return ok && s.SingleWriter()
}

// dueOnce: several fire timers, each of which is set again twice.
func (c sagaCase[T]) dueOnce(t *testing.T) {
	const sagas, workers, firings = 120, 4, 3
	var all []saga.Record
	for i := range sagas {
		all = append(all, dueAt(sagaRecord(fmt.Sprint("s", i), 0), time.Duration(i)*time.Millisecond))
	}
	c.insert(t, all...)
	var workersDone sync.WaitGroup
	for range workers {
		workersDone.Go(func() {
			for left := true; left && t.Context().Err() == nil; {
				err := c.db.Update(t.Context(), func(tx T) error {
					due, err := tx.DueSagas(t.Context(), theSaga, sagaEpoch.Add(time.Hour), 7)
					if left = len(due) > 0; err != nil || !left {
						return err
					}
					for i, r := range due {
						if due[i] = dueAt(next(r), time.Duration(r.Revision)*time.Minute); r.Revision >= firings {
							due[i] = ended(r, saga.Completed, 0)
						}
					}
					return tx.SaveSagas(t.Context(), due)
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workersDone.Wait()
	equal(t, "still due", sagaIDs(c.due(t, time.Hour, sagas)), "")
	for _, r := range all {
		got, entries, err := c.db.Saga(t.Context(), theSaga, r.ID)
		must(t, err)
		equal(t, "revision", got.Revision, 1+firings)
		equal(t, "status", got.Status, saga.Completed)
		equal(t, "entries", len(entries), 1+firings)
	}
}

// countersRace: each transaction adds to some counters. None gets lost, none is
// counted twice, and nobody is told to repeat.
func (c sagaCase[T]) countersRace(t *testing.T) {
	const sagas, workers, each = 12, 5, 30
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var all []saga.Record
	for i := range sagas {
		r := sagaRecord(fmt.Sprint("s", i), 0)
		r.State = json.RawMessage("0")
		all = append(all, r)
	}
	c.insert(t, all...)
	var mu sync.Mutex
	want := map[string]int{}
	var workersDone sync.WaitGroup
	for w := range workers {
		random := rand.New(rand.NewPCG(seed, uint64(w)))
		workersDone.Go(func() {
			for range each {
				var ids []string
				for range 1 + random.IntN(6) {
					ids = append(ids, fmt.Sprint("s", random.IntN(sagas)))
				}
				touched, err := c.increment(t.Context(), ids)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, id := range touched {
					want[id]++
				}
				mu.Unlock()
			}
		})
	}
	workersDone.Wait()
	for _, r := range all {
		got := c.load(t, r.ID)[0]
		equal(t, "the counter of "+r.ID, string(got.State), fmt.Sprint(want[r.ID]))
		equal(t, "its revision", got.Revision, int64(1+want[r.ID]))
		equal(t, "its entries", len(c.timeline(t, r.ID)), 1+want[r.ID])
	}
}

func (c sagaCase[T]) increment(ctx context.Context, ids []string) (touched []string, err error) {
	err = c.db.Update(ctx, func(tx T) error {
		touched = nil // of an earlier run, where the database repeats
		loaded, err := tx.LoadSagas(ctx, theSaga, ids)
		if err != nil {
			return err
		}
		for i, r := range loaded {
			var n int
			if err := json.Unmarshal(r.State, &n); err != nil {
				return err
			}
			loaded[i] = next(r)
			loaded[i].State = json.RawMessage(fmt.Sprint(n + 1))
			touched = append(touched, r.ID)
		}
		return tx.SaveSagas(ctx, loaded)
	})
	return touched, err
}

// insertsRace: of all who insert an id, one is told that it was new.
func (c sagaCase[T]) insertsRace(t *testing.T) {
	const ids, workers = 40, 5
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var mu sync.Mutex
	winners := map[string]int{}
	var workersDone sync.WaitGroup
	for w := range workers {
		order := rand.New(rand.NewPCG(seed, uint64(w))).Perm(ids)
		workersDone.Go(func() {
			for len(order) > 0 {
				n := min(8, len(order))
				var records []saga.Record
				for _, i := range order[:n] {
					r := sagaRecord(fmt.Sprint("s", i), i)
					r.Reason = fmt.Sprint("worker ", w)
					records = append(records, r)
				}
				order = order[n:]
				var inserted []bool
				err := c.db.Update(t.Context(), func(tx T) (err error) {
					inserted, err = tx.InsertSagas(t.Context(), records)
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for i, fresh := range inserted {
					if fresh {
						winners[records[i].ID+" "+records[i].Reason]++
					}
				}
				mu.Unlock()
			}
		})
	}
	workersDone.Wait()
	equal(t, "winners", len(winners), ids)
	for i := range ids {
		r := c.load(t, fmt.Sprint("s", i))[0]
		equal(t, "the stored one is the winner's", winners[r.ID+" "+r.Reason], 1)
		equal(t, "entries", len(c.timeline(t, r.ID)), 1)
	}
}

// trimPasses: one that is about to go on is not deleted, and not waited for.
func (c sagaCase[T]) trimPasses(t *testing.T) {
	if c.oneWriter() {
		t.Skip("one transaction writes at a time")
	}
	a, b := ended(sagaRecord("a", 1), saga.Compensated, 0), ended(sagaRecord("b", 2), saga.Compensated, 0)
	c.insert(t, a, b)
	release := c.held(t, func(ctx context.Context, tx T) error {
		loaded, err := tx.LoadSagas(ctx, theSaga, []string{"a"})
		if err != nil {
			return err
		}
		again := next(loaded[0])
		again.Status, again.Ended = saga.Compensating, time.Time{}
		return tx.SaveSagas(ctx, []saga.Record{again})
	}, true)
	equal(t, "trimmed", c.trim(t, theSaga, time.Hour, 10), 1)
	release()
	equal(t, "trimmed after it went on", c.trim(t, theSaga, time.Hour, 10), 0)
	equal(t, "left", strings.TrimSpace(sagaIDs(c.load(t, "a", "b"))), "a")
}
