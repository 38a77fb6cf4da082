package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

func (c journalCase[T]) roundTrip(t *testing.T) {
	events := []journal.NewEvent{
		{Payload: journal.Payload{Serializer: 31, Manifest: "com.example.주문됨", Data: []byte("{\"n\":1}\x00\xff")},
			Metadata: &journal.Payload{Serializer: 20, Manifest: "trace", Data: []byte("00-abc")},
			Tags:     []string{"blue", `od"d \ {tag}, `, "파랑 🟦", "NULL"}},
		{Payload: journal.Payload{Serializer: 4}},
		{Payload: journal.Payload{Serializer: -1, Manifest: "m", Data: []byte{}}, Metadata: &journal.Payload{Serializer: 41}},
		{Payload: text("last"), Tags: []string{}},
	}
	const id = "order|1"
	at := c.append(t, journal.Write{PersistenceID: id, Writer: testWriter, Events: events})[0]
	equal(t, "sequence number", at.SeqNr, 4)
	isRecent(t, "time", at.Time)
	loaded := c.load(t, id, 1, 0)
	equal(t, "events", len(loaded), len(events))
	for i, got := range loaded {
		want := journal.Event{PersistenceID: id, SeqNr: int64(i + 1), Time: at.Time, Payload: withBytes(events[i].Payload), Writer: testWriter}
		if m := events[i].Metadata; m != nil {
			*m = withBytes(*m)
			want.Metadata = m
		}
		if len(events[i].Tags) > 0 {
			want.Tags = events[i].Tags
		}
		got.Payload = withBytes(got.Payload)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("event %d:\n got %+v\nwant %+v", i+1, got, want)
		}
	}
}

// withBytes: no bytes may come back as nil or as an empty slice.
func withBytes(p journal.Payload) journal.Payload {
	if p.Data == nil {
		p.Data = []byte{}
	}
	return p
}

var oddIDs = []string{
	"plain", "주문|서울-1", "cart|😀", "a|b|c", "|", "x|' OR 1=1 --", `quote"s|\back{slash},`, "50%|_", " space | s ", "order|" + strings.Repeat("é", 124),
	"new\nline|\ttab", "Order|1", "order|1",
}

func (c journalCase[T]) oddIDs(t *testing.T) {
	var writes []journal.Write
	for _, id := range oddIDs {
		writes = append(writes, withMessage(write(id, 0, "of "+id)))
	}
	c.append(t, writes...)
	for _, id := range oddIDs {
		c.append(t, write(id, 1, "more"))
		c.hasEvents(t, id, "of "+id, "more")
		c.standsAt(t, id, 2)
		must(t, c.db.SaveSnapshot(t.Context(), journal.Snapshot{PersistenceID: id, SeqNr: 2, Payload: text(id)}))
		s, ok, err := c.db.LoadSnapshot(t.Context(), id, 0)
		must(t, err)
		equal(t, "the snapshot of "+id, string(s.Payload.Data), id)
		equal(t, "a snapshot is there", ok, true)
		c.writeState(t, stateOf(id, 1, id))
		c.hasState(t, id, 1, id)
	}
	c.hasMessages(t, oddIDs...)
	for _, id := range []string{"order|2", "ORDER|1", "order", "nul\x00", "no utf\xff", ""} {
		c.hasEvents(t, id)
		c.standsAt(t, id, 0)
	}
}

func (c journalCase[T]) large(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	blob := make([]byte, 1<<20)
	for i := range blob {
		blob[i] = byte(random.Uint32())
	}
	const id = "blob|1"
	const n = 12
	for i := range n {
		size := []int{1 << 20, 100, 1 << 19}[i%3]
		c.append(t, journal.Write{PersistenceID: id, After: int64(i), Events: []journal.NewEvent{
			{Payload: journal.Payload{Serializer: 4, Data: blob[i:size]},
				Metadata: &journal.Payload{Serializer: 4, Data: blob[:1000*i]}}}})
	}
	loaded := c.load(t, id, 1, 0)
	equal(t, "events", len(loaded), n)
	for i, e := range loaded {
		size := []int{1 << 20, 100, 1 << 19}[i%3]
		if !bytes.Equal(e.Payload.Data, blob[i:size]) || !bytes.Equal(e.Metadata.Data, blob[:1000*i]) {
			t.Fatalf("event %d came back with other bytes", e.SeqNr)
		}
	}
}

func (c journalCase[T]) largeGroup(t *testing.T) {
	const n = 500
	var writes []journal.Write
	for i := range n {
		w := write(fmt.Sprintf("many|%d", i), 0)
		for e := range i%4 + 1 {
			w.Events = append(w.Events, journal.NewEvent{Payload: text(fmt.Sprintf("%d-%d", i, e))})
		}
		writes = append(writes, withMessage(w))
	}
	for i, a := range c.append(t, writes...) {
		equal(t, "last sequence number of "+writes[i].PersistenceID, a.SeqNr, int64(i%4+1))
	}
	c.hasEvents(t, "many|0", "0-0")
	c.hasEvents(t, "many|499", "499-0", "499-1", "499-2", "499-3")
	equal(t, "results of an empty group", len(c.group(t)), 0)
}

func (c journalCase[T]) bounds(t *testing.T) {
	const n = 2500
	w := write("long|1", 0)
	for i := range n {
		w.Events = append(w.Events, journal.NewEvent{Payload: text(strconv.Itoa(i + 1))})
	}
	c.append(t, w)
	for _, b := range []struct{ from, to, first, last int64 }{
		{0, 0, 1, n}, {1, 0, 1, n}, {-5, 3, 1, 3}, {2, 2, 2, 2}, {n, 0, n, n}, {n - 1, n + 10, n - 1, n}, {n + 1, 0, 0, 0}, {5, 4, 0, 0},
	} {
		next := b.first
		must(t, c.db.Events(t.Context(), "long|1", b.from, b.to, func(e journal.Event) error {
			if e.SeqNr != next || string(e.Payload.Data) != strconv.FormatInt(next, 10) {
				t.Fatalf("from %d to %d: event %d (%s), want %d", b.from, b.to, e.SeqNr, e.Payload.Data, next)
			}
			next++
			return nil
		}))
		if b.first > 0 {
			next--
		}
		equal(t, fmt.Sprintf("the last event from %d to %d", b.from, b.to), next, b.last)
	}
}

func (c journalCase[T]) loadStops(t *testing.T) {
	c.fill(t, "a|1", 3)
	wrong, calls := errors.New("wrong on purpose"), 0
	err := c.db.Events(t.Context(), "a|1", 1, 0, func(journal.Event) error {
		calls++
		return wrong
	})
	if err != wrong || calls != 1 {
		t.Fatalf("%v after %d calls", err, calls)
	}
}

func (c journalCase[T]) loadNested(t *testing.T) {
	c.fill(t, "a|1", 3)
	must(t, c.db.Events(t.Context(), "a|1", 1, 0, func(e journal.Event) error {
		c.append(t, write("b|1", e.SeqNr-1, string(e.Payload.Data)))
		c.hasSeqNrs(t, "a|1", 2, 1, 2)
		return nil
	}))
	c.hasEvents(t, "b|1", "1", "2", "3")
}

func (c journalCase[T]) highest(t *testing.T) {
	c.fill(t, "a|1", 3)
	c.fill(t, "a|2", 1)
	got, err := c.db.HighestSeqNrs(t.Context(), []string{"a|2", "none", "a|1", "a|2", "\x00"})
	must(t, err)
	equalSlices(t, "sequence numbers", got, []int64{1, 0, 3, 1, 0})
	got, err = c.db.HighestSeqNrs(t.Context(), nil)
	must(t, err)
	equal(t, "of no ids", len(got), 0)
}

func (c journalCase[T]) ids(t *testing.T) {
	want := map[string]int{}
	var writes []journal.Write
	for i := range 25 {
		for _, entityType := range []string{"a", "order", "orders", "z"} {
			id := fmt.Sprintf("%s|%d", entityType, i)
			writes = append(writes, write(id, 0, "x", "y"))
			want[entityType]++
		}
	}
	c.append(t, append(writes, write("untyped", 0, "x"))...)
	for entityType, n := range map[string]int{"": len(writes) + 1, "a": 25, "order": 25, "orders": 25, "z": 25, "none": 0, "\xff": 0} {
		seen, after := map[string]bool{}, ""
		for {
			page, err := c.db.PersistenceIDs(t.Context(), entityType, after, 7)
			must(t, err)
			if len(page) == 0 {
				break
			}
			for _, id := range page {
				if seen[id] || entityType != "" && journal.EntityType(id) != entityType || len(page) > 7 {
					t.Fatalf("page %v of type %q after %q", page, entityType, after)
				}
				seen[id], after = true, id
			}
		}
		equal(t, "ids of type "+strconv.Quote(entityType), len(seen), n)
	}
}
