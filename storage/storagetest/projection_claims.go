package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

func claimCases[T ProjectionTx]() map[string]func(projectionCase[T], *testing.T) {
	type c = projectionCase[T]
	return map[string]func(c, *testing.T){
		"the first begins at start":               c.firstClaims,
		"the cursor is where it was saved":        c.cursorSaved,
		"a later one fences":                      c.laterFences,
		"halves are apart":                        c.halves,
		"what is cut off keeps its cursor":        c.cutOff,
		"of two ranges the earlier cursor":        c.joined,
		"slices without a range begin at start":   c.partlyNew,
		"the same epoch is never given again":     c.epochs,
		"another source is refused":               c.otherSource,
		"slices that are none are refused":        c.noSlices,
		"a transaction under way is waited for":   c.claimWaits,
		"two at once do not keep each other out":  c.claimsAtOnce,
		"re-cut all the time, nothing done twice": c.recut,
	}
}

var (
	lowHalf  = journal.SliceRange{Min: 0, Max: 511}
	highHalf = journal.SliceRange{Min: 512, Max: 1023}
)

func (c projectionCase[T]) firstClaims(t *testing.T) {
	c.appendTo(t, "p1")
	c.readsOn(t, "from the beginning", c.claimAll(t), "p1:1")
	start := c.now(t)
	c.appendTo(t, "p1")
	c.readsOn(t, "from start", c.claimOf(t, "other", journal.AllSlices(), start), "p1:2")
	c.readsOn(t, "the first start is kept", c.claimOf(t, "other", journal.AllSlices(), c.now(t)), "p1:2")
}

func (c projectionCase[T]) cursorSaved(t *testing.T) {
	c.appendTo(t, "p1")
	claim := c.claimAll(t)
	c.saved(t, claim, c.now(t))
	c.appendTo(t, "p1")
	c.saved(t, claim, nil, offsetOf("p1", 2, startTime()))
	c.readsOn(t, "it stays without one", c.claimAll(t), "p1:2")
}

func (c projectionCase[T]) laterFences(t *testing.T) {
	old, at := c.claimAll(t), startTime()
	c.saved(t, old, nil, offsetOf("p1", 1, at))
	latest := c.claimAll(t)
	if latest.Epoch <= old.Epoch {
		t.Fatalf("epoch %d after %d", latest.Epoch, old.Epoch)
	}
	isFencedOff(t, "checking", c.save(t.Context(), old, nil))
	isFencedOff(t, "saving", c.save(t.Context(), old, c.now(t), offsetOf("p1", 2, at.Add(tick))))
	c.exec(t, "CREATE TABLE effect (id BIGINT PRIMARY KEY)")
	isFencedOff(t, "a transaction with effects", c.db.Update(t.Context(), func(tx T) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO effect VALUES (1)"); err != nil {
			return err
		}
		return tx.SaveOffsets(t.Context(), old, nil, nil)
	}))
	equal(t, "effects", c.number(t, "SELECT count(*) FROM effect"), 0)
	c.saved(t, latest, nil, offsetOf("p2", 1, at))
	c.storedAre(t, "offsets", latest, "p1:1", "p2:1")
}

func (c projectionCase[T]) halves(t *testing.T) {
	low, high, at := c.claim(t, lowHalf, nil), c.claim(t, highHalf, nil), startTime()
	c.saved(t, low, nil, offsetOf("p1", 1, at))
	c.saved(t, high, nil, offsetOf("p10", 1, at))
	c.storedAre(t, "low", low, "p1:1")
	c.storedAre(t, "high", high, "p10:1")
}

func (c projectionCase[T]) cutOff(t *testing.T) {
	c.appendTo(t, "p1", "p500", "p92")
	all := c.claimAll(t)
	c.saved(t, all, c.now(t))
	c.appendTo(t, "p1", "p500", "p92")
	middle := c.claim(t, journal.SliceRange{Min: 600, Max: 700}, nil)
	c.readsOn(t, "the middle", middle, "p500:2")
	isFencedOff(t, "the whole", c.save(t.Context(), all, nil))
	c.saved(t, middle, c.now(t))
	c.rangesAre(t, "0-599", "600-700", "701-1023")
	c.readsOn(t, "what was before", c.claim(t, journal.SliceRange{Min: 0, Max: 599}, nil), "p1:2")
	c.readsOn(t, "a part of what was after", c.claim(t, journal.SliceRange{Min: 800, Max: 1023}, nil), "p92:2")
	c.rangesAre(t, "0-599", "600-700", "701-799", "800-1023")
	c.saved(t, middle, nil)
	c.readsOn(t, "the middle", c.claim(t, journal.SliceRange{Min: 645, Max: 645}, nil))
	isFencedOff(t, "the middle", c.save(t.Context(), middle, nil))
}

func (c projectionCase[T]) rangesAre(t *testing.T, want ...string) {
	t.Helper()
	stored, err := c.db.Projections(t.Context(), theView)
	must(t, err)
	var got []string
	for _, r := range stored[0].Ranges {
		got = append(got, r.Slices.String())
	}
	equal(t, "ranges", strings.Join(got, " "), strings.Join(want, " "))
}

// joined: whatever either has still to read is read.
func (c projectionCase[T]) joined(t *testing.T) {
	low, high := c.claim(t, lowHalf, nil), c.claim(t, highHalf, nil)
	c.appendTo(t, "p1", "p10")
	early := c.now(t)
	c.appendTo(t, "p1", "p10")
	c.saved(t, low, early)
	c.saved(t, high, c.now(t))
	c.appendTo(t, "p1", "p10")
	c.readsOn(t, "all", c.claimAll(t), "p1:2", "p1:3", "p10:2", "p10:3")
}

func (c projectionCase[T]) partlyNew(t *testing.T) {
	c.appendTo(t, "p1", "p10")
	start := c.now(t)
	c.appendTo(t, "p1", "p10")
	low := c.claim(t, lowHalf, nil)
	c.saved(t, low, c.now(t))
	c.appendTo(t, "p1", "p10")
	c.readsOn(t, "from start", c.claim(t, journal.AllSlices(), start), "p1:2", "p1:3", "p10:2", "p10:3")
}

func (c projectionCase[T]) epochs(t *testing.T) {
	seen := map[int64]bool{}
	take := func(r journal.SliceRange) {
		claim := c.claim(t, r, nil)
		if seen[claim.Epoch] {
			t.Fatalf("epoch %d again", claim.Epoch)
		}
		seen[claim.Epoch] = true
	}
	for range 2 {
		take(journal.AllSlices())
		take(highHalf)
		take(lowHalf)
		must(t, c.db.Forget(t.Context(), theView))
	}
}

func (c projectionCase[T]) otherSource(t *testing.T) {
	claim := c.claimAll(t)
	_, err := c.db.ClaimSlices(t.Context(), theView, "states", lowHalf, nil)
	if err == nil || !strings.Contains(err.Error(), theSource) || c.db.Transient(err) {
		t.Fatalf("claim for another source: %v, want an error that names the one there is", err)
	}
	c.saved(t, claim, nil)
	must(t, c.db.Forget(t.Context(), theView))
	_, err = c.db.ClaimSlices(t.Context(), theView, "states", lowHalf, nil)
	must(t, err)
}

func (c projectionCase[T]) noSlices(t *testing.T) {
	for _, r := range []journal.SliceRange{{Min: -1, Max: 4}, {Min: 0, Max: 1024}, {Min: 5, Max: 4}} {
		if _, err := c.db.ClaimSlices(t.Context(), theView, theSource, r, nil); err == nil || c.db.Transient(err) {
			t.Fatalf("slices %s: %v", r, err)
		}
	}
}

// claimWaits: a transaction of the old claim is waited for, or fails, never both.
func (c projectionCase[T]) claimWaits(t *testing.T) {
	c.afterTransaction(t, "a claim", func(ctx context.Context) error {
		_, err := c.db.ClaimSlices(ctx, theView, theSource, journal.SliceRange{Min: 400, Max: 600}, nil)
		return err
	})
}

// afterTransaction does something that fences while a worker's transaction is
// open. Where that commits, the other thing waited for it, and the effects are
// there when it is done.
func (c projectionCase[T]) afterTransaction(t *testing.T, what string, fence func(context.Context) error) {
	t.Helper()
	c.exec(t, "CREATE TABLE effect (id BIGINT PRIMARY KEY)")
	old := c.claimAll(t)
	saved, proceed, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		var once sync.Once
		ended <- c.db.Update(t.Context(), func(tx T) error {
			if err := tx.SaveOffsets(t.Context(), old, []projection.Offset{offsetOf("p1", 1, startTime())}, nil); err != nil {
				return err
			}
			once.Do(func() { close(saved) })
			<-proceed
			_, err := tx.Exec(t.Context(), "INSERT INTO effect VALUES (1)")
			return err
		})
	}()
	receive(t, "the worker's transaction", saved)
	fenced := make(chan error, 1)
	go func() { fenced <- fence(t.Context()) }()
	early := false
	var fenceErr error
	select {
	case fenceErr = <-fenced:
		early = true
	case <-time.After(100 * time.Millisecond): // it has had its chance
	}
	close(proceed)
	err := receive(t, "the end of the worker's transaction", ended)
	if !early {
		fenceErr = receive(t, what, fenced)
	}
	must(t, fenceErr)
	if err == nil && early {
		t.Fatalf("%s did not wait for the transaction that committed after it", what)
	}
	isFencedOff(t, "the old claim after "+what, c.save(t.Context(), old, nil))
}

// claimsAtOnce: all come through, and each slice has one owner in the end.
func (c projectionCase[T]) claimsAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cuts := []journal.SliceRange{journal.AllSlices(), lowHalf, highHalf, {Min: 300, Max: 800}, {Min: 511, Max: 512}, {Min: 0, Max: 0}}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 12 {
				if _, err := c.db.ClaimSlices(ctx, theView, theSource, cuts[(worker+i)%len(cuts)], nil); err != nil {
					t.Errorf("claim of %s: %v", cuts[(worker+i)%len(cuts)], err)
				}
			}
		})
	}
	all.Wait()
	stored, err := c.db.Projections(ctx, theView)
	must(t, err)
	next := 0
	for _, r := range stored[0].Ranges {
		equal(t, "the range after slice "+fmt.Sprint(next-1), r.Slices.Min, next)
		next = r.Slices.Max + 1
	}
	equal(t, "slices with a range", next, journal.Slices)
}

// recut: whatever the claims, no two transactions handle the same event.
func (c projectionCase[T]) recut(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cuts := []journal.SliceRange{journal.AllSlices(), lowHalf, {Min: 449, Max: 449}, {Min: 300, Max: 800}}
	var all sync.WaitGroup
	var mu sync.Mutex
	taken := map[int64]bool{}
	for worker := range 4 {
		all.Go(func() {
			for i := range 15 {
				n, err := c.handleNext(ctx, cuts[(worker+i)%len(cuts)])
				mu.Lock()
				if err == nil && taken[n] {
					t.Errorf("event %d was handled twice", n)
				}
				if err == nil {
					taken[n] = true
				}
				mu.Unlock()
				if err != nil && !errors.Is(err, projection.ErrFenced) && !c.db.Transient(err) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(taken) == 0 {
		t.Fatal("nobody handled anything")
	}
	c.storedAre(t, "in the end", c.claimAll(t), fmt.Sprintf("p1:%d", len(taken)))
}

// handleNext claims, and handles the event of p1 that comes next as far as it
// knows.
func (c projectionCase[T]) handleNext(ctx context.Context, r journal.SliceRange) (int64, error) {
	claim, err := c.db.ClaimSlices(ctx, theView, theSource, r, nil)
	if err != nil {
		return 0, err
	}
	last, err := c.db.OffsetsOf(ctx, claim, []string{"p1"})
	if err != nil {
		return 0, err
	}
	n := last[0].SeqNr + 1
	return n, c.save(ctx, claim, nil, offsetOf("p1", n, time.Unix(n, 0)))
}
