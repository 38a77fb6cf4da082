package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

func managementCases[T ProjectionTx]() map[string]func(projectionCase[T], *testing.T) {
	type c = projectionCase[T]
	return map[string]func(c, *testing.T){
		"paused and resumed":             c.pausedAndResumed,
		"paused by a row of Pekko's":     c.pausedByRow,
		"workers alive":                  c.beats,
		"workers whose time has run out": c.beatsExpire,
		"list":                           c.list,
		"reset":                          c.reset,
		"reset after a cursor":           c.resetAfter,
		"reset waits for transactions":   c.resetWaits,
		"forget":                         c.forget,
		"forget waits for transactions":  c.forgetWaits,
		"what is not there":              c.unknown,
	}
}

func (c projectionCase[T]) pausedIs(t *testing.T, what string, r journal.SliceRange, want bool) {
	t.Helper()
	got, err := c.db.Paused(t.Context(), theView, r)
	must(t, err)
	equal(t, what+": paused "+r.String(), got, want)
}

func (c projectionCase[T]) pausedAndResumed(t *testing.T) {
	c.pausedIs(t, "at first", journal.AllSlices(), false)
	c.saved(t, c.claim(t, lowHalf, nil), nil, offsetOf("p1", 1, startTime()))
	must(t, c.db.SetPaused(t.Context(), theView, true))
	for _, r := range []journal.SliceRange{lowHalf, highHalf, {Min: 7, Max: 7}} {
		c.pausedIs(t, "paused", r, true)
	}
	for _, key := range []string{"0-511", "0-1023"} {
		equal(t, "rows of "+key, c.number(t, "SELECT count(*) FROM projection_management WHERE projection_key = '"+key+"' AND paused"), 1)
	}
	paused, err := c.db.Paused(t.Context(), "other", lowHalf)
	must(t, err)
	equal(t, "another is paused", paused, false)
	must(t, c.db.SetPaused(t.Context(), theView, false))
	c.pausedIs(t, "resumed", lowHalf, false)
	c.pausedIs(t, "resumed", journal.AllSlices(), false)
}

func (c projectionCase[T]) pausedByRow(t *testing.T) {
	c.exec(t, "INSERT INTO projection_management VALUES ('view', '256-511', true, 1), ('view', '512-767', false, 1)")
	c.pausedIs(t, "its range", journal.SliceRange{Min: 500, Max: 600}, true)
	c.pausedIs(t, "another range", highHalf, false)
	c.exec(t, "INSERT INTO projection_management VALUES ('view', 'some key', true, 1)")
	c.pausedIs(t, "a key that is no range", highHalf, true)
	must(t, c.db.SetPaused(t.Context(), theView, false))
	c.pausedIs(t, "resumed", journal.AllSlices(), false)
}

func (c projectionCase[T]) beat(t *testing.T, worker string, ttl time.Duration, want ...string) {
	t.Helper()
	got, err := c.db.Beat(t.Context(), theView, worker, ttl)
	must(t, err)
	equal(t, "alive after the beat of "+worker, strings.Join(got, " "), strings.Join(want, " "))
}

func (c projectionCase[T]) beats(t *testing.T) {
	c.beat(t, "b", time.Hour, "b")
	c.beat(t, "a/1", time.Hour, "a/1", "b")
	c.beat(t, "b", time.Hour, "a/1", "b")
	c.beat(t, "B", time.Hour, "B", "a/1", "b")
	other, err := c.db.Beat(t.Context(), "other", "z", time.Hour)
	must(t, err)
	equal(t, "alive of another projection", fmt.Sprint(other), "[z]")
	c.beat(t, "b", 0, "B", "a/1")
	c.beat(t, "b", 0, "B", "a/1")
	c.beat(t, "a/1", time.Hour, "B", "a/1")
}

func (c projectionCase[T]) beatsExpire(t *testing.T) {
	c.beat(t, "stays", time.Hour, "stays")
	_, err := c.db.Beat(t.Context(), theView, "goes", 50*time.Millisecond)
	must(t, err)
	eventually(t, "the time of a worker runs out", func() bool {
		alive, err := c.db.Beat(t.Context(), theView, "stays", time.Hour)
		must(t, err)
		return slices.Equal(alive, []string{"stays"})
	})
	c.beat(t, "goes", time.Hour, "goes", "stays")
}

func (c projectionCase[T]) list(t *testing.T) {
	ctx, at := t.Context(), startTime().Add(-time.Minute)
	low, high := c.claim(t, lowHalf, nil), c.claim(t, highHalf, nil)
	c.appendTo(t, "p10")
	cursor := c.now(t)
	c.saved(t, low, nil, offsetOf("p1", 1, at))
	c.saved(t, high, cursor, offsetOf("p10", 1, at.Add(tick)))
	c.beat(t, "w1", time.Hour, "w1")
	c.beat(t, "w2", time.Hour, "w1", "w2")
	must(t, c.db.SetPaused(ctx, "another", true))
	c.claimOf(t, "third", lowHalf, nil)
	all, err := c.db.Projections(ctx, "")
	must(t, err)
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	equal(t, "names", strings.Join(names, " "), "another third view")
	equal(t, "the other is paused", all[0].Paused, true)
	one, err := c.db.Projections(ctx, theView)
	must(t, err)
	equal(t, "one by name", len(one), 1)
	c.isListed(t, one[0], low, high, cursor, at.Add(tick))
}

func (c projectionCase[T]) isListed(t *testing.T, p projection.Stored, low, high projection.Claim, cursor journal.Cursor, latest time.Time) {
	t.Helper()
	equal(t, "name", p.Name, theView)
	equal(t, "source", p.Source, theSource)
	equal(t, "paused", p.Paused, false)
	equal(t, "workers", strings.Join(p.Workers, " "), "w1 w2")
	equal(t, "ranges", len(p.Ranges), 2)
	equal(t, "slices", p.Ranges[0].Slices, lowHalf)
	equal(t, "epoch", p.Ranges[0].Epoch, low.Epoch)
	equal(t, "cursor", string(p.Ranges[0].Cursor), "")
	equal(t, "slices", p.Ranges[1].Slices, highHalf)
	equal(t, "epoch", p.Ranges[1].Epoch, high.Epoch)
	equal(t, "cursor", string(p.Ranges[1].Cursor), string(cursor))
	equal(t, "latest", p.Latest, latest)
	if p.Ranges[1].Saved.IsZero() || p.Consumed.Before(p.Latest) {
		t.Fatalf("times: %+v", p)
	}
}

func (c projectionCase[T]) reset(t *testing.T) {
	claim := c.claimAll(t)
	c.appendTo(t, "p1", "p10")
	c.saved(t, claim, c.now(t), offsetOf("p1", 1, startTime()))
	must(t, c.db.Reset(t.Context(), theView, nil))
	isFencedOff(t, "the worker", c.save(t.Context(), claim, nil))
	again := c.claimAll(t)
	c.storedAre(t, "offsets", again)
	c.readsOn(t, "all", again, "p1:1", "p10:1")
}

func (c projectionCase[T]) resetAfter(t *testing.T) {
	low, high := c.claim(t, lowHalf, nil), c.claim(t, highHalf, nil)
	c.appendTo(t, "p1", "p10")
	after := c.now(t)
	c.appendTo(t, "p1", "p10")
	c.saved(t, low, c.now(t), offsetOf("p1", 2, startTime()))
	c.saved(t, high, nil, offsetOf("p10", 1, startTime()))
	must(t, c.db.Reset(t.Context(), theView, after))
	isFencedOff(t, "a worker", c.save(t.Context(), low, nil))
	isFencedOff(t, "the other", c.save(t.Context(), high, nil))
	again := c.claim(t, highHalf, nil)
	c.storedAre(t, "offsets", again)
	c.readsOn(t, "what is after it", again, "p10:2")
	c.readsOn(t, "what is after it", c.claim(t, lowHalf, nil), "p1:2")
}

func (c projectionCase[T]) resetWaits(t *testing.T) {
	c.afterTransaction(t, "a reset", func(ctx context.Context) error { return c.db.Reset(ctx, theView, nil) })
	c.storedAre(t, "offsets", c.claimAll(t))
}

func (c projectionCase[T]) forget(t *testing.T) {
	claim := c.claimAll(t)
	c.saved(t, claim, c.now(t), offsetOf("p1", 1, startTime()))
	c.beat(t, "w", time.Hour, "w")
	must(t, c.db.SetPaused(t.Context(), theView, true))
	must(t, c.db.Forget(t.Context(), theView))
	isFencedOff(t, "the worker", c.save(t.Context(), claim, nil))
	c.pausedIs(t, "forgotten", journal.AllSlices(), false)
	all, err := c.db.Projections(t.Context(), "")
	must(t, err)
	equal(t, "projections", len(all), 0)
	c.appendTo(t, "p1")
	c.readsOn(t, "it begins anew", c.claimAll(t), "p1:1")
}

func (c projectionCase[T]) forgetWaits(t *testing.T) {
	c.afterTransaction(t, "forgetting", func(ctx context.Context) error { return c.db.Forget(ctx, theView) })
}

func (c projectionCase[T]) unknown(t *testing.T) {
	ctx := t.Context()
	must(t, c.db.Reset(ctx, theView, nil))
	must(t, c.db.Forget(ctx, theView))
	all, err := c.db.Projections(ctx, theView)
	must(t, err)
	equal(t, "projections", len(all), 0)
}
