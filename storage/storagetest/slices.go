package storagetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

// Slices tests the port journal.Reader, and journal.Placer where the database is
// one. open is as in Run.
func Slices[T JournalTx](t *testing.T, open func(t *testing.T) JournalDB[T]) {
	type test = func(slicesCase[T], *testing.T)
	for name, test := range map[string]test{
		"an empty journal":                 slicesCase[T].empty,
		"events come as they were written": slicesCase[T].asWritten,
		"of some slices":                   slicesCase[T].someSlices,
		"of one type":                      slicesCase[T].oneType,
		"of one tag":                       slicesCase[T].oneTag,
		"page by page":                     slicesCase[T].paged,
		"a page ends within a transaction": slicesCase[T].cutTransaction,
		"a cursor is where it was":         slicesCase[T].resumed,
		"a cursor moves past other slices": slicesCase[T].movesOn,
		"deleted events are left out":      slicesCase[T].deletedEvents,
		"rolled back":                      slicesCase[T].rolledBack,
		"large events":                     slicesCase[T].large,
		"now":                              slicesCase[T].now,
		"ahead":                            slicesCase[T].ahead,
		"states":                           slicesCase[T].statesBySlices,
		"states, page by page":             slicesCase[T].statesPaged,
		"writers at once, readers of several cuts": slicesCase[T].concurrent,
		"a transaction open while others commit":   slicesCase[T].openTransaction,
		"woken":                                    slicesCase[T].woken,
		"wake-ups end":                             slicesCase[T].wakeupsEnd,
		"passed":                                   slicesCase[T].passed,
		"bad queries":                              slicesCase[T].badQueries,
		"the database's clock":                     slicesCase[T].clock,
	} {
		t.Run(name, func(t *testing.T) { test(slicesCase[T]{journalCase[T]{open(t)}}, t) })
	}
}

// slicesCase is one empty database; each test gets its own.
type slicesCase[T JournalTx] struct{ journalCase[T] }

// sliceReader reads on from page to page.
type sliceReader struct {
	from journal.Reader
	q    journal.Query
}

func (c slicesCase[T]) reader(q journal.Query) *sliceReader {
	if q.Slices == (journal.SliceRange{}) {
		q.Slices = journal.AllSlices()
	}
	return &sliceReader{c.db, q}
}

func (r *sliceReader) page(t *testing.T) journal.Page {
	t.Helper()
	p, err := r.from.Page(t.Context(), r.q)
	must(t, err)
	if !json.Valid(p.Cursor) {
		t.Fatalf("the cursor %q is no JSON", p.Cursor)
	}
	r.q.After = p.Cursor
	return p
}

// rest reads until there is no more, and checks that pages say so.
func (r *sliceReader) rest(t *testing.T) []journal.Event {
	t.Helper()
	var all []journal.Event
	for {
		p := r.page(t)
		all = append(all, p.Events...)
		if !p.More {
			return all
		}
	}
}

// labels are "id/number" of events.
func labels(events []journal.Event) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = fmt.Sprintf("%s/%d", e.PersistenceID, e.SeqNr)
	}
	return out
}

// comes checks what is read on, in whatever order of entities.
func (r *sliceReader) comes(t *testing.T, want ...string) {
	t.Helper()
	got := labels(r.rest(t))
	sortedEqual(t, "what is read", got, want)
}

func (c slicesCase[T]) empty(t *testing.T) {
	r := c.reader(journal.Query{})
	r.comes(t)
	r.comes(t)
	c.fill(t, "a|1", 2)
	r.comes(t, "a|1/1", "a|1/2")
	r.comes(t)
}

func (c slicesCase[T]) asWritten(t *testing.T) {
	w := write("주문|서울-1", 0, "first")
	w.Events = append(w.Events, journal.NewEvent{
		Payload:  journal.Payload{Serializer: 31, Manifest: "Added", Data: []byte(`{"n":1}`)},
		Metadata: &journal.Payload{Serializer: 20, Manifest: "m", Data: []byte("meta")},
		Tags:     []string{"red", `od"d, {tag}`, "주문"},
	})
	appended := c.append(t, w)[0]
	got := c.reader(journal.Query{}).rest(t)
	want := c.load(t, "주문|서울-1", 1, 0)
	if len(got) != 2 || len(want) != 2 {
		t.Fatalf("%d events by slices, %d by id", len(got), len(want))
	}
	for i := range want {
		sameJSON(t, "event by slices", got[i], want[i])
	}
	if !got[1].Time.Equal(appended.Time) {
		t.Fatalf("time %v, appended at %v", got[1].Time, appended.Time)
	}
}

// sameJSON compares all fields, as JSON.
func sameJSON(t *testing.T, what string, got, want any) {
	t.Helper()
	a, err := json.Marshal(got)
	must(t, err)
	b, err := json.Marshal(want)
	must(t, err)
	if !bytes.Equal(a, b) {
		t.Fatalf("%s:\ngot  %s\nwant %s", what, a, b)
	}
}

// Slices of p1, p2, p10, p500 as in journal's tests.
func (c slicesCase[T]) someSlices(t *testing.T) {
	for _, id := range []string{"p1", "p2", "p10", "p500"} {
		c.fill(t, id, 2)
	}
	for slices, want := range map[journal.SliceRange][]string{
		{Min: 449, Max: 449}:  {"p1/1", "p1/2"},
		{Min: 449, Max: 450}:  {"p1/1", "p1/2", "p2/1", "p2/2"},
		{Min: 0, Max: 448}:    nil,
		{Min: 645, Max: 655}:  {"p10/1", "p10/2", "p500/1", "p500/2"},
		{Min: 656, Max: 1023}: nil,
	} {
		c.reader(journal.Query{Slices: slices}).comes(t, want...)
		c.reader(journal.Query{Slices: slices, Limit: 1}).comes(t, want...)
	}
}

func (c slicesCase[T]) oneType(t *testing.T) {
	c.fill(t, "cart|1", 2)
	c.fill(t, "carts|1", 1)
	c.fill(t, "order|1", 1)
	c.fill(t, "none", 1)
	c.reader(journal.Query{EntityType: "cart"}).comes(t, "cart|1/1", "cart|1/2")
	c.reader(journal.Query{EntityType: "car"}).comes(t)
	c.reader(journal.Query{}).comes(t, "cart|1/1", "cart|1/2", "carts|1/1", "order|1/1", "none/1")
}

func (c slicesCase[T]) oneTag(t *testing.T) {
	w := write("cart|1", 0, "1", "2", "3")
	w.Events[0].Tags, w.Events[2].Tags = []string{"red"}, []string{"blue", "red"}
	other := write("order|1", 0, "1")
	other.Events[0].Tags = []string{"blue"}
	c.append(t, w, other)
	c.reader(journal.Query{Tag: "red"}).comes(t, "cart|1/1", "cart|1/3")
	c.reader(journal.Query{Tag: "blue"}).comes(t, "cart|1/3", "order|1/1")
	c.reader(journal.Query{Tag: "blue", EntityType: "order"}).comes(t, "order|1/1")
	c.reader(journal.Query{Tag: "re"}).comes(t)
}

func (c slicesCase[T]) paged(t *testing.T) {
	var want []string
	for i := range 5 {
		id := fmt.Sprint("a|", i)
		c.fill(t, id, 3)
		want = append(want, id+"/1", id+"/2", id+"/3")
	}
	for _, limit := range []int{1, 2, 4, 7, 15, 100} {
		r := c.reader(journal.Query{Limit: limit})
		got := r.rest(t)
		sortedEqual(t, fmt.Sprint("pages of ", limit), labels(got), want)
		inSequence(t, got, 1)
		if p := r.page(t); len(p.Events) > 0 || p.More {
			t.Fatalf("after the end: %v, more %v", labels(p.Events), p.More)
		}
	}
}

// inSequence checks that the events of each entity have the numbers from the first
// on, each once and in order.
func inSequence(t *testing.T, events []journal.Event, first int64) {
	t.Helper()
	last := map[string]int64{}
	for _, e := range events {
		want := first
		if n, ok := last[e.PersistenceID]; ok {
			want = n + 1
		}
		if e.SeqNr != want {
			t.Fatalf("%s: number %d came where %d is next", e.PersistenceID, e.SeqNr, want)
		}
		last[e.PersistenceID] = e.SeqNr
	}
}

func (c slicesCase[T]) cutTransaction(t *testing.T) {
	var writes []journal.Write
	var want []string
	for _, id := range []string{"b|2", "a|1", "c|3"} {
		writes = append(writes, write(id, 0, "1", "2", "3", "4"))
		for n := 1; n <= 4; n++ {
			want = append(want, fmt.Sprint(id, "/", n))
		}
	}
	c.append(t, writes...)
	for limit := 1; limit <= 12; limit++ {
		r := c.reader(journal.Query{Limit: limit})
		events := r.page(t).Events
		if limit < 12 {
			c.append(t, write(fmt.Sprint("z|", limit), 0, "while it is cut"))
			want = append(want, fmt.Sprint("z|", limit, "/1"))
		}
		events = append(events, r.rest(t)...)
		sortedEqual(t, fmt.Sprint("pages of ", limit), labels(events), want)
		inSequence(t, events, 1)
	}
}

func (c slicesCase[T]) resumed(t *testing.T) {
	c.fill(t, "a|1", 3)
	r := c.reader(journal.Query{Limit: 2})
	got := r.page(t).Events
	later := c.reader(journal.Query{})
	later.q.After = journal.Cursor(strings.Clone(string(r.q.After)))
	c.fill(t, "b|1", 1)
	for range 2 { // the same twice: reading changes nothing
		again := *later
		events := append(got[:len(got):len(got)], again.rest(t)...)
		sortedEqual(t, "read from a cursor", labels(events), []string{"a|1/1", "a|1/2", "a|1/3", "b|1/1"})
	}
}

// movesOn: a reader of which there is nothing comes after what it has looked at.
func (c slicesCase[T]) movesOn(t *testing.T) {
	c.fill(t, "p1", 3)
	r := c.reader(journal.Query{Slices: journal.SliceRange{Min: 0, Max: 100}})
	r.comes(t)
	all := c.reader(journal.Query{After: r.q.After})
	n, err := c.db.Ahead(t.Context(), all.q, 10)
	must(t, err)
	equal(t, "ahead of a cursor that looked at all", n, 0)
}

func (c slicesCase[T]) deletedEvents(t *testing.T) {
	c.fill(t, "a|1", 5)
	c.fill(t, "b|1", 1)
	_, err := c.db.DeleteEvents(t.Context(), "a|1", 3, false)
	must(t, err)
	c.reader(journal.Query{}).comes(t, "a|1/4", "a|1/5", "b|1/1")
	c.reader(journal.Query{Limit: 1}).comes(t, "a|1/4", "a|1/5", "b|1/1")
}

func (c slicesCase[T]) rolledBack(t *testing.T) {
	err := c.db.Update(t.Context(), func(tx T) error {
		if _, err := tx.AppendEvents(t.Context(), []journal.Write{write("a|1", 0, "never")}); err != nil {
			return err
		}
		return errRollback
	})
	if err == nil {
		t.Fatal("committed")
	}
	r := c.reader(journal.Query{})
	r.comes(t)
	c.fill(t, "a|1", 1)
	r.comes(t, "a|1/1")
}

// large: a page is bounded in bytes.
func (c slicesCase[T]) large(t *testing.T) {
	payload := strings.Repeat("x", 3<<20)
	for i := range 8 {
		c.append(t, write("a|1", int64(i), payload))
	}
	r := c.reader(journal.Query{})
	p := r.page(t)
	if len(p.Events) == 0 || len(p.Events) == 8 || !p.More {
		t.Fatalf("a page of %d events of 3 MiB, more %v", len(p.Events), p.More)
	}
	inSequence(t, append(p.Events, r.rest(t)...), 1)
}

func (c slicesCase[T]) badQueries(t *testing.T) {
	for name, q := range map[string]journal.Query{
		"slices": {Slices: journal.SliceRange{Min: 5, Max: 4}},
		"slice":  {Slices: journal.SliceRange{Min: 0, Max: journal.Slices}},
		"kind":   {Slices: journal.AllSlices(), Kind: 7},
		"cursor": {Slices: journal.AllSlices(), After: journal.Cursor(`"what"`)},
	} {
		if _, err := c.db.Page(t.Context(), q); err == nil || c.db.Transient(err) {
			t.Errorf("%s: page: %v", name, err)
		}
		if _, err := c.db.Ahead(t.Context(), q, 1); err == nil {
			t.Errorf("%s: ahead", name)
		}
	}
}

func (c slicesCase[T]) clock(t *testing.T) {
	a, err := c.db.Time(t.Context())
	must(t, err)
	b, err := c.db.Time(t.Context())
	must(t, err)
	if b.Before(a) {
		t.Fatalf("%v, then %v", a, b)
	}
	isRecent(t, "the database's clock", b)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.db.Time(ended); err == nil {
		t.Fatal("time after the context ended")
	}
}
