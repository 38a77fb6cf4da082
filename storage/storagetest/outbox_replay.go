package storagetest

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

func (c outboxCase[T]) replay(t *testing.T) {
	ids, lease := c.fill(t, 5), c.lease(t)
	must(t, c.db.Refuse(t.Context(), lease, []outbox.Refusal{{ID: ids[0], Attempts: 9, Next: time.Now(), Reason: "r"}}))
	must(t, c.db.Fail(t.Context(), lease, ids[:4], 0, nil))
	replays := func(want int64, ids ...int64) int64 {
		t.Helper()
		n, err := c.db.Replay(t.Context(), ids...)
		must(t, err)
		equal(t, "replayed rows", n, want)
		last, err := c.db.LastReplay(t.Context())
		must(t, err)
		return last
	}
	first := replays(2, ids[0], ids[1], ids[4], ids[4]+1000) // a fresh row and an unknown one are not FAILED
	c.backlogIs(t, 3, 2, 0)
	second := replays(2)
	if first < 1 || second <= first {
		t.Fatalf("replay numbers %d, %d", first, second)
	}
	replays(0)
	rows := c.aside(t)
	idsAre(t, "set aside", rows, ids[:4]...)
	for i, want := range []int64{first, first, second, second} {
		r := rows[i]
		if r.Replay != want || r.Attempts != 0 || r.NextAttempt.IsZero() || r.NextAttempt.After(time.Now().Add(time.Minute)) {
			t.Fatalf("replayed row %+v, want number %d and due", r, want)
		}
	}
	c.backlogIs(t, 5, 0, 0)
}

func (c outboxCase[T]) republish(t *testing.T) {
	ids, lease := c.fill(t, 6), c.lease(t)
	before := c.pending(t)
	must(t, c.db.Complete(t.Context(), lease, []int64{ids[0], ids[5]}, nil, true))
	// What was published until now must not come back.
	since := c.later(t)
	must(t, c.db.Complete(t.Context(), lease, []int64{ids[3], ids[4]}, nil, true))
	must(t, c.db.Complete(t.Context(), lease, []int64{ids[1]}, nil, true))
	n, err := c.db.Republish(t.Context(), since)
	must(t, err)
	equal(t, "republished", n, 3)
	rows := c.pending(t)
	equal(t, "pending", len(rows), 4)
	idsAre(t, "the one that was pending", rows[:1], ids[2])
	for i, place := range []int{1, 3, 4} { // the order of their old ids
		sameEvent(t, rows[i+1].Event, before[place].Event)
		if rows[i+1].ID <= ids[5] {
			t.Fatalf("republished with the old id %d", rows[i+1].ID)
		}
	}
	c.backlogIs(t, 4, 0, 2)
	n, err = c.db.Republish(t.Context(), since)
	must(t, err)
	equal(t, "republished again", n, 0)
	must(t, c.db.Complete(t.Context(), lease, idsOf(rows), nil, true))
	c.backlogIs(t, 0, 0, 6)
}

// later returns a time after everything done so far and before everything
// done after, in the clock of the tests, which is the database's.
func (c outboxCase[T]) later(t *testing.T) time.Time {
	t.Helper()
	at := time.Now().Add(2 * time.Millisecond)
	eventually(t, "time passes", func() bool { return time.Now().After(at.Add(2 * time.Millisecond)) })
	return at
}

func (c outboxCase[T]) trim(t *testing.T) {
	ids, lease := c.fill(t, 12), c.lease(t)
	must(t, c.db.Complete(t.Context(), lease, ids[:10], nil, true))
	before := c.later(t)
	must(t, c.db.Complete(t.Context(), lease, ids[10:], nil, true))
	for _, want := range []int64{4, 4, 2, 0} {
		n, err := c.db.TrimHistory(t.Context(), before, 4)
		must(t, err)
		equal(t, "trimmed", n, want)
	}
	c.backlogIs(t, 0, 0, 2)
}

func (c outboxCase[T]) backlog(t *testing.T) {
	oldest := func() time.Time {
		t.Helper()
		b, err := c.db.Backlog(t.Context())
		must(t, err)
		return b.Oldest
	}
	if !oldest().IsZero() {
		t.Fatalf("oldest of an empty outbox: %v", oldest())
	}
	start := time.Now()
	ids := c.fill(t, 1)
	first := oldest()
	if first.Before(start.Add(-time.Second)) || first.After(time.Now().Add(time.Second)) {
		t.Fatalf("oldest is %v, enqueued at %v", first, start)
	}
	second := c.later(t)
	ids = append(ids, c.fill(t, 1)...)
	if !oldest().Equal(first) {
		t.Fatalf("oldest changed from %v to %v", first, oldest())
	}
	lease := c.lease(t)
	must(t, c.db.Fail(t.Context(), lease, ids[:1], 0, nil))
	if oldest().Before(second) {
		t.Fatalf("a FAILED row counts as the oldest: %v", oldest())
	}
	must(t, c.db.Complete(t.Context(), lease, ids[1:], nil, true))
	if !oldest().IsZero() {
		t.Fatalf("oldest without a STARTED row: %v", oldest())
	}
	c.backlogIs(t, 0, 1, 1)
}
