package projection_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

func testFiltered[T projection.Tx](t *testing.T, l *lab[T]) {
	r, err := journal.NewRegistry(journal.Primitives()...)
	if err != nil {
		t.Fatal(err)
	}
	r, err = r.WithAdapters(journal.Drop("unused"))
	if err != nil {
		t.Fatal(err)
	}
	l.config.Registry = r
	events := evs("p1", 6)
	for _, n := range []int{3, 4, 6} {
		events[n-1].Payload.Manifest = "unused"
	}
	l.journal.deliver(events...)
	l.start()
	l.reads(map[string]string{"p1": "e1|e2|e5"}, "p1:6")
}

func testStartInTheMiddle[T projection.Tx](t *testing.T, l *lab[T]) {
	l.journal.deliver(evs("p1", 3)...)
	now, err := l.journal.Now(t.Context(), journal.Events)
	if err != nil {
		t.Fatal(err)
	}
	l.config.Start = now
	l.start()
	l.journal.deliver(ev("p1", 4, 4, "e4"), ev("p2", 1, 5, "e1"))
	l.journal.deliver(ev("p1", 3, 3, "e3")) // read again while backtracking
	l.journal.deliver(ev("p1", 5, 6, "e5"))
	l.reads(map[string]string{"p1": "e4|e5", "p2": "e1"}, "p1:5 p2:1")
}

func testDeletedAndForgotten[T projection.Tx](t *testing.T, l *lab[T]) {
	l.journal.deliver(evs("p1", 2)...)
	l.start()
	l.reads(map[string]string{"p1": "e1|e2"}, "p1:2")
	// 3 and 4 were deleted before they were read
	l.journal.deliver(ev("p1", 5, 5, "e5"))
	l.reads(map[string]string{"p1": "e1|e2|e5"}, "p1:5")
	// all were forgotten, and the entity began anew
	l.journal.forget("p1")
	l.journal.deliver(ev("p1", 1, 10, "new1"), ev("p1", 2, 11, "new2"))
	l.reads(map[string]string{"p1": "e1|e2|e5|new1|new2"}, "p1:2")
	// and once more, with the first of its events read late
	l.journal.forget("p1")
	l.journal.add(ev("p1", 1, 20, "again1"))
	l.journal.deliver(ev("p1", 2, 21, "again2"))
	l.reads(map[string]string{"p1": "e1|e2|e5|new1|new2|again1|again2"}, "p1:2")
}

func testReset[T projection.Tx](t *testing.T, l *lab[T]) {
	l.journal.pageSize = 3
	l.journal.deliver(evs("p1", 6)...)
	p := l.start()
	l.reads(map[string]string{"p1": "e1|e2|e3|e4|e5|e6"}, "p1:6")
	if err := p.Reset(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	l.reads(map[string]string{"p1": "e1|e2|e3|e4|e5|e6|e1|e2|e3|e4|e5|e6"}, "p1:6")
	if err := p.Reset(t.Context(), memCursor(3)); err != nil {
		t.Fatal(err)
	}
	l.reads(map[string]string{"p1": "e1|e2|e3|e4|e5|e6|e1|e2|e3|e4|e5|e6|e4|e5|e6"}, "p1:6")
}

func testUnknownType[T projection.Tx](t *testing.T, l *lab[T]) {
	r, err := journal.NewRegistry(journal.Primitives()...)
	if err != nil {
		t.Fatal(err)
	}
	l.config.Registry, l.config.OnFailure, l.config.Workers = r, projection.Skip, 2
	strange := ev("p1", 3, 3, "?")
	strange.Payload = journal.Payload{Serializer: 77, Manifest: "shop.Cart", Data: []byte("?")}
	l.journal.deliver(append(evs("p1", 2), strange)...) // slice 449
	l.journal.deliver(evs("p10", 3)...)                 // slice 655: the other range
	p := l.start()
	l.reads(map[string]string{"p1": "e1|e2", "p10": "e1|e2|e3"}, "p1:2 p10:3")
	wait(l, "health to name it", func() bool { return p.Health() != nil })
	var stuck *projection.EventError
	if err := p.Health(); !errors.As(err, &stuck) || !errors.Is(err, journal.ErrSerializer) || stuck.PersistenceID != "p1" || stuck.SeqNr != 3 || stuck.Type != "shop.Cart" {
		t.Errorf("health %v", err)
	}
	l.journal.deliver(ev("p10", 4, 9, "e4"))
	l.reads(map[string]string{"p1": "e1|e2", "p10": "e1|e2|e3|e4"}, "p1:2 p10:4")
}

func testStates[T projection.Tx](t *testing.T, l *lab[T]) {
	l.config.Query.Kind = journal.States
	l.journal.deliver(ev("p1", 3, 3, "s3"), ev("p1", 4, 4, "s4"))
	l.start()
	l.reads(map[string]string{"p1": "s3|s4"}, "p1:4")
	gone := ev("p1", 8, 8, "")
	gone.Deleted = true
	l.journal.deliver(
		ev("p1", 4, 4, "s4"), ev("p1", 2, 2, "s2"), // known, and older
		ev("p1", 7, 7, "s7"), gone, // revisions between are not there any more
		ev("p2", 20, 9, "s20"))
	l.reads(map[string]string{"p1": "s3|s4|s7|deleted", "p2": "s20"}, "p1:8")
	l.journal.deliver(ev("p1", 1, 20, "new")) // its row was removed
	l.reads(map[string]string{"p1": "s3|s4|s7|deleted|new"}, "p1:1")
}

func testTagged[T projection.Tx](t *testing.T, l *lab[T]) {
	l.config.Query.Tag = "blue"
	events := evs("p1", 9)
	for _, n := range []int{2, 5, 6, 9} {
		events[n-1].Tags = []string{"blue"}
	}
	l.journal.deliver(events[:4]...)
	l.start()
	l.reads(map[string]string{"p1": "e2"}, "p1:2")
	l.journal.add(events[4])
	l.journal.deliver(events[5:]...) // 5, a tagged one, is late
	l.reads(map[string]string{"p1": "e2|e5|e6|e9"}, "p1:9")
}

func testPause[T projection.Tx](t *testing.T, l *lab[T]) {
	p := l.start()
	l.journal.deliver(evs("p1", 2)...)
	l.reads(map[string]string{"p1": "e1|e2"}, "p1:2")
	if err := p.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.journal.deliver(ev("p1", 3, 3, "e3"))
	wait(l, "the pause to be shown", func() bool { return p.Stats().Paused && p.Stats().LagEvents == 1 })
	l.reads(map[string]string{"p1": "e1|e2"}, "p1:2")
	stop(t, p) // it can be stopped, and is paused when it comes back
	p = l.start()
	wait(l, "the pause to be shown again", func() bool { return p.Stats().Paused })
	// by somebody else, as the command line does it
	if err := l.store.SetPaused(t.Context(), l.config.Name, false); err != nil {
		t.Fatal(err)
	}
	l.reads(map[string]string{"p1": "e1|e2|e3"}, "p1:3")
}

// A worker that was taken its slices cannot commit, and does nothing twice.
func testFenced[T projection.Tx](t *testing.T, l *lab[T]) {
	if l.mode == "outside" {
		t.Skip("at least once")
	}
	l.config.Slices, l.config.Workers = []journal.SliceRange{journal.AllSlices()}, 0
	first, second := l.start(), l.start() // each wants all
	for n := range 50 {
		l.journal.deliver(ev("p1", int64(n+1), n, fmt.Sprint(n)))
		if n%10 == 9 {
			wait(l, "the events so far", func() bool { return strings.HasSuffix("|"+l.text("p1"), fmt.Sprintf("|%d", n)) })
		}
	}
	var want []string
	for n := range 50 {
		want = append(want, fmt.Sprint(n))
	}
	if got := l.text("p1"); got != strings.Join(want, "|") {
		t.Errorf("handled %s", got)
	}
	wait(l, "the fight to be seen", func() bool { return first.Stats().Fenced+second.Stats().Fenced > 0 })
}

func testLong[T projection.Tx](t *testing.T, l *lab[T]) {
	l.journal.pageSize = 7
	l.config.BatchSize, l.config.GroupSize = 5, 5
	const entities, each = 9, 30
	var want strings.Builder
	for n := 1; n <= each; n++ {
		for e := range entities {
			l.journal.deliver(ev(fmt.Sprintf("p%d", e), int64(n), n, fmt.Sprint(n)))
		}
		fmt.Fprintf(&want, "|%d", n)
	}
	l.config.OnFailure, l.fails = projection.RetryAndSkip, func(e projection.Envelope) error {
		if e.SeqNr%11 == 0 && e.Attempt == 1 {
			return errBoom
		}
		return nil
	}
	p := l.start()
	wait(l, "all events", func() bool { return p.Stats().Handled >= entities*each })
	for e := range entities {
		if got := "|" + l.text(fmt.Sprintf("p%d", e)); got != want.String() {
			t.Errorf("p%d: %s", e, got)
		}
	}
	wait(l, "no lag", func() bool { s := p.Stats(); return s.LagEvents == 0 && s.LagSeconds == 0 })
}

func testRestart[T projection.Tx](t *testing.T, l *lab[T]) {
	l.journal.deliver(evs("p1", 3)...)
	p := l.start()
	l.reads(map[string]string{"p1": "e1|e2|e3"}, "p1:3")
	stop(t, p)
	stop(t, p) // no effect
	l.journal.deliver(evs("p1", 3)...)
	l.journal.deliver(ev("p1", 4, 4, "e4"))
	began := time.Now()
	p = l.start()
	l.reads(map[string]string{"p1": "e1|e2|e3|e4"}, "p1:4")
	if err := p.Start(t.Context()); err == nil {
		t.Error("started twice")
	}
	for _, r := range p.Stats().Ranges {
		if r.Consumed.Before(began) || !r.Latest.Equal(epoch.Add(4*time.Millisecond)) {
			t.Errorf("range %+v", r)
		}
	}
}
