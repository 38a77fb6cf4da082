package storagetest

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// Inbox tests the ports inbox.Tx and inbox.Store. open is as in Run.
func Inbox[T inbox.Tx](t *testing.T, open func(t *testing.T) inbox.Store[T]) {
	for _, c := range []struct {
		name string
		test func(inboxCase[T], *testing.T)
	}{
		{"a message is unseen once", inboxCase[T].dedupe},
		{"of two in one call the first counts", inboxCase[T].dedupeWithin},
		{"a rollback forgets marks", inboxCase[T].markRollback},
		{"a mark per generation", inboxCase[T].generations},
		{"redriven messages", inboxCase[T].redriven},
		{"marks are trimmed in steps", inboxCase[T].trim},
		{"the first claim", inboxCase[T].firstClaim},
		{"a claim knows where the last one stood", inboxCase[T].advance},
		{"partitions and consumers do not meet", inboxCase[T].apart},
		{"a later claim fences", inboxCase[T].fences},
		{"a transaction in flight", inboxCase[T].inFlight},
		{"claims race", inboxCase[T].claimRace},
		{"lanes change only when level", inboxCase[T].lanes},
		{"waiting rows come back as they were", inboxCase[T].waiting},
		{"waiting rows: put, replace, delete", inboxCase[T].waitingRows},
		{"release", inboxCase[T].release},
		{"release of what is not parked", inboxCase[T].releaseNothing},
		{"replay", inboxCase[T].replay},
		{"replay during a replay", inboxCase[T].replayTwice},
		{"replay drops what waits", inboxCase[T].replayWaiting},
		{"nothing to replay", inboxCase[T].replayNothing},
		{"all or nothing", inboxCase[T].together},
		{"transient errors", inboxCase[T].transient},
		{"inspect: positions", inboxCase[T].inspectPositions},
		{"inspect: marks", inboxCase[T].inspectMarks},
		{"inspect: waiting", inboxCase[T].inspectWaiting},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(inboxCase[T]{open(t)}, t) })
	}
}

// inboxCase is one empty database; each of its tests gets its own.
type inboxCase[T inbox.Tx] struct{ db inbox.Store[T] }

func partition(n int32) inbox.Partition {
	return inbox.Partition{Cluster: "cluster-1", TopicID: "00112233445566778899aabbccddeeff", Topic: "orders", Partition: n}
}

func (c inboxCase[T]) update(t *testing.T, fn func(tx T) error) {
	t.Helper()
	must(t, c.db.Update(t.Context(), fn))
}

func (c inboxCase[T]) claim(t *testing.T, lanes int) inbox.Claim {
	t.Helper()
	claim, err := c.db.Claim(t.Context(), "payment", partition(0), lanes)
	must(t, err)
	return claim
}

func (c inboxCase[T]) advanceTo(t *testing.T, claim inbox.Claim, next ...int64) {
	t.Helper()
	c.update(t, func(tx T) error {
		for lane, n := range next {
			if err := tx.AdvanceInbox(t.Context(), claim, lane, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// unseen marks messages in a transaction of its own.
func (c inboxCase[T]) unseen(t *testing.T, consumer string, marks ...inbox.Mark) (out []bool) {
	t.Helper()
	c.update(t, func(tx T) (err error) {
		out, err = tx.MarkInbox(t.Context(), consumer, marks)
		return err
	})
	return out
}

func (c inboxCase[T]) unseenAre(t *testing.T, what, consumer string, marks []inbox.Mark, want ...bool) {
	t.Helper()
	if got := c.unseen(t, consumer, marks...); !slices.Equal(got, want) {
		t.Fatalf("%s: unseen %v, want %v", what, got, want)
	}
}

func handled(ids ...string) []inbox.Mark {
	var out []inbox.Mark
	for _, id := range ids {
		out = append(out, inbox.Mark{ID: id, Outcome: inbox.Handled})
	}
	return out
}

func (c inboxCase[T]) dedupe(t *testing.T) {
	c.unseenAre(t, "first", "payment", handled("a", "b"), true, true)
	c.unseenAre(t, "again", "payment", handled("a", "c", "b"), false, true, false)
	c.unseenAre(t, "another consumer", "stock", handled("a"), true)
	c.unseenAre(t, "odd ids", "payment", handled("A", "a'\"<&", "김", "a "), true, true, true, true)
	c.unseenAre(t, "odd ids again", "payment", handled("a'\"<&", "김", "A"), false, false, false)
	c.unseenAre(t, "none", "payment", nil)
	var many []inbox.Mark
	for i := range 2000 {
		many = append(many, handled(strconv.Itoa(i))...)
	}
	for i, unseen := range c.unseen(t, "payment", many...) {
		equal(t, "unseen "+strconv.Itoa(i), unseen, true)
	}
	for i, unseen := range c.unseen(t, "payment", many...) {
		equal(t, "unseen again "+strconv.Itoa(i), unseen, false)
	}
}

func (c inboxCase[T]) dedupeWithin(t *testing.T) {
	c.unseenAre(t, "within one call", "payment", handled("a", "b", "a", "b", "c"), true, true, false, false, true)
	c.unseenAre(t, "another generation within one call", "payment",
		[]inbox.Mark{{ID: "d", Outcome: inbox.Dead}, {ID: "d", Generation: 1, Outcome: inbox.Handled, Redriven: true}}, true, false)
	c.update(t, func(tx T) error {
		for i, want := range []bool{true, false} {
			got, err := tx.MarkInbox(t.Context(), "payment", handled("e"))
			if err != nil {
				return err
			}
			equal(t, "call "+strconv.Itoa(i)+" of one transaction", got[0], want)
		}
		return nil
	})
}

var errOnPurpose = errors.New("on purpose")

func (c inboxCase[T]) markRollback(t *testing.T) {
	err := c.db.Update(t.Context(), func(tx T) error {
		if _, err := tx.MarkInbox(t.Context(), "payment", handled("a")); err != nil {
			return err
		}
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		t.Fatalf("Update returned %v", err)
	}
	c.unseenAre(t, "after a rollback", "payment", handled("a"), true)
}

func (c inboxCase[T]) generations(t *testing.T) {
	at := func(generation int64) []inbox.Mark {
		return []inbox.Mark{{ID: "a", Generation: generation, Outcome: inbox.Handled}}
	}
	c.unseenAre(t, "before any replay", "payment", at(0), true)
	c.unseenAre(t, "first replay", "payment", at(1), true)
	c.unseenAre(t, "first replay, again", "payment", at(1), false)
	c.unseenAre(t, "outside of it", "payment", at(0), false)
	c.unseenAre(t, "third replay", "payment", at(3), true)
	c.unseenAre(t, "second replay is over", "payment", at(2), false)
}

func (c inboxCase[T]) redriven(t *testing.T) {
	dead := []inbox.Mark{{ID: "a", Outcome: inbox.Dead}, {ID: "r", Generation: 2, Outcome: inbox.Dead}}
	again := []inbox.Mark{{ID: "a", Outcome: inbox.Handled, Redriven: true}}
	c.unseenAre(t, "died", "payment", dead, true, true)
	c.unseenAre(t, "delivered again", "payment", handled("a"), false)
	c.unseenAre(t, "redriven, for a consumer that handled it", "stock", handled("a"), true)
	c.unseenAre(t, "redriven, there", "stock", again, false)
	c.unseenAre(t, "redriven and dead again", "payment", []inbox.Mark{{ID: "a", Outcome: inbox.Dead, Redriven: true}}, true)
	c.unseenAre(t, "redriven", "payment", again, true)
	c.unseenAre(t, "redriven twice", "payment", again, false)
	c.unseenAre(t, "redriven, never seen", "payment", []inbox.Mark{{ID: "new", Outcome: inbox.Handled, Redriven: true}}, true)
	c.unseenAre(t, "redriven outside of the replay it died in", "payment", []inbox.Mark{{ID: "r", Outcome: inbox.Handled, Redriven: true}}, true)
	c.unseenAre(t, "in that replay", "payment", []inbox.Mark{{ID: "r", Generation: 2, Outcome: inbox.Handled}}, false)
}

func (c inboxCase[T]) trim(t *testing.T) {
	c.unseen(t, "payment", handled("a", "b", "c", "d", "e")...)
	before := pass(t)
	c.unseen(t, "payment", handled("f")...)
	for _, want := range []int64{2, 2, 1, 0} {
		n, err := c.db.TrimInbox(t.Context(), before, 2)
		must(t, err)
		equal(t, "trimmed", n, want)
	}
	c.unseenAre(t, "after trimming", "payment", handled("a", "e", "f"), true, true, false)
}

// pass returns a time after everything done so far and before everything done
// after.
func pass(t *testing.T) time.Time {
	t.Helper()
	at := time.Now().Add(2 * time.Millisecond)
	eventually(t, "time passes", func() bool { return time.Now().After(at.Add(2 * time.Millisecond)) })
	return at
}

// together: offset, marks, effects and messages are one transaction.
func (c inboxCase[T]) together(t *testing.T) {
	claim := c.claim(t, 1)
	c.advanceTo(t, claim, 5)
	c.update(t, func(tx T) error {
		return tx.PutWaiting(t.Context(), claim, []inbox.Waiting{{Offset: 3, Key: "k", Size: 1}})
	})
	err := c.db.Update(t.Context(), func(tx T) error {
		if err := tx.AdvanceInbox(t.Context(), claim, 0, 6); err != nil {
			return err
		}
		if _, err := tx.MarkInbox(t.Context(), "payment", handled("a")); err != nil {
			return err
		}
		if _, err := tx.DeleteWaiting(t.Context(), claim, 3); err != nil {
			return err
		}
		if err := tx.PutWaiting(t.Context(), claim, []inbox.Waiting{{Offset: 4, Key: "k", Size: 1}}); err != nil {
			return err
		}
		if err := outbox.Enqueue(t.Context(), tx, event.New("t", "k", 1)); err != nil {
			return err
		}
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		t.Fatalf("Update returned %v", err)
	}
	c.offsetsAre(t, "waiting after a rollback", claim, 3)
	c.unseenAre(t, "mark after a rollback", "payment", handled("a"), true)
	nextIs(t, "offset after a rollback", c.claim(t, 1), 5)
	if store, ok := any(c.db).(outbox.Store); ok {
		rows, err := store.Pending(t.Context(), 0, outbox.Exclusion{}, 10, 1000)
		must(t, err)
		equal(t, "messages after a rollback", len(rows), 0)
	}
}

func (c inboxCase[T]) transient(t *testing.T) {
	for _, err := range []error{errOnPurpose, inbox.ErrFenced, inbox.Permanent(errOnPurpose), event.ErrPayload} {
		equal(t, err.Error()+" is transient", c.db.Transient(err), false)
	}
	old := c.claim(t, 1)
	c.claim(t, 1)
	err := c.db.Update(t.Context(), func(tx T) error { return tx.AdvanceInbox(t.Context(), old, 0, 1) })
	equal(t, "a fenced transaction's error is transient", c.db.Transient(err), false)
}
