package outbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
)

// seeded returns random numbers that a failure can be repeated with.
func seeded(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

func TestRanges(t *testing.T) {
	random := seeded(t)
	for range 500 {
		set := map[int64]bool{}
		var parts []ranges
		for range random.IntN(4) {
			var ids []int64
			for range random.IntN(30) {
				id := 1 + random.Int64N(60)
				ids, set[id] = append(ids, id), true
			}
			parts = append(parts, rangesOf(ids))
		}
		all := union(parts...)
		text, _ := all.MarshalText()
		var back ranges
		if err := back.UnmarshalText(text); err != nil || !slices.Equal(back, all) {
			t.Fatalf("%s read back as %v: %v", text, back, err)
		}
		for id := range int64(62) {
			if all.contains(id) != set[id] {
				t.Fatalf("%s contains %d: %v", text, id, !set[id])
			}
		}
		if all.count() != len(set) || len(all.ids()) != len(set) || !slices.IsSorted(all.ids()) {
			t.Fatalf("%s: %d ids of %d", text, all.count(), len(set))
		}
	}
	for _, bad := range []string{"x", "5-3", "1,1", "3,2", "1-5,4", "-3", "1-", "0", "1-99999999999", "9223372036854775808"} {
		if err := new(ranges).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestPositionIsComparedWithTheReceipt(t *testing.T) {
	three := position{Settled: 4, Batches: []batchMark{{N: 5, Published: rangesOf([]int64{1})}, {N: 6, Dead: rangesOf([]int64{2}), Replay: 3}, {N: 7}}}
	for _, c := range []struct {
		db    int64
		log   position
		found bool
		want  []int64
		err   error
	}{
		{db: 0, found: false},
		{db: 1, found: false, err: ErrPositionLost},
		{db: 3, log: three, found: true, err: ErrDatabaseRestored},
		{db: 4, log: three, found: true, want: []int64{5, 6, 7}},
		{db: 6, log: three, found: true, want: []int64{7}},
		{db: 7, log: three, found: true},
		{db: 8, log: three, found: true, err: ErrPositionLost},
		{db: 4, log: position{Settled: 4}, found: true},
		{db: 5, log: position{Settled: 4}, found: true, err: ErrPositionLost},
	} {
		got, err := unsettled(receipt{N: c.db}, c.log, c.found)
		var n []int64
		for _, b := range got {
			n = append(n, b.N)
		}
		if !errors.Is(err, c.err) || !slices.Equal(n, c.want) {
			t.Errorf("database at %d, log %+v: %v, %v", c.db, c.log, n, err)
		}
	}
	back, err := decodePosition(three.encode())
	if err != nil || string(back.encode()) != string(three.encode()) {
		t.Errorf("read back as %+v: %v", back, err)
	}
	for _, bad := range []string{"", "{}", `{"v":2}`, `{"v":1,"settled":1,"batches":[{"n":3}]}`, `{"v":1,"batches":[{"n":1,"published":"2-1"}]}`} {
		if _, err := decodePosition([]byte(bad)); err == nil {
			t.Errorf("position %q was accepted", bad)
		}
		if _, err := decodeReceipt([]byte(bad)); err == nil && bad != `{"v":1,"settled":1,"batches":[{"n":3}]}` && bad != `{"v":1,"batches":[{"n":1,"published":"2-1"}]}` {
			t.Errorf("receipt %q was accepted", bad)
		}
	}
}

// TestMarkNeverPassesARow lets writers take ids and commit, or not, in any
// order and checks that no row ever appears at or below the mark.
func TestMarkNeverPassesARow(t *testing.T) {
	random := seeded(t)
	moved := 0
	for range 300 {
		var w lowWater
		type writer struct {
			name  string
			first int64
			n     int64
		}
		var open []writer
		var visible []int64
		last := int64(0)
		for step := range 80 {
			switch random.IntN(4) {
			case 0:
				n := 1 + random.Int64N(3)
				open = append(open, writer{fmt.Sprint("w", step), last + 1, n})
				last += n
			case 1:
				if len(open) == 0 {
					continue
				}
				i := random.IntN(len(open))
				x := open[i]
				open = slices.Delete(open, i, i+1)
				if random.IntN(4) == 0 {
					continue // rolled back
				}
				for id := x.first; id < x.first+x.n; id++ {
					if id <= w.mark {
						t.Fatalf("row %d appeared below the mark %d", id, w.mark)
					}
					visible = append(visible, id)
				}
			case 2:
				h := Horizon{LastID: last}
				for _, x := range open {
					h.Writers = append(h.Writers, x.name)
				}
				w.observe(h)
				slices.Sort(visible)
				before := w.mark
				if len(visible) > 0 {
					w.advance(visible[0], true)
				} else {
					w.advance(0, false)
				}
				if len(visible) > 0 && visible[0] <= w.mark {
					t.Fatalf("the mark %d passed row %d", w.mark, visible[0])
				}
				if w.mark > before {
					moved++
				}
			case 3: // published and removed
				if len(visible) > 0 {
					visible = visible[min(len(visible), 1+random.IntN(3)):]
				}
			}
		}
	}
	if moved < 100 {
		t.Errorf("the mark moved only %d times", moved)
	}
}

func rowOf(id int64, key string) Row {
	return Row{ID: id, Message: Message{Topic: "t", Event: event.Event{Key: key}}}
}

// TestSearch publishes batches in which some rows are bad, with every way a
// broker can name suspects: the bad rows alone, or their whole record batch.
func TestSearch(t *testing.T) {
	random := seeded(t)
	for range 2000 {
		n := 1 + random.IntN(40)
		rows, bad := make([]Row, n), map[int64]bool{}
		for i := range rows {
			key := ""
			if random.IntN(4) > 0 {
				key = fmt.Sprint("k", random.IntN(6))
			}
			rows[i] = rowOf(int64(i+1), key)
			bad[rows[i].ID] = random.IntN(10) == 0
		}
		alone := random.IntN(2) == 0
		var published, aside []int64
		s := newSearch(rows)
		tries := 0
		for group := s.next(); group != nil; group = s.next() {
			if tries++; tries > 20*n {
				t.Fatal("no end")
			}
			suspects := suspectsOf(group, bad, alone)
			if len(suspects) == 0 {
				for _, r := range group {
					published = append(published, r.ID)
				}
				s.published()
			} else if culprit, found := s.refused(suspects); found {
				aside = append(aside, culprit.ID)
			}
		}
		checkSearch(t, rows, bad, published, aside)
	}
}

func suspectsOf(group []Row, bad map[int64]bool, alone bool) (out []int) {
	batches := map[int]bool{}
	for _, r := range group {
		batches[len(r.Key)*7+int(r.ID)%2] = batches[len(r.Key)*7+int(r.ID)%2] || bad[r.ID]
	}
	for i, r := range group {
		if alone && bad[r.ID] || !alone && batches[len(r.Key)*7+int(r.ID)%2] {
			out = append(out, i)
		}
	}
	return out
}

func checkSearch(t *testing.T, rows []Row, bad map[int64]bool, published, aside []int64) {
	t.Helper()
	blocked := map[string]bool{}
	for _, r := range rows {
		out, set := slices.Contains(published, r.ID), slices.Contains(aside, r.ID)
		switch {
		case bad[r.ID] && !blocked[r.Key] && !set, !bad[r.ID] && !blocked[r.Key] && !out, (blocked[r.Key] || bad[r.ID]) && out, set && !bad[r.ID]:
			t.Fatalf("row %d of key %q, bad %v, behind a bad one %v: published %v, set aside %v", r.ID, r.Key, bad[r.ID], blocked[r.Key], out, set)
		}
		blocked[r.Key] = blocked[r.Key] || bad[r.ID] && r.Key != ""
	}
	last := map[string]int64{}
	for _, id := range published {
		if key := rows[id-1].Key; key != "" {
			if id < last[key] {
				t.Fatalf("row %d of key %s after %d", id, key, last[key])
			}
			last[key] = id
		}
	}
}

func TestAsideDue(t *testing.T) {
	now := time.Now()
	row := func(id int64, key string, attempts int, wait time.Duration) Row {
		r := rowOf(id, key)
		r.Attempts, r.NextAttempt = attempts, now.Add(wait)
		return r
	}
	a := aside{rows: []Row{
		row(1, "a", 1, time.Hour), row(2, "a", 0, 0), // behind 1
		row(3, "b", 1, -time.Second), row(4, "b", 0, time.Hour), // both due: a replayed one whatever its time
		row(5, "", 1, time.Hour), row(6, "", 2, -1), // no order without a key
		row(7, "c", 5, -1), row(8, "c", 0, 0), // dead, the next waits for it
	}}
	publish, dead := a.due(now, 5, func(string) bool { return false })
	if !slices.Equal(publish, []int64{3, 4, 6}) || !slices.Equal(dead, []int64{7}) {
		t.Errorf("publish %v, dead %v", publish, dead)
	}
	if publish, dead = a.due(now, 5, func(string) bool { return true }); len(publish) > 0 || !slices.Equal(dead, []int64{7}) {
		t.Errorf("held topic: publish %v, dead %v", publish, dead)
	}
	if next := a.nextDue(now); !next.Equal(now.Add(time.Hour)) {
		t.Errorf("next due %v", next.Sub(now))
	}
	if keys := a.keys(); len(keys) != 3 {
		t.Errorf("keys %v", keys)
	}
	if left := a.without(rangesOf([]int64{1, 2, 3})); len(left.rows) != 5 || len(left.keys()) != 2 {
		t.Errorf("%d rows left, keys %v", len(left.rows), left.keys())
	}
}

func TestBackoff(t *testing.T) {
	b := Backoff{}.orDefault(100*time.Millisecond, time.Second)
	for n, most := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 1000: time.Second} {
		for range 50 {
			if d := b.After(n); d < most/2 || d > most {
				t.Fatalf("after %d failures: %s", n, d)
			}
		}
	}
}

func TestPace(t *testing.T) {
	p := pace{rows: 100, most: 100}
	for _, want := range []int{30, 15, 7, 3, 1, 1} {
		tried := min(p.rows, 60)
		if p.learn(tried, errInjected); p.rows != want {
			t.Fatalf("after %d rows failed: %d", tried, p.rows)
		}
	}
	for _, want := range []int{2, 4, 8, 16, 32, 64, 100} {
		if p.learn(p.rows, nil); p.rows != want {
			t.Fatalf("%d rows, want %d", p.rows, want)
		}
	}
}

func TestBinding(t *testing.T) {
	for _, c := range []struct {
		id    Identity
		fresh bool
		err   error
	}{
		{Identity{System: "s"}, true, nil},
		{Identity{System: "s", BoundSystem: "s", BoundCluster: "c"}, false, nil},
		{Identity{System: "", BoundSystem: "s", BoundCluster: "c"}, false, nil},
		{Identity{System: "x", BoundSystem: "s", BoundCluster: "c"}, false, ErrOtherDatabase},
		{Identity{System: "s", BoundSystem: "s", BoundCluster: "x"}, false, ErrOtherCluster},
	} {
		if fresh, err := checkBinding(c.id, "c"); fresh != c.fresh || !errors.Is(err, c.err) || NeedsChoice(err) != (c.err != nil) {
			t.Errorf("%+v: %v, %v", c.id, fresh, err)
		}
	}
}

// TestGap: a broker that holds records up when they come within 3 ms of a
// commit, and one that never does.
func TestGap(t *testing.T) {
	now := time.Now()
	for markers, want := range map[time.Duration]time.Duration{0: 0, 3 * time.Millisecond: 3 * time.Millisecond} {
		var g gap
		late := 0
		for i := range 5000 {
			rest := g.left(now)
			now = now.Add(rest)
			took := time.Millisecond
			if i > 0 && now.Sub(g.ended) < markers {
				took, late = 21*time.Millisecond, late+1
			}
			g.learn(1, now, took)
			now = now.Add(took)
			g.ended = now
		}
		if late > 100 || g.rest < want || g.rest > 2*want+time.Millisecond {
			t.Errorf("markers take %s: rest %s, %d times held up", markers, g.rest, late)
		}
	}
}
