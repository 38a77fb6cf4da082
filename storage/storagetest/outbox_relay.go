package storagetest

import (
	"errors"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

func (c outboxCase[T]) complete(t *testing.T) {
	ids, lease := c.fill(t, 8), c.lease(t)
	c.positionIs(t, nil)
	must(t, c.db.Complete(t.Context(), lease, []int64{ids[1]}, []byte("p1"), false))
	idsAre(t, "after one", c.pending(t), ids[0], ids[2], ids[3], ids[4], ids[5], ids[6], ids[7])
	c.positionIs(t, []byte("p1"))
	must(t, c.db.Complete(t.Context(), lease, []int64{ids[6], ids[4], ids[2], ids[1], ids[7] + 1000}, []byte("p\x002"), false))
	idsAre(t, "after unordered ones, some gone", c.pending(t), ids[0], ids[3], ids[5], ids[7])
	c.positionIs(t, []byte("p\x002"))
	must(t, c.db.Complete(t.Context(), lease, ids, []byte{}, false))
	c.positionIs(t, []byte{})
	must(t, c.db.Complete(t.Context(), lease, nil, []byte("p3"), true))
	c.positionIs(t, []byte("p3"))
	c.backlogIs(t, 0, 0, 0)
}

func (c outboxCase[T]) completeHistory(t *testing.T) {
	ids, lease := c.fill(t, 5), c.lease(t)
	must(t, c.db.Complete(t.Context(), lease, ids[:2], nil, true))
	c.backlogIs(t, 3, 0, 2)
	must(t, c.db.Complete(t.Context(), lease, ids[:3], nil, true))
	c.backlogIs(t, 2, 0, 3)
	must(t, c.db.Complete(t.Context(), lease, ids, nil, false))
	c.backlogIs(t, 0, 0, 3)
}

func (c outboxCase[T]) refuse(t *testing.T) {
	large := event.New("t", "large", nil).WithHeader("h", "v")
	large.Payload = make([]byte, 5000)
	c.enqueue(t, large, event.New("t", "k", 1), event.New("t", "k", 2))
	ids, lease := idsOf(c.pending(t)), c.lease(t)
	next := time.Now().Add(-time.Minute).UTC().Truncate(time.Microsecond)
	must(t, c.db.Refuse(t.Context(), lease, []outbox.Refusal{
		{ID: ids[0], Attempts: 3, Next: next, Reason: "too large"},
		{ID: ids[2], Attempts: 1, Next: next.Add(time.Hour), Reason: "odd"},
		{ID: ids[2] + 1000, Attempts: 1, Next: next, Reason: "gone"},
	}))
	rows := c.aside(t)
	idsAre(t, "set aside, due or not", rows, ids[0], ids[2])
	if r := rows[0]; r.Attempts != 3 || !r.NextAttempt.Equal(next) || r.Reason != "too large" || r.Replay != 0 ||
		r.Topic != "t" || r.Key != "large" || r.Event.ID != large.ID {
		t.Fatalf("refused row: %+v", r)
	}
	if rows[0].Payload != nil || rows[0].Headers != nil {
		t.Fatal("SetAside returned payload or headers")
	}
	rows, err := c.db.SetAside(t.Context(), 1)
	must(t, err)
	idsAre(t, "at most one set aside", rows, ids[0])
	rows, err = c.db.Load(t.Context(), []int64{ids[2], ids[0], ids[2] + 1000}, everything)
	must(t, err)
	idsAre(t, "loaded", rows, ids[0], ids[2])
	sameEvent(t, rows[0].Event, large)
	equal(t, "attempts", rows[0].Attempts, 3)
	must(t, c.db.Refuse(t.Context(), lease, []outbox.Refusal{{ID: ids[0], Attempts: 4, Next: next, Reason: "still"}}))
	equal(t, "attempts", c.aside(t)[0].Attempts, 4)
	must(t, c.db.Complete(t.Context(), lease, ids[:1], nil, true))
	idsAre(t, "set aside after one was published", c.aside(t), ids[2])
	c.backlogIs(t, 2, 0, 1)
}

func (c outboxCase[T]) fail(t *testing.T) {
	ids, lease := c.fill(t, 4), c.lease(t)
	next := time.Now()
	must(t, c.db.Refuse(t.Context(), lease, []outbox.Refusal{{ID: ids[0], Attempts: 9, Next: next, Reason: "r"}}))
	must(t, c.db.Fail(t.Context(), lease, []int64{ids[2], ids[0], ids[3] + 1000}, 0, []byte("p")))
	c.positionIs(t, []byte("p"))
	c.backlogIs(t, 2, 2, 0)
	idsAre(t, "pending", c.pending(t), ids[1], ids[3])
	idsAre(t, "set aside", c.aside(t))
	rows, err := c.db.Load(t.Context(), ids, everything)
	must(t, err)
	idsAre(t, "load without FAILED rows", rows, ids[1], ids[3])
	must(t, c.db.Refuse(t.Context(), lease, []outbox.Refusal{{ID: ids[0], Attempts: 1, Next: next, Reason: "late"}}))
	c.backlogIs(t, 2, 2, 0)
}

// failAgainstReplay: the relay that marks a row late must not undo what an
// operator asked for since.
func (c outboxCase[T]) failAgainstReplay(t *testing.T) {
	ids, lease := c.fill(t, 3), c.lease(t)
	known, err := c.db.LastReplay(t.Context())
	must(t, err)
	must(t, c.db.Fail(t.Context(), lease, ids, known, nil))
	if n, err := c.db.Replay(t.Context(), ids[1]); n != 1 || err != nil {
		t.Fatalf("replay: %d, %v", n, err)
	}
	must(t, c.db.Fail(t.Context(), lease, ids, known, []byte("p")))
	c.backlogIs(t, 1, 2, 0)
	idsAre(t, "replayed", c.aside(t), ids[1])
	latest, err := c.db.LastReplay(t.Context())
	must(t, err)
	equal(t, "replay number of the row", c.aside(t)[0].Replay, latest)
	must(t, c.db.Fail(t.Context(), lease, ids, latest, []byte("p")))
	c.backlogIs(t, 0, 3, 0)
}

func (c outboxCase[T]) identity(t *testing.T) {
	id, err := c.db.Identity(t.Context())
	must(t, err)
	equal(t, "length of the UUID", len(id.Outbox), 36)
	if id.BoundSystem != "" || id.BoundCluster != "" || id.Position != nil {
		t.Fatalf("before the first relay: %+v", id)
	}
	lease := c.lease(t)
	must(t, c.db.Bind(t.Context(), lease, id.System, "cluster-1"))
	must(t, c.db.Complete(t.Context(), lease, nil, []byte("p"), false))
	bound, err := c.db.Identity(t.Context())
	must(t, err)
	if bound.Outbox != id.Outbox || bound.System != id.System || bound.BoundSystem != id.System || bound.BoundCluster != "cluster-1" {
		t.Fatalf("after Bind: %+v", bound)
	}
	must(t, c.db.Renew(t.Context()))
	renewed, err := c.db.Identity(t.Context())
	must(t, err)
	if renewed.Outbox == id.Outbox || len(renewed.Outbox) != 36 || renewed.Position != nil {
		t.Fatalf("after Renew: %+v", renewed)
	}
}

func isLeaseLost(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, outbox.ErrLeaseLost) {
		t.Fatalf("%s without the lease: got %v, want ErrLeaseLost", what, err)
	}
}
