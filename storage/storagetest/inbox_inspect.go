package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
)

// inspector skips the test for a Store that is no inbox.Inspector.
func (c inboxCase[T]) inspector(t *testing.T) inbox.Inspector {
	t.Helper()
	inspector, ok := any(c.db).(inbox.Inspector)
	if !ok {
		t.Skip("the store is no inbox.Inspector")
	}
	return inspector
}

func (c inboxCase[T]) inspectPositions(t *testing.T) {
	look := func(consumer string) []inbox.Position {
		positions, err := c.inspector(t).Positions(t.Context(), consumer)
		must(t, err)
		if positions == nil {
			t.Fatal("no positions are nil, not empty")
		}
		return positions
	}
	equal(t, "positions before the first claim", len(look("payment")), 0)
	claim := c.claim(t, 3)
	c.advanceTo(t, claim, 7, 12)
	elsewhere := inbox.Partition{Cluster: "cluster-0", TopicID: "00", Topic: "Before", Partition: 9}
	_, err := c.db.Claim(t.Context(), "payment", elsewhere, 1)
	must(t, err)
	_, err = c.db.Claim(t.Context(), "stock", partition(1), 1)
	must(t, err)
	before := look("payment")
	equal(t, "positions", len(before), 2)
	if before[0].Partition != elsewhere || before[1].Partition != partition(0) {
		t.Fatalf("positions %+v", before)
	}
	if !slices.Equal(before[1].Next, []int64{7, 12, -1}) || before[1].Lowest() != -1 || before[1].Epoch != claim.Epoch || before[1].Replay != (inbox.Replay{}) {
		t.Fatalf("position %+v", before[1])
	}
	c.advanceTo(t, claim, 7, 12, 9)
	replay, err := c.db.StartReplay(t.Context(), "payment", partition(0), 4)
	must(t, err)
	after := look("payment")[1]
	if !slices.Equal(after.Next, []int64{4, 4, 4}) || after.Lowest() != 4 || after.Replay != replay || after.Epoch <= claim.Epoch {
		t.Fatalf("position in a replay: %+v, replay %+v", after, replay)
	}
	must(t, c.try(t, c.claim(t, 3), -1)) // looking fenced nobody
}

func (c inboxCase[T]) inspectMarks(t *testing.T) {
	c.unseen(t, "payment", handled("b", "a", "odd'\"김")...)
	c.unseen(t, "payment", inbox.Mark{ID: "c", Generation: 3, Outcome: inbox.Dead})
	c.unseen(t, "stock", handled("d")...)
	marks, err := c.inspector(t).Marks(t.Context(), "payment", []string{"c", "d", "b", "odd'\"김", "unknown", "b"})
	must(t, err)
	var got []string
	for _, m := range marks {
		got = append(got, fmt.Sprint(m.ID, " ", m.Outcome, " ", m.Generation))
		if !recent(m.MarkedAt) || m.MarkedAt.Location() != time.UTC {
			t.Fatalf("mark %+v", m)
		}
	}
	if want := []string{"b handled 0", "c dead 3", "odd'\"김 handled 0"}; !slices.Equal(got, want) {
		t.Fatalf("marks %q, want %q", got, want)
	}
	if marks, err := c.inspector(t).Marks(t.Context(), "payment", nil); err != nil || len(marks) > 0 || marks == nil {
		t.Fatalf("marks of no ids: %v, %v", marks, err)
	}
	if _, err := c.inspector(t).Marks(t.Context(), "payment", make([]string, inbox.MaxInspectRows+1)); !errors.Is(err, inbox.ErrQuery) {
		t.Fatalf("too many ids: %v", err)
	}
}

func (c inboxCase[T]) inspectWaiting(t *testing.T) {
	next := time.Now().Add(time.Minute).UTC().Truncate(time.Microsecond)
	e := event.New("order-placed", "k", 1)
	e.Source = "/orders"
	first := c.claim(t, 1)
	second, err := c.db.Claim(t.Context(), "payment", partition(1), 1)
	must(t, err)
	other := inbox.Partition{Cluster: "cluster-1", TopicID: "ff", Topic: "Zebra", Partition: 0}
	third, err := c.db.Claim(t.Context(), "payment", other, 1)
	must(t, err)
	stranger, err := c.db.Claim(t.Context(), "stock", partition(0), 1)
	must(t, err)
	c.put(t, first, inbox.Waiting{Offset: 5, Key: "k", Attempts: 2, Next: next, Size: 77, Reason: "no 'stock'", Headers: e.RecordHeaders(), Value: []byte("v")},
		inbox.Waiting{Offset: 3, Key: "p", Attempts: 5, Parked: true, Size: 1, Reason: "dead"},
		inbox.Waiting{Offset: 4, Key: "p", Parked: true, Size: 1, Headers: []event.Header{{Key: "big", Value: make([]byte, inbox.MaxInspectHeaders)}}})
	c.put(t, second, inbox.Waiting{Offset: 1, Key: "\xff\xfe", Size: 1, Headers: []event.Header{{Key: "x", Value: nil}}}, inbox.Waiting{Offset: 5, Key: "k", Size: 1})
	c.put(t, third, inbox.Waiting{Offset: 0, Key: "k", Size: 1})
	c.put(t, stranger, inbox.Waiting{Offset: 5, Key: "k", Size: 1})

	look := func(q inbox.WaitingQuery) []inbox.StoredWaiting {
		t.Helper()
		q.Consumer = "payment"
		rows, err := c.inspector(t).WaitingRows(t.Context(), q)
		must(t, err)
		if rows == nil {
			t.Fatal("no rows are nil, not empty")
		}
		return rows
	}
	zero, five := int32(0), int64(5)
	for _, x := range []struct {
		name string
		q    inbox.WaitingQuery
		want []string
	}{
		{"all", inbox.WaitingQuery{}, []string{"Zebra/0/0", "orders/0/3", "orders/0/4", "orders/0/5", "orders/1/1", "orders/1/5"}},
		{"topic", inbox.WaitingQuery{Topic: "Zebra"}, []string{"Zebra/0/0"}},
		{"key", inbox.WaitingQuery{Key: "k"}, []string{"Zebra/0/0", "orders/0/5", "orders/1/5"}},
		{"odd key", inbox.WaitingQuery{Key: "\xff\xfe"}, []string{"orders/1/1"}},
		{"partition", inbox.WaitingQuery{Partition: &zero, Topic: "orders"}, []string{"orders/0/3", "orders/0/4", "orders/0/5"}},
		{"that very message", inbox.WaitingQuery{Topic: "orders", Partition: &zero, Offset: &five}, []string{"orders/0/5"}},
		{"limit", inbox.WaitingQuery{Limit: 2}, []string{"Zebra/0/0", "orders/0/3"}},
		{"after", inbox.WaitingQuery{After: &inbox.Place{Topic: "orders", Partition: 0, Offset: 4}}, []string{"orders/0/5", "orders/1/1", "orders/1/5"}},
		{"after another topic", inbox.WaitingQuery{After: &inbox.Place{Topic: "Zebra", Offset: 1 << 40}, Limit: 1}, []string{"orders/0/3"}},
		{"nothing", inbox.WaitingQuery{Key: "unknown"}, nil},
	} {
		var got []string
		for _, w := range look(x.q) {
			got = append(got, fmt.Sprintf("%s/%d/%d", w.Topic, w.Partition, w.Offset))
		}
		if !slices.Equal(got, x.want) {
			t.Fatalf("%s: got %v, want %v", x.name, got, x.want)
		}
	}
	all := look(inbox.WaitingQuery{})
	want := inbox.StoredWaiting{Place: inbox.Place{Topic: "orders", Offset: 5}, Key: "k", ID: e.ID, CorrelationID: e.CorrelationID, Type: e.Type,
		Attempts: 2, Next: next, Size: 77, Reason: "no 'stock'"}
	if !all[3].Next.Equal(next) {
		t.Fatalf("next %v, want %v", all[3].Next, next)
	}
	all[3].Next = next
	equal(t, "a failing message", all[3], want)
	equal(t, "parked", all[1].Parked, true)
	equal(t, "id where the headers are too large", all[2].ID, "")
	equal(t, "id of a record that is no event", all[4].ID, "")
	for _, odd := range []string{"a\x00b", "\xff", "%", "'; --"} {
		equal(t, "rows of "+odd, len(look(inbox.WaitingQuery{Topic: odd, Key: odd, After: &inbox.Place{Topic: odd}})), 0)
		if marks, err := c.inspector(t).Marks(t.Context(), odd, []string{odd}); err != nil || len(marks) > 0 {
			t.Fatalf("marks of %q: %v, %v", odd, marks, err)
		}
	}
	for _, limit := range []int{-1, inbox.MaxInspectRows + 1} {
		if _, err := c.inspector(t).WaitingRows(t.Context(), inbox.WaitingQuery{Consumer: "payment", Limit: limit}); !errors.Is(err, inbox.ErrQuery) {
			t.Fatalf("limit %d: %v", limit, err)
		}
	}
	must(t, c.try(t, first, -1)) // looking fenced nobody
}
