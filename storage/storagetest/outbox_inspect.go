package storagetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// look asks the outbox.Inspector; a Store without it skips the test.
func (c outboxCase[T]) look(t *testing.T, q outbox.RowQuery) []outbox.StoredRow {
	t.Helper()
	inspector, ok := any(c.db).(outbox.Inspector)
	if !ok {
		t.Skip("the store is no outbox.Inspector")
	}
	rows, err := inspector.Rows(t.Context(), q)
	must(t, err)
	if rows == nil {
		t.Fatal("no rows are nil, not empty")
	}
	return rows
}

func (c outboxCase[T]) sees(t *testing.T, what string, q outbox.RowQuery, want ...int64) {
	t.Helper()
	got := []int64{}
	for _, r := range c.look(t, q) {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got ids %v, want %v", what, got, want)
	}
}

// inspect: rows of every status are found by what is asked for.
func (c outboxCase[T]) inspect(t *testing.T) {
	cause := event.New("a", "1", "first")
	events := []event.Event{cause, event.New("a", "2", "x").CausedBy(cause), event.New("b", "1", "x").CausedBy(cause),
		event.New("b", "odd\x00<'\"김", "x"), event.New("c", "", "x"), event.New("c", "3", "x")}
	c.enqueue(t, events...)
	ids, lease := idsOf(c.pending(t)), c.lease(t)
	next := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	must(t, c.db.Complete(t.Context(), lease, []int64{ids[0], ids[3]}, nil, true))
	must(t, c.db.Complete(t.Context(), lease, []int64{ids[4]}, nil, false))
	must(t, c.db.Refuse(t.Context(), lease, []outbox.Refusal{{ID: ids[1], Attempts: 2, Next: next, Reason: "too 'large'"},
		{ID: ids[2], Attempts: 5, Next: next, Reason: "no"}}))
	must(t, c.db.Fail(t.Context(), lease, []int64{ids[2]}, 0, nil))

	pick := func(places ...int) (out []int64) {
		for _, p := range places {
			out = append(out, ids[p])
		}
		return out
	}
	for _, x := range []struct {
		name string
		q    outbox.RowQuery
		want []int64
	}{
		{"all", outbox.RowQuery{}, pick(0, 1, 2, 3, 5)},
		{"started", outbox.RowQuery{Status: outbox.Started}, pick(1, 5)},
		{"failed", outbox.RowQuery{Status: outbox.Failed}, pick(2)},
		{"completed", outbox.RowQuery{Status: outbox.Completed}, pick(0, 3)},
		{"topic", outbox.RowQuery{Topic: "b"}, pick(2, 3)},
		{"key", outbox.RowQuery{Key: "1"}, pick(0, 2)},
		{"odd key", outbox.RowQuery{Key: "odd\x00<'\"김"}, pick(3)},
		{"correlation", outbox.RowQuery{Correlation: cause.CorrelationID}, pick(0, 1, 2)},
		{"correlation and topic", outbox.RowQuery{Correlation: cause.CorrelationID, Topic: "a"}, pick(0, 1)},
		{"correlation of the completed", outbox.RowQuery{Correlation: cause.CorrelationID, Status: outbox.Completed}, pick(0)},
		{"event ids", outbox.RowQuery{EventIDs: []string{events[3].ID, "unknown", events[5].ID, events[4].ID}}, pick(3, 5)},
		{"no event id", outbox.RowQuery{EventIDs: []string{}}, pick(0, 1, 2, 3, 5)},
		{"after", outbox.RowQuery{After: ids[2]}, pick(3, 5)},
		{"limit", outbox.RowQuery{Limit: 3}, pick(0, 1, 2)},
		{"after and limit", outbox.RowQuery{After: ids[0], Limit: 3}, pick(1, 2, 3)},
		{"nothing", outbox.RowQuery{Topic: "no such"}, nil},
	} {
		c.sees(t, x.name, x.q, x.want...)
	}
	all := c.look(t, outbox.RowQuery{})
	refused := all[1]
	if refused.Status != outbox.Started || refused.Attempts != 2 || !refused.NextAttempt.Equal(next) || refused.Reason != "too 'large'" ||
		refused.Topic != "a" || refused.Key != "2" || refused.Type != "a" || refused.EventID != events[1].ID || refused.CausationID != cause.ID ||
		refused.CorrelationID != cause.CorrelationID || refused.ContentType != events[1].ContentType || !refused.PublishedAt.IsZero() {
		t.Fatalf("a refused row: %+v", refused)
	}
	if published := all[0]; published.Status != outbox.Completed || !recent(published.PublishedAt) || !recent(published.EnqueuedAt) ||
		published.PublishedAt.Before(published.EnqueuedAt) || published.EnqueuedAt.Location() != time.UTC {
		t.Fatalf("a published row: %+v", published)
	}
	equal(t, "odd key", all[3].Key, "odd\x00<'\"김")
}

func recent(at time.Time) bool { return time.Since(at).Abs() < time.Hour }

// inspectPayloads: they come where they are asked for, bounded in bytes.
func (c outboxCase[T]) inspectPayloads(t *testing.T) {
	tombstone := event.New("t", "k", nil)
	tombstone.Payload = nil
	c.enqueue(t, event.New("t", "odd\x00key", "small").WithHeader("b", "2").WithHeader("a", "ä\x00"), tombstone)
	large := event.New("t", "k", nil)
	large.Payload = make([]byte, outbox.MaxInspectBytes*2/5)
	c.enqueue(t, large, large.WithHeader("x", "y"), large)
	ids := idsOf(c.pending(t))
	must(t, c.db.Complete(t.Context(), c.lease(t), ids[:1], nil, true))
	must(t, c.db.Complete(t.Context(), c.lease(t), ids[3:4], nil, true))

	c.sees(t, "without payloads", outbox.RowQuery{}, ids...)
	for _, r := range c.look(t, outbox.RowQuery{}) {
		if r.Payload != nil || r.Headers != nil {
			t.Fatalf("payload or headers of row %d were not asked for", r.ID)
		}
	}
	c.sees(t, "a page of payloads", outbox.RowQuery{Payload: true}, ids[:4]...)
	c.sees(t, "the next", outbox.RowQuery{Payload: true, After: ids[3]}, ids[4])
	rows := c.look(t, outbox.RowQuery{Payload: true})
	small := rows[0]
	if string(small.Payload) != `"small"` || small.Size != 7 || small.Key != "odd\x00key" || len(small.Headers) != 2 ||
		small.Headers[0].Key != "a" || string(small.Headers[0].Value) != "ä\x00" || string(small.Headers[1].Value) != "2" {
		t.Fatalf("a small row: %+v", small)
	}
	if rows[1].Payload != nil || rows[1].Size != 0 {
		t.Fatalf("a tombstone: %+v", rows[1])
	}
	equal(t, "bytes of a large payload", len(rows[3].Payload), len(large.Payload))
	equal(t, "size of a large payload", rows[2].Size, int64(len(large.Payload)))
}

func (c outboxCase[T]) inspectBounds(t *testing.T) {
	ids := c.fill(t, 250)
	c.sees(t, "without a limit", outbox.RowQuery{}, ids[:100]...)
	c.sees(t, "the largest limit", outbox.RowQuery{Limit: outbox.MaxInspectRows}, ids...)
	inspector := any(c.db).(outbox.Inspector)
	for _, q := range []outbox.RowQuery{{Limit: -1}, {Limit: outbox.MaxInspectRows + 1}, {After: -1}, {Status: "GONE"},
		{EventIDs: slices.Repeat([]string{"a"}, outbox.MaxInspectRows+1)}} {
		if _, err := inspector.Rows(t.Context(), q); !errors.Is(err, outbox.ErrQuery) {
			t.Fatalf("%+v: error %v", q, err)
		}
	}
	// Nothing a person types breaks it.
	for i, odd := range []string{"'; DROP TABLE pabal_outbox; --", "%", "_", "a\x00b", "\xff", `{"a"}`} {
		c.sees(t, "odd text "+strconv.Itoa(i), outbox.RowQuery{Topic: odd, Key: odd, Correlation: odd, EventIDs: []string{odd}})
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := inspector.Rows(ended, outbox.RowQuery{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("a caller who is gone: %v", err)
	}
}
