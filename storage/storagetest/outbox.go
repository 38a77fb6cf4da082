package storagetest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// Outbox tests the ports outbox.Tx and outbox.Store. open is as in Run.
func Outbox[T outbox.Tx](t *testing.T, open func(t *testing.T) OutboxDB[T]) {
	for _, c := range []struct {
		name string
		test func(outboxCase[T], *testing.T)
	}{
		{"a rollback leaves nothing", outboxCase[T].rollback},
		{"messages come back as they were", outboxCase[T].roundTrip},
		{"ids ascend, also after the table was emptied", outboxCase[T].ascending},
		{"many messages in one call", outboxCase[T].many},
		{"pending: where it begins and ends", outboxCase[T].pendingBounds},
		{"pending: bounded in bytes", outboxCase[T].pendingBytes},
		{"pending: exclusions", outboxCase[T].exclusions},
		{"pending: only fresh rows", outboxCase[T].onlyFresh},
		{"complete", outboxCase[T].complete},
		{"complete with a history", outboxCase[T].completeHistory},
		{"refuse and load", outboxCase[T].refuse},
		{"fail", outboxCase[T].fail},
		{"fail against a later replay", outboxCase[T].failAgainstReplay},
		{"replay", outboxCase[T].replay},
		{"republish", outboxCase[T].republish},
		{"the history is trimmed in steps", outboxCase[T].trim},
		{"backlog", outboxCase[T].backlog},
		{"identity", outboxCase[T].identity},
		{"lease: hand-over", outboxCase[T].leaseHandOver},
		{"lease: runs out", outboxCase[T].leaseRunsOut},
		{"lease: one of many gets it", outboxCase[T].leaseRace},
		{"lease: fences every write", outboxCase[T].leaseFences},
		{"wake-ups", outboxCase[T].wakeups},
		{"wake-ups end with their context", outboxCase[T].wakeupsEnd},
		{"horizon", outboxCase[T].horizon},
		{"horizon of a quiet outbox", outboxCase[T].quietHorizon},
		{"inspect", outboxCase[T].inspect},
		{"inspect: payloads", outboxCase[T].inspectPayloads},
		{"inspect: bounds", outboxCase[T].inspectBounds},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(outboxCase[T]{open(t)}, t) })
	}
}

// outboxCase is one empty database; each of its tests gets its own.
type outboxCase[T outbox.Tx] struct{ db OutboxDB[T] }

// everything is a limit that does not matter.
const everything = 1 << 30

// enqueue stores events in one transaction.
func (c outboxCase[T]) enqueue(t *testing.T, events ...event.Event) {
	t.Helper()
	must(t, c.db.Update(t.Context(), func(tx T) error { return outbox.Enqueue(t.Context(), tx, events...) }))
}

// fill enqueues n events of topic t and keys k0, k1, … in one transaction, and
// returns their ids.
func (c outboxCase[T]) fill(t *testing.T, n int) []int64 {
	t.Helper()
	var events []event.Event
	for i := range n {
		events = append(events, event.New("t", "k"+strconv.Itoa(i), i))
	}
	before := len(c.pending(t))
	c.enqueue(t, events...)
	return idsOf(c.pending(t))[before:]
}

func (c outboxCase[T]) pending(t *testing.T) []outbox.Row {
	t.Helper()
	rows, err := c.db.Pending(t.Context(), 0, outbox.Exclusion{}, everything, everything)
	must(t, err)
	return rows
}

func (c outboxCase[T]) aside(t *testing.T) []outbox.Row {
	t.Helper()
	rows, err := c.db.SetAside(t.Context(), everything)
	must(t, err)
	return rows
}

func (c outboxCase[T]) lease(t *testing.T) outbox.Lease {
	t.Helper()
	lease, ok, err := c.db.AcquireLease(t.Context(), "relay-1", time.Hour)
	must(t, err)
	if !ok {
		t.Fatal("the lease is not free")
	}
	return lease
}

func (c outboxCase[T]) backlogIs(t *testing.T, started, failed, completed int64) {
	t.Helper()
	b, err := c.db.Backlog(t.Context())
	must(t, err)
	b.Oldest = time.Time{}
	equal(t, "backlog", b, outbox.Backlog{Started: started, Failed: failed, Completed: completed})
}

func (c outboxCase[T]) positionIs(t *testing.T, want []byte) {
	t.Helper()
	id, err := c.db.Identity(t.Context())
	must(t, err)
	if !bytes.Equal(id.Position, want) || (id.Position == nil) != (want == nil) {
		t.Fatalf("position: got %#v, want %#v", id.Position, want)
	}
}

func idsOf(rows []outbox.Row) []int64 {
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}

func idsAre(t *testing.T, what string, rows []outbox.Row, want ...int64) {
	t.Helper()
	if got := idsOf(rows); !slices.Equal(got, want) {
		t.Fatalf("%s: got ids %v, want %v", what, got, want)
	}
}

func (c outboxCase[T]) rollback(t *testing.T) {
	failure := errors.New("no")
	err := c.db.Update(t.Context(), func(tx T) error {
		if err := outbox.Enqueue(t.Context(), tx, event.New("t", "k", 1)); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatalf("Update returned %v, which does not wrap the closure's error", err)
	}
	idsAre(t, "after a rollback", c.pending(t))
	c.fill(t, 1)
	equal(t, "rows", len(c.pending(t)), 1)
}

func (c outboxCase[T]) roundTrip(t *testing.T) {
	whole := event.New("order-placed", "k<\"'&> 김\u2028", map[string]int{"a": 1}).
		WithHeader("tenant", "ä\x00\n").WithHeader("x", "").CausedBy(event.Event{ID: "cause", CorrelationID: "correlation"})
	whole.Source, whole.Traceparent = "/orders", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	binary := event.New("t", "", nil)
	binary.Payload, binary.ContentType = []byte{0, 1, 0xff, 0xfe, 0}, "application/octet-stream"
	tombstone, hollow := event.New("t", "k", nil), event.New("t", "k", nil)
	tombstone.Payload, hollow.Payload = nil, []byte{}
	foreign := event.New("t", "k", 1)
	foreign.CorrelationID, foreign.ContentType, foreign.ID = "", "", "any 'text'"
	sent := []event.Event{whole, binary, tombstone, hollow, foreign}
	c.enqueue(t, sent...)
	rows := c.pending(t)
	equal(t, "rows", len(rows), len(sent))
	for i, row := range rows {
		sameEvent(t, row.Event, sent[i])
		equal(t, "topic", row.Topic, sent[i].Type)
		if row.Attempts != 0 || row.Replay != 0 || !row.NextAttempt.IsZero() || row.Reason != "" {
			t.Fatalf("a fresh row: %+v", row)
		}
	}
}

// sameEvent compares all that must survive.
func sameEvent(t *testing.T, got, want event.Event) {
	t.Helper()
	if got.ID != want.ID || got.Type != want.Type || got.Source != want.Source || got.Key != want.Key || !got.Time.Equal(want.Time) ||
		got.CorrelationID != want.CorrelationID || got.CausationID != want.CausationID || got.Traceparent != want.Traceparent ||
		got.ContentType != want.ContentType {
		t.Fatalf("event: got %+v, want %+v", got, want)
	}
	if !maps.Equal(got.Headers, want.Headers) {
		t.Fatalf("headers: got %q, want %q", got.Headers, want.Headers)
	}
	if !bytes.Equal(got.Payload, want.Payload) || (got.Payload == nil) != (want.Payload == nil) {
		t.Fatalf("payload: got %#v, want %#v", got.Payload, want.Payload)
	}
}

func (c outboxCase[T]) ascending(t *testing.T) {
	lease := c.lease(t)
	last := int64(0)
	for range 3 {
		ids := c.fill(t, 5)
		equal(t, "rows", len(ids), 5)
		for _, id := range ids {
			if id <= last {
				t.Fatalf("id %d after %d", id, last)
			}
			last = id
		}
		must(t, c.db.Complete(t.Context(), lease, ids, nil, false))
		equal(t, "rows", len(c.pending(t)), 0)
	}
}

func (c outboxCase[T]) many(t *testing.T) {
	const n = 3000
	ids := c.fill(t, n)
	equal(t, "rows", len(ids), n)
	for i, row := range c.pending(t) {
		equal(t, "order", string(row.Payload), strconv.Itoa(i))
	}
}
