package storagetest

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

func (c outboxCase[T]) pendingBounds(t *testing.T) {
	ids := c.fill(t, 6)
	read := func(above int64, limit int) []outbox.Row {
		rows, err := c.db.Pending(t.Context(), above, outbox.Exclusion{}, limit, everything)
		must(t, err)
		return rows
	}
	idsAre(t, "all", read(0, 100), ids...)
	idsAre(t, "above the third", read(ids[2], 100), ids[3:]...)
	idsAre(t, "two", read(0, 2), ids[:2]...)
	idsAre(t, "above the last", read(ids[5], 100))
	for i, above := range append([]int64{0}, ids...) {
		id, ok, err := c.db.OldestPending(t.Context(), above)
		must(t, err)
		equal(t, "there is an oldest", ok, i < len(ids))
		if ok {
			equal(t, "oldest", id, ids[i])
		}
	}
}

func (c outboxCase[T]) pendingBytes(t *testing.T) {
	var events []event.Event
	for range 5 {
		e := event.New("t", "k", nil)
		e.Payload = make([]byte, 1000)
		events = append(events, e)
	}
	c.enqueue(t, events...)
	ids := idsOf(c.pending(t))
	for most, want := range map[int64]int{1: 1, 999: 1, 1000: 1, 1999: 1, 2000: 2, 3500: 3, 5000: 5, 1 << 40: 5} {
		rows, err := c.db.Pending(t.Context(), 0, outbox.Exclusion{}, 100, most)
		must(t, err)
		idsAre(t, "pending in bytes", rows, ids[:want]...)
		rows, err = c.db.Load(t.Context(), ids, most)
		must(t, err)
		idsAre(t, "load in bytes", rows, ids[:want]...)
	}
}

func (c outboxCase[T]) exclusions(t *testing.T) {
	for _, m := range [][2]string{{"a", "1"}, {"a", "2"}, {"b", "1"}, {"a", ""}, {"b", "<&'\"김"}, {"c", "1"}, {"a", "1"}} {
		c.enqueue(t, event.New(m[0], m[1], 1))
	}
	all := idsOf(c.pending(t))
	pick := func(places ...int) []int64 {
		var out []int64
		for _, p := range places {
			out = append(out, all[p])
		}
		return out
	}
	between := func(first, last int) outbox.Range { return outbox.Range{First: all[first], Last: all[last]} }
	for _, x := range []struct {
		name   string
		except outbox.Exclusion
		want   []int64
	}{
		{"topic", outbox.Exclusion{Topics: []string{"a"}}, pick(2, 4, 5)},
		{"topics", outbox.Exclusion{Topics: []string{"a", "c", "no such"}}, pick(2, 4)},
		{"key", outbox.Exclusion{Keys: []outbox.TopicKey{{Topic: "a", Key: "1"}}}, pick(1, 2, 3, 4, 5)},
		{"odd key", outbox.Exclusion{Keys: []outbox.TopicKey{{Topic: "b", Key: "<&'\"김"}}}, pick(0, 1, 2, 3, 5, 6)},
		{"empty key", outbox.Exclusion{Keys: []outbox.TopicKey{{Topic: "a"}}}, all},
		{"id", outbox.Exclusion{IDs: []outbox.Range{between(0, 0)}}, pick(1, 2, 3, 4, 5, 6)},
		{"ids", outbox.Exclusion{IDs: []outbox.Range{between(0, 1), between(3, 4)}}, pick(2, 5, 6)},
		{"neighbours", outbox.Exclusion{IDs: []outbox.Range{between(1, 2), between(3, 6)}}, pick(0)},
		{"beyond", outbox.Exclusion{IDs: []outbox.Range{{First: 0, Last: all[0]}, {First: all[6], Last: all[6] + 100}}}, pick(1, 2, 3, 4, 5)},
		{"all ways", outbox.Exclusion{Topics: []string{"c"}, Keys: []outbox.TopicKey{{Topic: "a", Key: "1"}, {Topic: "b", Key: "1"}},
			IDs: []outbox.Range{between(3, 3)}}, pick(1, 4)},
	} {
		rows, err := c.db.Pending(t.Context(), 0, x.except, 100, everything)
		must(t, err)
		idsAre(t, x.name, rows, x.want...)
		if rows, err = c.db.Pending(t.Context(), all[0], x.except, 1, everything); err != nil || len(rows) > 1 {
			t.Fatalf("%s, at most one: %v, %v", x.name, rows, err)
		}
		if len(rows) == 1 && rows[0].ID == all[0] {
			t.Fatalf("%s: the row at the bound was returned", x.name)
		}
	}
}

func (c outboxCase[T]) onlyFresh(t *testing.T) {
	ids, lease := c.fill(t, 5), c.lease(t)
	later := time.Now().Add(time.Hour)
	must(t, c.db.Refuse(t.Context(), lease, []outbox.Refusal{{ID: ids[0], Attempts: 1, Next: later, Reason: "r"}}))
	must(t, c.db.Fail(t.Context(), lease, ids[1:3], 0, nil))
	if n, err := c.db.Replay(t.Context(), ids[2]); n != 1 || err != nil {
		t.Fatalf("replay: %d, %v", n, err)
	}
	idsAre(t, "pending", c.pending(t), ids[3], ids[4])
	idsAre(t, "set aside", c.aside(t), ids[0], ids[2])
	if id, ok, err := c.db.OldestPending(t.Context(), 0); id != ids[3] || !ok || err != nil {
		t.Fatalf("oldest: %d, %v, %v", id, ok, err)
	}
}
