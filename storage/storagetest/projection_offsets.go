package storagetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

// The first of these, and of trimCases, are the facts of Pekko's
// R2dbcTimestampOffsetStoreSpec that concern what is stored; those about memory and
// validation are the runtime's.
func offsetCases[T ProjectionTx]() map[string]func(projectionCase[T], *testing.T) {
	type c = projectionCase[T]
	return map[string]func(c, *testing.T){
		"one entry":                        c.oneEntry,
		"several seen entries":             c.severalEntries,
		"the same timestamp":               c.sameTimestamp,
		"a batch":                          c.batch,
		"an earlier sequence number":       c.earlierSeqNr,
		"of given slices":                  c.ofSlices,
		"clear":                            c.clearOffsets,
		"newest first, up to the limit":    c.limited,
		"looked up by persistence id":      c.lookedUp,
		"several of an entity at once":     c.lastOfEntity,
		"the same event again":             c.sameEvent,
		"an entity that was forgotten":     c.forgottenEntity,
		"odd persistence ids":              c.oddOffsets,
		"a large transaction":              c.manyOffsets,
		"rolled back":                      c.offsetsRolledBack,
		"slices that are not the claim's":  c.foreignSlices,
		"projections are apart":            c.projectionsApart,
		"when they were consumed, and lag": c.consumed,
	}
}

const tick = time.Millisecond

func (c projectionCase[T]) oneEntry(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	c.saved(t, claim, nil, offsetOf("p1", 3, at))
	c.newestAre(t, "the first", claim, at, "p1:3")
	c.saved(t, claim, nil, offsetOf("p1", 4, at.Add(tick)))
	c.newestAre(t, "the next", claim, at.Add(tick), "p1:4")
	c.storedAre(t, "all", claim, "p1:4")
}

func (c projectionCase[T]) severalEntries(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	c.saved(t, claim, nil, offsetOf("p1", 3, at))
	c.saved(t, claim, nil, offsetOf("p3", 6, at.Add(tick)))
	c.newestAre(t, "the newest", claim, at.Add(tick), "p3:6")
	c.storedAre(t, "all", claim, "p1:3", "p3:6")
}

func (c projectionCase[T]) sameTimestamp(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	for _, o := range []projection.Offset{offsetOf("p1", 3, at), offsetOf("p2", 1, at), offsetOf("p3", 5, at)} {
		c.saved(t, claim, nil, o)
	}
	c.newestAre(t, "three", claim, at, "p1:3", "p2:1", "p3:5")
	c.saved(t, claim, nil, offsetOf("p2", 2, at))
	c.saved(t, claim, nil, offsetOf("p4", 9, at))
	c.newestAre(t, "all of them", claim, at, "p1:3", "p2:2", "p3:5", "p4:9")
	c.saved(t, claim, nil, offsetOf("p1", 4, at.Add(tick)))
	c.newestAre(t, "a later one", claim, at.Add(tick), "p1:4")
}

func (c projectionCase[T]) batch(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	at1, at2, at3, at4 := at, at.Add(tick), at.Add(2*tick), at.Add(3*tick)
	c.saved(t, claim, nil, offsetOf("p1", 3, at1), offsetOf("p2", 1, at1), offsetOf("p3", 5, at1), offsetOf("p5", 1, at2),
		offsetOf("p6", 6, at3), offsetOf("p1", 4, at4), offsetOf("p3", 6, at4), offsetOf("p4", 9, at4))
	c.newestAre(t, "the last of the batch", claim, at4, "p1:4", "p3:6", "p4:9")
	c.storedAre(t, "all", claim, "p1:4", "p2:1", "p3:6", "p4:9", "p5:1", "p6:6")
	c.saved(t, claim, nil, offsetOf("p1", 5, at.Add(4*tick)))
	c.saved(t, claim, nil, offsetOf("p1", 6, at.Add(5*tick)), offsetOf("p1", 7, at.Add(6*tick)), offsetOf("p1", 8, at.Add(7*tick)))
	c.newestAre(t, "the last of the second batch", claim, at.Add(7*tick), "p1:8")
	c.storedAre(t, "all", claim, "p1:8", "p2:1", "p3:6", "p4:9", "p5:1", "p6:6")
}

func (c projectionCase[T]) earlierSeqNr(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	c.saved(t, claim, nil, offsetOf("p1", 3, at))
	c.saved(t, claim, nil, offsetOf("p1", 2, at.Add(-tick)))
	c.newestAre(t, "it stays", claim, at, "p1:3")
	c.storedAre(t, "it stays", claim, "p1:3")
}

func (c projectionCase[T]) ofSlices(t *testing.T) {
	for id, slice := range map[string]int{"p1": 449, "p2": 450, "p10": 655, "p11": 656} {
		equal(t, "slice of "+id, journal.SliceOf(id), slice)
	}
	all, at := c.claimAll(t), startTime()
	for i, id := range []string{"p1", "p2", "p10", "p11"} {
		c.saved(t, all, nil, offsetOf(id, []int64{3, 4, 7, 5}[i], at.Add(time.Duration(i)*tick)))
	}
	low := c.claim(t, journal.SliceRange{Min: 0, Max: 511}, nil)
	c.storedAre(t, "0-511", low, "p1:3", "p2:4")
	c.storedAre(t, "512-1023", c.claim(t, journal.SliceRange{Min: 512, Max: 1023}, nil), "p10:7", "p11:5")
	c.storedAre(t, "450-655", c.claim(t, journal.SliceRange{Min: 450, Max: 655}, nil), "p2:4", "p10:7")
}

func (c projectionCase[T]) clearOffsets(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	c.saved(t, claim, nil, offsetOf("p1", 3, at), offsetOf("p2", 4, at.Add(tick)))
	must(t, c.db.Reset(t.Context(), theView, nil))
	c.storedAre(t, "none", claim)
}

func (c projectionCase[T]) limited(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	for i := range 9 {
		c.saved(t, claim, nil, offsetOf(fmt.Sprintf("p%d", i%5), int64(i), at.Add(time.Duration(i)*tick)))
	}
	got, err := c.db.Offsets(t.Context(), claim, 3)
	must(t, err)
	equal(t, "how many", len(got), 3)
	for i, want := range []string{"p3:8", "p2:7", "p1:6"} {
		equal(t, "in order", fmt.Sprintf("%s:%d", got[i].PersistenceID, got[i].SeqNr), want)
		equal(t, "slice", got[i].Slice, journal.SliceOf(got[i].PersistenceID))
		equal(t, "time", got[i].Time, at.Add(time.Duration(8-i)*tick))
	}
}

func (c projectionCase[T]) lookedUp(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	c.saved(t, claim, nil, offsetOf("p1", 3, at), offsetOf("p2", 8, at))
	c.saved(t, claim, nil, offsetOf("p1", 4, at.Add(tick)))
	got, err := c.db.OffsetsOf(t.Context(), claim, []string{"p9", "p2", "p1", "p2"})
	must(t, err)
	equal(t, "how many", len(got), 4)
	for i, want := range []projection.Offset{offsetOf("p9", 0, time.Time{}), offsetOf("p2", 8, at), offsetOf("p1", 4, at.Add(tick)), offsetOf("p2", 8, at)} {
		got[i].Consumed = time.Time{}
		equal(t, fmt.Sprint("place ", i), got[i], want)
	}
	got, err = c.db.OffsetsOf(t.Context(), claim, nil)
	must(t, err)
	equal(t, "of none", len(got), 0)
}

func (c projectionCase[T]) lastOfEntity(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	c.saved(t, claim, nil, offsetOf("p1", 5, at), offsetOf("p1", 4, at), offsetOf("p1", 6, at), offsetOf("p2", 1, at))
	c.storedAre(t, "the last of each", claim, "p1:6", "p2:1")
}

func (c projectionCase[T]) sameEvent(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	for range 2 {
		c.saved(t, claim, nil, offsetOf("p1", 5, at), offsetOf("p2", 7, at))
	}
	c.storedAre(t, "once", claim, "p1:5", "p2:7")
}

// forgottenEntity: its numbers begin again, its times do not.
func (c projectionCase[T]) forgottenEntity(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	c.saved(t, claim, nil, offsetOf("p1", 50, at))
	c.saved(t, claim, nil, offsetOf("p1", 1, at.Add(time.Second)))
	c.storedAre(t, "all", claim, "p1:1")
	got, err := c.db.OffsetsOf(t.Context(), claim, []string{"p1"})
	must(t, err)
	equal(t, "looked up", got[0].SeqNr, int64(1))
}

func (c projectionCase[T]) oddOffsets(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	ids := []string{"주문|서울-1", "cart|😀", `a|"b'\,{}`, "|", " ", strings.Repeat("é", 127)}
	var offsets []projection.Offset
	for i, id := range ids {
		offsets = append(offsets, offsetOf(id, int64(i+1), at))
	}
	c.saved(t, claim, nil, offsets...)
	got, err := c.db.OffsetsOf(t.Context(), claim, ids)
	must(t, err)
	for i, o := range got {
		equal(t, "offset of "+ids[i], o.SeqNr, int64(i+1))
	}
}

func (c projectionCase[T]) manyOffsets(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	const n = 5000
	var offsets []projection.Offset
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("many|%d", i))
		offsets = append(offsets, offsetOf(ids[i], int64(i+1), at))
	}
	c.saved(t, claim, nil, offsets...)
	equal(t, "all", len(c.offsets(t, claim)), n)
	got, err := c.db.OffsetsOf(t.Context(), claim, ids)
	must(t, err)
	for i, o := range got {
		equal(t, "looked up", o.SeqNr, int64(i+1))
	}
}

func (c projectionCase[T]) offsetsRolledBack(t *testing.T) {
	claim, at := c.claimAll(t), startTime()
	c.appendTo(t, "a|1")
	before := c.now(t)
	c.saved(t, claim, before, offsetOf("a|1", 1, at))
	c.appendTo(t, "a|1")
	err := c.db.Update(t.Context(), func(tx T) error {
		if err := tx.SaveOffsets(t.Context(), claim, []projection.Offset{offsetOf("a|1", 2, at.Add(tick))}, c.now(t)); err != nil {
			return err
		}
		return errors.New("given up")
	})
	if err == nil {
		t.Fatal("no error")
	}
	again := c.claimAll(t)
	c.storedAre(t, "the one before", again, "a|1:1")
	c.readsOn(t, "the cursor before", again, "a|1:2")
}

func (c projectionCase[T]) foreignSlices(t *testing.T) {
	claim, at := c.claim(t, journal.SliceRange{Min: 449, Max: 449}, nil), startTime()
	err := c.save(t.Context(), claim, nil, offsetOf("p1", 1, at), offsetOf("p2", 1, at))
	if err == nil || !strings.Contains(err.Error(), "p2") || c.db.Transient(err) {
		t.Fatalf("an offset of slice 450: %v, want an error that names it", err)
	}
	c.storedAre(t, "none", claim)
}

func (c projectionCase[T]) projectionsApart(t *testing.T) {
	one, at := c.claimAll(t), startTime()
	other := c.claimOf(t, "other", journal.AllSlices(), nil)
	c.saved(t, one, nil, offsetOf("p1", 3, at))
	c.saved(t, other, nil, offsetOf("p1", 7, at), offsetOf("p2", 1, at))
	c.storedAre(t, "the one's", one, "p1:3")
	c.storedAre(t, "the other's", other, "p1:7", "p2:1")
	must(t, c.db.Reset(t.Context(), "other", nil))
	c.saved(t, one, nil, offsetOf("p1", 4, at.Add(tick)))
	c.storedAre(t, "the one's", one, "p1:4")
}

// consumed is the database's time of the transaction.
func (c projectionCase[T]) consumed(t *testing.T) {
	ctx := t.Context()
	claim, at := c.claimAll(t), startTime().Add(-time.Hour)
	before, err := c.db.Time(ctx)
	must(t, err)
	c.saved(t, claim, nil, offsetOf("p1", 3, at.Add(-time.Minute)), offsetOf("p2", 1, at))
	after, err := c.db.Time(ctx)
	must(t, err)
	for _, o := range c.offsets(t, claim) {
		if o.Consumed.Before(before.Truncate(time.Millisecond)) || o.Consumed.After(after) {
			t.Fatalf("consumed at %s, not between %s and %s", o.Consumed, before, after)
		}
	}
	stored, err := c.db.Projections(ctx, theView)
	must(t, err)
	equal(t, "latest", stored[0].Latest, at)
	if lag := stored[0].Consumed.Sub(stored[0].Latest); lag < time.Hour-time.Minute || lag > 2*time.Hour {
		t.Fatalf("consumed %s after the event, want an hour", lag)
	}
	equal(t, "rows of the view of lags", c.number(t, "SELECT count(*) FROM pabal_projection_lag WHERE projection_name = 'view'"), 2)
}
