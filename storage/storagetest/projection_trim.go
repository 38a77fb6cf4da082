package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

func trimCases[T ProjectionTx]() map[string]func(projectionCase[T], *testing.T) {
	type c = projectionCase[T]
	return map[string]func(c, *testing.T){
		"delete old": c.trimOld,
		"delete old, but keep the latest of a slice": c.trimKeepsLatest,
		"delete many old":                      c.trimMany,
		"delete old periodically":              c.trimAgain,
		"what the cursor has not passed stays": c.trimUnread,
		"what no cursor has passed stays":      c.trimNothingRead,
		"the slowest range decides":            c.trimSlowest,
		"only of the claim's slices":           c.trimSlices,
	}
}

// longAgo is before what any reader reads again.
func longAgo() time.Time { return startTime().Add(-time.Hour) }

// window is how long offsets are kept in these cases.
const window = 100 * time.Second

// passing is a claim of all slices whose cursor has passed everything.
func (c projectionCase[T]) passing(t *testing.T) projection.Claim {
	claim := c.claimAll(t)
	c.saved(t, claim, c.now(t))
	return claim
}

func (c projectionCase[T]) trimmed(t *testing.T, claim projection.Claim, before time.Time, want int64) {
	t.Helper()
	n, err := c.db.TrimOffsets(t.Context(), claim, before)
	must(t, err)
	equal(t, "deleted", n, want)
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// Of one slice, 645, where nothing else is said.
var sliceMates = []string{"p500", "p621", "p742", "p863", "p984", "p3080", "p4290", "p20180"}

func (c projectionCase[T]) trimOld(t *testing.T) {
	c.trimSpec(t, sliceMates, 3, "p863:1", "p984:1", "p3080:1", "p4290:1", "p20180:1")
}

func (c projectionCase[T]) trimKeepsLatest(t *testing.T) {
	ids := []string{"p500", "p92", "p108", "p863", "p984", "p3080", "p4290", "p20180"}
	equal(t, "slice of p92", journal.SliceOf("p92"), 905)
	equal(t, "slice of p108", journal.SliceOf("p108"), 905)
	c.trimSpec(t, ids, 2, "p108:1", "p863:1", "p984:1", "p3080:1", "p4290:1", "p20180:1")
}

func (c projectionCase[T]) trimSpec(t *testing.T, ids []string, deleted int64, left ...string) {
	for _, id := range sliceMates {
		equal(t, "slice of "+id, journal.SliceOf(id), 645)
	}
	claim, start := c.passing(t), longAgo()
	save := func(i int, after time.Duration) { c.saved(t, claim, nil, offsetOf(ids[i], 1, start.Add(after))) }
	for i := range 4 {
		save(i, seconds(i))
	}
	c.trimmed(t, claim, start.Add(seconds(3)-window), 0)
	equal(t, "all are there", len(c.offsets(t, claim)), 4)
	save(4, window-seconds(2))
	save(5, window-seconds(1))
	c.trimmed(t, claim, start.Add(-seconds(1)), 0)
	equal(t, "all are there", len(c.offsets(t, claim)), 6)
	save(6, window+seconds(1))
	save(7, window+seconds(3))
	c.trimmed(t, claim, start.Add(seconds(3)), deleted)
	c.storedAre(t, "left", claim, left...)
}

// trimMany: every slice that was ever written to keeps a row.
func (c projectionCase[T]) trimMany(t *testing.T) {
	claim, start := c.passing(t), longAgo()
	stored := map[int]bool{}
	for m := range 50 {
		var offsets []projection.Offset
		for n := range 100 {
			o := offsetOf(fmt.Sprintf("p%d-%d", m, n), 1, start.Add(time.Duration(100*m+n)*time.Millisecond))
			offsets = append(offsets, o)
			stored[o.Slice] = true
		}
		c.saved(t, claim, nil, offsets...)
		if m%10 == 9 {
			_, err := c.db.TrimOffsets(t.Context(), claim, start.Add(time.Duration(100*m)*time.Millisecond))
			must(t, err)
		}
	}
	left := c.offsets(t, claim)
	if len(left) > len(stored)+200 {
		t.Fatalf("%d offsets are left of %d slices", len(left), len(stored))
	}
	for _, o := range left {
		delete(stored, o.Slice)
	}
	equal(t, "slices without an offset", len(stored), 0)
}

func (c projectionCase[T]) trimAgain(t *testing.T) {
	claim, start := c.passing(t), longAgo()
	c.saved(t, claim, nil, offsetOf("p500", 1, start))
	at := start.Add(window + seconds(1))
	c.saved(t, claim, nil, offsetOf("p621", 1, at))
	c.trimmed(t, claim, at.Add(-window), 1)
	c.storedAre(t, "left", claim, "p621:1")
	at = start.Add(2*window + seconds(2))
	c.saved(t, claim, nil, offsetOf("p742", 1, at))
	c.trimmed(t, claim, at.Add(-window), 1)
	c.storedAre(t, "left", claim, "p742:1")
}

func (c projectionCase[T]) trimUnread(t *testing.T) {
	claim, start := c.passing(t), longAgo()
	c.appendTo(t, "p500")
	c.saved(t, claim, nil, offsetOf("p500", 1, start), offsetOf("p621", 1, start), offsetOf("p742", 1, start.Add(seconds(1))))
	c.trimmed(t, claim, start.Add(window), 1)
	c.storedAre(t, "the one that was not passed, the latest", claim, "p500:1", "p742:1")
	c.saved(t, claim, c.now(t))
	c.trimmed(t, claim, start.Add(window), 1)
	c.storedAre(t, "once it was passed", claim, "p742:1")
}

func (c projectionCase[T]) trimNothingRead(t *testing.T) {
	claim, start := c.claimAll(t), longAgo()
	c.appendTo(t, "p500", "p621")
	c.saved(t, claim, nil, offsetOf("p500", 1, start), offsetOf("p621", 1, start.Add(seconds(1))))
	c.trimmed(t, claim, start.Add(window), 0)
	c.storedAre(t, "all", claim, "p500:1", "p621:1")
}

func (c projectionCase[T]) trimSlowest(t *testing.T) {
	c.passing(t)
	start := longAgo()
	other := c.claim(t, journal.SliceRange{Min: 0, Max: 511}, nil)
	mine := c.claim(t, journal.SliceRange{Min: 512, Max: 1023}, nil)
	c.appendTo(t, "p500")
	passed := c.now(t)
	c.saved(t, mine, passed, offsetOf("p500", 1, start), offsetOf("p621", 1, start.Add(seconds(1))))
	c.trimmed(t, mine, start.Add(window), 0)
	c.saved(t, other, passed)
	c.trimmed(t, mine, start.Add(window), 1)
	c.storedAre(t, "left", mine, "p621:1")
}

func (c projectionCase[T]) trimSlices(t *testing.T) {
	all, start := c.passing(t), longAgo()
	c.saved(t, all, nil, offsetOf("p500", 1, start), offsetOf("p92", 1, start))
	c.saved(t, all, nil, offsetOf("p621", 1, start.Add(seconds(1))), offsetOf("p108", 1, start.Add(seconds(1))))
	mine := c.claim(t, journal.SliceRange{Min: 600, Max: 700}, nil)
	c.trimmed(t, mine, start.Add(window), 1)
	c.storedAre(t, "left", c.claimAll(t), "p621:1", "p92:1", "p108:1")
}
