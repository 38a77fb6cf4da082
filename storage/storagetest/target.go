package storagetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/projection"
)

// ReadModel is what Target needs of a view.
type ReadModel interface {
	projection.Target
	// Get decodes a document; ok is false where there is none.
	Get(ctx context.Context, id string, into any) (version int64, ok bool, err error)
	Clear(ctx context.Context) error
}

// Target tests the port projection.Target. open returns an empty read model at each call.
func Target(t *testing.T, open func(t *testing.T) ReadModel) {
	for _, c := range []struct {
		name string
		test func(targetCase, *testing.T)
	}{
		{"a document comes back as it was", targetCase.roundTrip},
		{"the higher version wins", targetCase.versions},
		{"a deleted document stays deleted", targetCase.deleted},
		{"a group", targetCase.group},
		{"what is wrong is refused", targetCase.refuses},
		{"clear", targetCase.clear},
		{"replays and stale workers", targetCase.replays},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(targetCase{open(t)}, t) })
	}
}

type targetCase struct{ view ReadModel }

// Document is what Target stores.
type Document struct {
	Name   string         `json:"name" bson:"name"`
	Amount int64          `json:"amount" bson:"amount"`
	Lines  []string       `json:"lines" bson:"lines"`
	More   map[string]any `json:"more,omitempty" bson:"more,omitempty"`
}

func (c targetCase) apply(t *testing.T, changes ...projection.Change) {
	t.Helper()
	must(t, c.view.Apply(t.Context(), changes))
}

func put(id string, version int64, name string) projection.Change {
	return projection.Change{ID: id, Version: version, Document: Document{Name: name}}
}

func remove(id string, version int64) projection.Change {
	return projection.Change{ID: id, Version: version}
}

// is compares the name of a document, "" for none.
func (c targetCase) is(t *testing.T, id, name string) {
	t.Helper()
	var d Document
	_, ok, err := c.view.Get(t.Context(), id, &d)
	must(t, err)
	if ok != (name != "") || d.Name != name {
		t.Fatalf("document %q: got %q (there: %v), want %q", id, d.Name, ok, name)
	}
}

func (c targetCase) roundTrip(t *testing.T) {
	want := Document{Name: "$김 <\"'&>\x00\u2028 $$NOW", Amount: 1<<53 + 1, Lines: []string{"$a", ""}, More: map[string]any{"a": "$b"}}
	for i, id := range []string{"a", "$odd", "김 <'\"> *?[a]\\", "a:b/c|d"} {
		c.apply(t, projection.Change{ID: id, Version: int64(i + 1), Document: want})
		var got Document
		version, ok, err := c.view.Get(t.Context(), id, &got)
		must(t, err)
		if !ok || version != int64(i+1) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("document %q: version %d, %v: %+v", id, version, ok, got)
		}
	}
	_, ok, err := c.view.Get(t.Context(), "unknown", &Document{})
	must(t, err)
	equal(t, "an unknown document is there", ok, false)
}

func (c targetCase) versions(t *testing.T) {
	c.apply(t, put("a", 9, "nine"))
	c.apply(t, put("a", 9, "nine again"))
	c.is(t, "a", "nine")
	c.apply(t, put("a", 8, "eight"), put("b", 1, "b"))
	c.is(t, "a", "nine")
	c.is(t, "b", "b")
	c.apply(t, put("a", 10, "ten")) // as numbers, not as texts
	c.is(t, "a", "ten")
	c.apply(t, put("a", 1<<53+1, "large"))
	c.apply(t, put("a", 1<<53, "less large"))
	c.is(t, "a", "large")
	c.apply(t, put("a", 1<<53+2, "larger"))
	c.is(t, "a", "larger")
}

func (c targetCase) deleted(t *testing.T) {
	c.apply(t, put("a", 3, "three"))
	c.apply(t, remove("a", 2))
	c.is(t, "a", "three")
	c.apply(t, remove("a", 4))
	c.is(t, "a", "")
	c.apply(t, put("a", 3, "late"))
	c.is(t, "a", "")
	c.apply(t, put("a", 5, "again"))
	c.is(t, "a", "again")
	c.apply(t, remove("never there", 1))
	c.is(t, "never there", "")
}

func (c targetCase) group(t *testing.T) {
	const n = 2500
	var changes []projection.Change
	for i := range n {
		changes = append(changes, put(fmt.Sprint("k", i), 1, fmt.Sprint("n", i)))
	}
	c.apply(t, changes...)
	for i := range n {
		changes[i] = put(fmt.Sprint("k", i), int64(i%2)+1, "second")
	}
	c.apply(t, changes...)
	c.is(t, "k1000", "n1000")
	c.is(t, "k2499", "second")
	c.apply(t)
}

func (c targetCase) refuses(t *testing.T) {
	var none *Document
	for _, change := range []projection.Change{put("", 1, "no id"), put("a", 0, "no version"), put("a", -1, "no version"),
		{ID: "a", Version: 1, Document: none}, {ID: "a", Version: 1, Document: make(chan int)}} {
		err := c.view.Apply(t.Context(), []projection.Change{change})
		if err == nil || errors.Is(err, projection.ErrUnavailable) {
			t.Fatalf("%+v: %v, want an error about the change", change, err)
		}
	}
	c.is(t, "a", "")
}

func (c targetCase) clear(t *testing.T) {
	c.apply(t, put("a", 5, "five"), put("b", 5, "five"), remove("c", 5))
	must(t, c.view.Clear(t.Context()))
	c.is(t, "a", "")
	c.apply(t, put("a", 1, "one"), put("c", 1, "one"))
	c.is(t, "a", "one")
	c.is(t, "c", "one")
}

// replays: several workers apply overlapping pieces of one history, each in its order, some
// from further back than others, some of them twice. In the end every document is as
// its last event left it.
func (c targetCase) replays(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const ids, events, workers = 8, 400, 4
	var history []projection.Change
	last, versions := map[string]string{}, map[string]int64{}
	for i := range events {
		id := fmt.Sprint("k", random.IntN(ids))
		versions[id]++
		change, name := put(id, versions[id], fmt.Sprint("n", i)), fmt.Sprint("n", i)
		if random.IntN(4) == 0 {
			change, name = remove(id, versions[id]), ""
		}
		history, last[id] = append(history, change), name
	}
	var all sync.WaitGroup
	for w := range workers {
		random := rand.New(rand.NewPCG(seed, uint64(w+1)))
		all.Go(func() {
			for at := 0; at < events; {
				end := min(at+1+random.IntN(30), events)
				if err := c.view.Apply(t.Context(), latest(history[at:end])); err != nil {
					t.Error(err)
					return
				}
				if at = end; random.IntN(3) == 0 {
					at = max(0, at-random.IntN(60)) // redelivered
				}
			}
		})
	}
	all.Wait()
	for id, name := range last {
		c.is(t, id, name)
	}
}

// latest change of each document.
func latest(changes []projection.Change) (out []projection.Change) {
	byID := map[string]projection.Change{}
	for _, c := range changes {
		byID[c.ID] = c
	}
	for c := range maps.Values(byID) {
		out = append(out, c)
	}
	return out
}
