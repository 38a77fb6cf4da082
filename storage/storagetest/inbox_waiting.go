package storagetest

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
)

func (c inboxCase[T]) put(t *testing.T, claim inbox.Claim, rows ...inbox.Waiting) {
	t.Helper()
	c.update(t, func(tx T) error { return tx.PutWaiting(t.Context(), claim, rows) })
}

func (c inboxCase[T]) load(t *testing.T, claim inbox.Claim, offset int64) inbox.Waiting {
	t.Helper()
	w, ok, err := c.db.LoadWaiting(t.Context(), claim, offset)
	must(t, err)
	equal(t, "there is a waiting row", ok, true)
	return w
}

func (c inboxCase[T]) waitingKeys(t *testing.T, claim inbox.Claim) []inbox.Waiting {
	t.Helper()
	rows, err := c.db.WaitingKeys(t.Context(), claim)
	must(t, err)
	return rows
}

func (c inboxCase[T]) offsetsAre(t *testing.T, what string, claim inbox.Claim, want ...int64) {
	t.Helper()
	var got []int64
	for _, w := range c.waitingKeys(t, claim) {
		got = append(got, w.Offset)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s: offsets %v, want %v", what, got, want)
	}
}

func (c inboxCase[T]) waiting(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	rows := []inbox.Waiting{
		{Offset: 1, Key: "k<\"'&>김", Attempts: 3, Next: now.Add(time.Minute), Timestamp: now, Size: 1 << 40, Reason: "it's \"no\"",
			Headers: []event.Header{{Key: "b", Value: []byte{0, 0xff, 1}}, {Key: "nil"}, {Key: "empty", Value: []byte{}}, {Key: "b", Value: []byte("twice")}, {Key: ""}},
			Value:   []byte{0, 1, 0xfe}},
		{Offset: 2, Key: "k", Timestamp: now, Size: 1},                               // nil value
		{Offset: 3, Key: "k", Timestamp: now, Size: 1, Value: []byte{}},              // empty value
		{Offset: 4, Timestamp: now, Size: 1, Value: []byte("v"), Parked: true},       // no key
		{Offset: 5, Key: "\xff\xfe not UTF-8", Timestamp: now, Size: 1},              // as foreign producers may send it
		{Offset: 6, Key: "k", Timestamp: now, Size: 1, Value: make([]byte, 300_000)}, // large
		{Offset: 1 << 40, Key: "k", Timestamp: now, Size: 1, Headers: []event.Header{}},
	}
	claim := c.claim(t, 1)
	c.put(t, claim, rows...)
	keys := c.waitingKeys(t, claim)
	equal(t, "rows", len(keys), len(rows))
	for i, want := range rows {
		sameWaiting(t, c.load(t, claim, want.Offset), want)
		if keys[i].Headers != nil || keys[i].Value != nil {
			t.Fatalf("WaitingKeys returned headers or value of offset %d", want.Offset)
		}
		want.Headers, want.Value = nil, nil
		sameWaiting(t, keys[i], want)
	}
}

func sameWaiting(t *testing.T, got, want inbox.Waiting) {
	t.Helper()
	if got.Offset != want.Offset || got.Key != want.Key || got.Attempts != want.Attempts || !got.Next.Equal(want.Next) ||
		got.Next.IsZero() != want.Next.IsZero() || got.Parked != want.Parked || !got.Timestamp.Equal(want.Timestamp) ||
		got.Size != want.Size || got.Reason != want.Reason {
		t.Fatalf("waiting row: got %+v, want %+v", got, want)
	}
	if !bytes.Equal(got.Value, want.Value) || (got.Value == nil) != (want.Value == nil) {
		t.Fatalf("value of offset %d: got %.20v, want %.20v", want.Offset, got.Value, want.Value)
	}
	same := slices.EqualFunc(got.Headers, want.Headers, func(a, b event.Header) bool {
		return a.Key == b.Key && bytes.Equal(a.Value, b.Value) && (a.Value == nil) == (b.Value == nil)
	})
	if !same {
		t.Fatalf("headers of offset %d: got %q, want %q", want.Offset, got.Headers, want.Headers)
	}
}

func (c inboxCase[T]) waitingRows(t *testing.T) {
	claim := c.claim(t, 1)
	elsewhere, err := c.db.Claim(t.Context(), "payment", partition(1), 1)
	must(t, err)
	c.put(t, claim, inbox.Waiting{Offset: 9, Key: "k", Size: 1}, inbox.Waiting{Offset: 3, Key: "k", Size: 1})
	c.put(t, elsewhere, inbox.Waiting{Offset: 3, Key: "other", Size: 1})
	c.put(t, claim, inbox.Waiting{Offset: 3, Key: "k", Attempts: 2, Size: 5, Reason: "again", Value: []byte("v")})
	c.offsetsAre(t, "in the order of offsets", claim, 3, 9)
	if w := c.load(t, claim, 3); w.Attempts != 2 || w.Size != 5 || w.Reason != "again" || string(w.Value) != "v" {
		t.Fatalf("replaced row: %+v", w)
	}
	equal(t, "key in the other partition", c.load(t, elsewhere, 3).Key, "other")
	for _, want := range []bool{true, false} {
		c.update(t, func(tx T) error {
			was, err := tx.DeleteWaiting(t.Context(), claim, 3)
			equal(t, "was there", was, want)
			return err
		})
	}
	c.offsetsAre(t, "after deleting", claim, 9)
	c.offsetsAre(t, "in the other partition", elsewhere, 3)
	_, ok, err := c.db.LoadWaiting(t.Context(), claim, 3)
	must(t, err)
	equal(t, "a deleted row is there", ok, false)
}

func (c inboxCase[T]) release(t *testing.T) {
	claim := c.claim(t, 1)
	untouched, err := c.db.Claim(t.Context(), "payment", partition(1), 1)
	must(t, err)
	other, err := c.db.Claim(t.Context(), "stock", partition(0), 1)
	must(t, err)
	place := inbox.Waiting{Offset: 1, Key: "k", Attempts: 5, Parked: true, Size: 1, Reason: "dead"}
	parked := []inbox.Waiting{
		place,
		{Offset: 2, Key: "k", Parked: true, Size: 1, Value: []byte("v")},
		{Offset: 3, Key: "k", Parked: true, Size: 1}, // a tombstone behind it
		{Offset: 4, Key: "other", Attempts: 5, Parked: true, Size: 1},
		{Offset: 5, Key: "retried", Attempts: 1, Next: time.Now(), Size: 1, Value: []byte("v")},
	}
	c.put(t, claim, parked...)
	c.put(t, other, place)
	c.put(t, untouched, inbox.Waiting{Offset: 1, Key: "other", Attempts: 5, Parked: true, Size: 1})
	n, err := c.db.Release(t.Context(), "payment", "orders", "k")
	must(t, err)
	equal(t, "rows touched", n, 3)
	isFenced(t, "the owner of the partition", c.try(t, claim, -1))
	must(t, c.try(t, untouched, -1))
	must(t, c.try(t, other, -1))
	claim = c.claim(t, 1)
	c.offsetsAre(t, "the dead letter's place is gone", claim, 2, 3, 4, 5)
	for _, offset := range []int64{2, 3} {
		if w := c.load(t, claim, offset); w.Parked || !w.Next.IsZero() && w.Next.After(time.Now().Add(time.Second)) {
			t.Fatalf("follower after the release: %+v", w)
		}
	}
	equal(t, "another key is parked", c.load(t, claim, 4).Parked, true)
	equal(t, "value of a follower", string(c.load(t, claim, 2).Value), "v")
	c.offsetsAre(t, "another consumer's", other, 1)
}

func (c inboxCase[T]) releaseNothing(t *testing.T) {
	claim := c.claim(t, 1)
	c.put(t, claim, inbox.Waiting{Offset: 5, Key: "k", Attempts: 1, Next: time.Now(), Size: 1, Value: []byte("v")})
	for _, key := range []string{"k", "unknown"} {
		n, err := c.db.Release(t.Context(), "payment", "orders", key)
		must(t, err)
		equal(t, "rows touched", n, 0)
	}
	must(t, c.try(t, claim, -1)) // nobody needed to be fenced
}
