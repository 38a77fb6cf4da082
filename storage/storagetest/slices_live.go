package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

func sortedEqual(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	equalSlices(t, what, got, want)
}

// now: what is committed later comes after it, the rest does not.
func (c slicesCase[T]) now(t *testing.T) {
	for _, before := range []int{0, 3} {
		c.fill(t, fmt.Sprint("before|", before), before)
		cursor, err := c.db.Now(t.Context(), journal.Events)
		must(t, err)
		r := c.reader(journal.Query{After: cursor})
		r.comes(t)
		id := fmt.Sprint("after|", before)
		c.fill(t, id, 2)
		r.comes(t, id+"/1", id+"/2")
	}
	c.states(t, "d|1", "x")
	cursor, err := c.db.Now(t.Context(), journal.States)
	must(t, err)
	r := c.reader(journal.Query{Kind: journal.States, After: cursor})
	r.comes(t)
	c.states(t, "d|2", "x")
	r.comes(t, "d|2/1")
}

func (c slicesCase[T]) ahead(t *testing.T) {
	r := c.reader(journal.Query{Limit: 4})
	isAhead := func(q journal.Query, limit, want int) {
		t.Helper()
		n, err := c.db.Ahead(t.Context(), q, limit)
		must(t, err)
		equal(t, "ahead", n, want)
	}
	isAhead(r.q, 100, 0)
	c.fill(t, "p1", 6)
	c.fill(t, "b|1", 4)
	isAhead(r.q, 100, 10)
	isAhead(r.q, 7, 7)
	isAhead(journal.Query{Slices: journal.AllSlices(), EntityType: "b"}, 100, 4)
	isAhead(journal.Query{Slices: journal.SliceRange{Min: 449, Max: 449}}, 100, 6)
	isAhead(journal.Query{Slices: journal.AllSlices(), Tag: "none"}, 100, 0)
	r.page(t)
	isAhead(r.q, 100, 6)
	r.rest(t)
	isAhead(r.q, 100, 0)
}

func (c slicesCase[T]) statesBySlices(t *testing.T) {
	states := c.reader(journal.Query{Kind: journal.States})
	states.comes(t)
	c.fill(t, "a|1", 1)
	c.writeState(t, tagged(stateOf("d|1", 1, "one"), "red"))
	c.states(t, "e|2", "one")
	states.comes(t, "d|1/1", "e|2/1")
	c.writeState(t, stateOf("d|1", 2, "two"))
	c.writeState(t, stateOf("d|1", 3, "three"))
	states.comes(t, "d|1/3")
	c.reader(journal.Query{Kind: journal.States}).comes(t, "d|1/3", "e|2/1")
	c.reader(journal.Query{Kind: journal.States, EntityType: "e"}).comes(t, "e|2/1")
	c.reader(journal.Query{Kind: journal.States, Tag: "red"}).comes(t)
	c.writeState(t, deleted("d|1", 4))
	got := states.rest(t)
	want, _, err := c.db.LoadState(t.Context(), "d|1")
	must(t, err)
	if len(got) != 1 || !got[0].Deleted {
		t.Fatalf("after a delete: %+v", got)
	}
	sameJSON(t, "the deleted state", got[0], want)
	c.writeState(t, gone("e|2", 2))
	states.comes(t)
}

func (c slicesCase[T]) statesPaged(t *testing.T) {
	var want []string
	for i := range 7 {
		id := fmt.Sprint("d|", i)
		c.states(t, id, "one")
		want = append(want, id+"/1")
	}
	r := c.reader(journal.Query{Kind: journal.States, Limit: 2})
	first := r.page(t)
	c.writeState(t, stateOf("d|6", 2, "two"))
	want[6] = "d|6/2"
	sortedEqual(t, "states", labels(append(first.Events, r.rest(t)...)), want)
}

// concurrent: writers that roll back at times; readers of different cuts see every
// event once, each entity's in order.
func (c slicesCase[T]) concurrent(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	const writers, each = 8, 25
	var work sync.WaitGroup
	for w := range writers {
		random := rand.New(rand.NewPCG(seed, uint64(w)))
		work.Go(func() {
			for n := range each {
				if err := c.writeOrNot(t.Context(), random, fmt.Sprint("w|", w), int64(n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() { work.Wait(); close(finished) }()
	var readers sync.WaitGroup
	for n, ranges := range [][]journal.SliceRange{journal.SliceRanges(1), journal.SliceRanges(3)} {
		for _, slices := range ranges {
			readers.Go(func() {
				r := c.reader(journal.Query{Slices: slices, Limit: 3 + 10*n})
				var all []journal.Event
				for ended := false; !ended; {
					select {
					case <-finished:
						ended = true
					default:
					}
					p, err := drain(t.Context(), r)
					if err != nil {
						t.Error(err)
						return
					}
					all = append(all, p...)
				}
				checkAll(t, all, slices, writers, each)
			})
		}
	}
	readers.Wait()
	work.Wait()
}

func drain(ctx context.Context, r *sliceReader) (all []journal.Event, err error) {
	for {
		p, err := r.from.Page(ctx, r.q)
		if err != nil {
			return nil, err
		}
		r.q.After = p.Cursor
		all = append(all, p.Events...)
		if !p.More {
			return all, nil
		}
	}
}

func checkAll(t *testing.T, all []journal.Event, slices journal.SliceRange, writers, each int) {
	next := map[string]int64{}
	for _, e := range all {
		if next[e.PersistenceID]++; next[e.PersistenceID] != e.SeqNr {
			t.Errorf("slices %s: %s/%d where %d is next", slices, e.PersistenceID, e.SeqNr, next[e.PersistenceID])
		}
	}
	for w := range writers {
		id := fmt.Sprint("w|", w)
		want := 0
		if slices.Contains(journal.SliceOf(id)) {
			want = each
		}
		if got := int(next[id]); got != want {
			t.Errorf("slices %s: %d events of %s, want %d", slices, got, id, want)
		}
	}
}

// writeOrNot appends event n+1 in the end, after it may have rolled back.
func (c slicesCase[T]) writeOrNot(ctx context.Context, random *rand.Rand, id string, n int64) error {
	for {
		rollback := random.IntN(4) == 0
		err := c.db.Update(ctx, func(tx T) error {
			if _, err := tx.AppendEvents(ctx, []journal.Write{write(id, n, "x")}); err != nil || !rollback {
				return err
			}
			return errRollback
		})
		if err == nil || !errors.Is(err, errRollback) && !c.db.Transient(err) {
			return err
		}
	}
}

// openTransaction: one that appended and stays open holds up no other where the
// database has several writers, and its events come when it has ended.
func (c slicesCase[T]) openTransaction(t *testing.T) {
	if s, ok := any(c.db).(interface{ SingleWriter() bool }); ok && s.SingleWriter() {
		return // nothing else is written meanwhile
	}
	r := c.reader(journal.Query{})
	opened, end := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- c.db.Update(context.WithoutCancel(t.Context()), func(tx T) error {
			_, err := tx.AppendEvents(t.Context(), []journal.Write{write("slow|1", 0, "1")})
			close(opened)
			<-end
			return err
		})
	}()
	receive(t, "the slow transaction", opened)
	c.fill(t, "quick|1", 2)
	var got []string
	eventually(t, "events of others", func() bool {
		got = append(got, labels(r.rest(t))...)
		return slices.Contains(got, "quick|1/2")
	})
	if slices.Contains(got, "slow|1/1") {
		t.Fatal("an event that is not committed was read")
	}
	close(end)
	must(t, receive(t, "the end of the slow transaction", done))
	got = append(got, labels(r.rest(t))...)
	if !slices.Contains(got, "slow|1/1") {
		t.Fatal("the late event was missed")
	}
}

// woken: whoever looks after each wake-up sees every event, without polling.
func (c slicesCase[T]) woken(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	wake, done := c.db.Appends(ctx)
	r := c.reader(journal.Query{})
	const writers, each = 4, 10
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			for n := range each {
				results, err := c.db.AppendGroup(ctx, []journal.Write{write(fmt.Sprint("w|", w), int64(n), "x")})
				if err = errors.Join(err, resultError(results)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for seen := 0; seen < writers*each; seen += len(r.rest(t)) {
		receive(t, "a wake-up while events are missing", wake)
	}
	work.Wait()
	states := c.reader(journal.Query{Kind: journal.States})
	c.states(t, "d|1", "one")
	for seen := 0; seen < 1; seen += len(states.rest(t)) {
		receive(t, "a wake-up for a state", wake)
	}
	must(t, c.db.Update(ctx, func(tx T) error {
		_, err := tx.AppendEvents(ctx, []journal.Write{write("tx|1", 0, "x")})
		return err
	}))
	for seen := 0; seen < 1; seen += len(r.rest(t)) {
		receive(t, "a wake-up for a transaction of the user", wake)
	}
	cancel()
	receive(t, "the end of the wake-ups", done)
}

func resultError(results []journal.Result) error {
	for _, r := range results {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

func (c slicesCase[T]) wakeupsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, done := c.db.Appends(ctx)
	_, other := c.db.Wakeups(ctx)
	select {
	case <-done:
		t.Fatal("ended before its context")
	default:
	}
	cancel()
	receive(t, "the end of the wake-ups", done)
	receive(t, "the end of the relay's wake-ups", other)
	c.fill(t, "a|1", 1)
}

// passed: what a reader at the cursor will not see again.
func (c slicesCase[T]) passed(t *testing.T) {
	placer, ok := any(c.db).(journal.Placer)
	if !ok {
		return // its order is always that of the numbers
	}
	c.fill(t, "a|1", 3)
	r := c.reader(journal.Query{})
	isPassed := func(what string, upTo int64, want ...int64) {
		t.Helper()
		got, err := placer.Passed(t.Context(), r.q.After, []string{"a|1", "none|1"}, []int64{upTo, 5})
		must(t, err)
		equalSlices(t, what, got, append(want, 0))
	}
	isPassed("by nothing", 9, 0)
	r.rest(t)
	isPassed("by the first", 9, 3)
	isPassed("up to 2", 2, 2)
	c.append(t, write("a|1", 3, "4"))
	isPassed("by the same", 9, 3)
	r.rest(t)
	isPassed("by the next", 9, 4)
	_, err := c.db.DeleteEvents(t.Context(), "a|1", 4, false)
	must(t, err)
	isPassed("where all were deleted", 9, 4)
}
