package postgres

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
)

func TestSnapshotsAreRead(t *testing.T) {
	for text, want := range map[string]snapshot{
		"10:10:":         {next: 10},
		"10:20:12,10,17": {next: 20, running: []uint64{10, 12, 17}},
	} {
		got, err := parseSnapshot(text)
		if err != nil || got.next != want.next || !slices.Equal(got.running, want.running) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1:2", "1:x:", "1:2:a"} {
		if s, err := parseSnapshot(text); err == nil {
			t.Errorf("%q: %+v", text, s)
		}
	}
}

func TestBadCursorsAreRefused(t *testing.T) {
	for _, text := range []string{``, `x`, `{}`, `{"xid":5}`, `{"server":"s","xid":5,"open":[7]}`, `{"server":"s","xid":5,"open":[4,3]}`,
		`{"server":"s","xid":5,"open":[3],"cut":{"xid":4}}`, `[1]`} {
		if c, err := parseCursor(journal.Cursor(text)); err == nil {
			t.Errorf("%q is taken for %+v", text, c)
		}
	}
}

// world is a table as readers see it: transactions with rows that become visible
// one by one, in any order.
type world struct {
	rows   []cut // sorted as rows are read
	state  map[uint64]string
	next   uint64
	random *rand.Rand
}

func newWorld(random *rand.Rand) *world {
	return &world{state: map[uint64]string{}, next: 3, random: random}
}

func (w *world) step() {
	if len(w.running()) < 6 && w.random.IntN(2) == 0 {
		for n := range w.random.IntN(5) {
			w.rows = append(w.rows, cut{XID: w.next, PersistenceID: string(rune('a' + w.random.IntN(3))), SeqNr: int64(n)})
		}
		w.state[w.next] = "running"
		w.next++
		slices.SortFunc(w.rows, compareCuts)
	}
	if running := w.running(); len(running) > 0 && w.random.IntN(2) == 0 {
		w.state[running[w.random.IntN(len(running))]] = []string{"committed", "committed", "aborted"}[w.random.IntN(3)]
	}
}

func compareCuts(a, b cut) int {
	if a.XID != b.XID {
		return int(a.XID) - int(b.XID)
	}
	return compareRows(a.PersistenceID, a.SeqNr, b.PersistenceID, b.SeqNr)
}

func (w *world) running() (all []uint64) {
	for xid, state := range w.state {
		if state == "running" {
			all = append(all, xid)
		}
	}
	slices.Sort(all)
	return all
}

// snapshot ends, as the server's, after the last transaction that has ended.
func (w *world) snapshot() snapshot {
	s := snapshot{next: 3}
	for xid, state := range w.state {
		if state != "running" {
			s.next = max(s.next, xid+1)
		}
	}
	s.running = below(w.running(), s.next)
	return s
}

// page reads as the statements do.
func (w *world) page(c cursor, limit int) (rows []cut, next cursor) {
	s := w.snapshot()
	spans := c.unread(s)
	done := c.cutOrNone()
	for i := range spans.low {
		for _, r := range w.rows {
			if r.XID < spans.low[i] || r.XID > spans.high[i] || w.state[r.XID] != "committed" ||
				r.XID == done.XID && compareRows(r.PersistenceID, r.SeqNr, done.PersistenceID, done.SeqNr) <= 0 {
				continue
			}
			if rows = append(rows, r); len(rows) == limit {
				return rows, c.afterRow(s, r, time.Time{})
			}
		}
	}
	highest := uint64(0)
	for _, r := range w.rows {
		if w.state[r.XID] == "committed" && r.XID < s.next && r.XID >= c.XID {
			highest = max(highest, r.XID)
		}
	}
	return rows, c.after(s, highest, time.Time{})
}

// TestCursorsReadEveryRowOnce over random transactions that commit in any order,
// with pages that cut them.
func TestCursorsReadEveryRowOnce(t *testing.T) {
	random := testenv.Rand(t)
	for range 600 {
		w := newWorld(random)
		c := cursor{Server: "s"}
		read := map[cut]bool{}
		look := func() int {
			rows, next := w.page(c, 1+random.IntN(4))
			for _, r := range rows {
				if read[r] {
					t.Fatalf("%+v came twice; cursor %+v", r, c)
				}
				read[r] = true
			}
			if !next.valid() {
				t.Fatalf("%+v is followed by %+v", c, next)
			}
			c = next
			return len(rows)
		}
		for range 40 {
			w.step()
			if random.IntN(3) == 0 {
				look()
			}
		}
		for xid, state := range w.state {
			if state == "running" {
				w.state[xid] = "committed"
			}
		}
		for look() > 0 {
		}
		for _, r := range w.rows {
			if w.state[r.XID] == "committed" && !read[r] {
				t.Fatalf("%+v was missed; cursor %+v", r, c)
			}
		}
	}
}

// TestEarlierCursorsMissNothing: what one of two has not read, is read after the
// earlier of both.
func TestEarlierCursorsMissNothing(t *testing.T) {
	random := testenv.Rand(t)
	for range 400 {
		w := newWorld(random)
		readers := [2]cursor{{Server: "s"}, {Server: "s"}}
		unread := [2]map[cut]bool{{}, {}}
		reads := func(n int) {
			rows, next := w.page(readers[n], 1+random.IntN(4))
			for _, r := range rows {
				unread[n][r] = true
			}
			readers[n] = next
		}
		for range 30 {
			w.step()
			reads(random.IntN(2))
		}
		a, b := must(readers[0].encode()), must(readers[1].encode())
		first, err := earlierCursor(a, b)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parseCursor(first)
		if err != nil {
			t.Fatal(err)
		}
		again := map[cut]bool{}
		for {
			rows, next := w.page(c, 3)
			for _, r := range rows {
				again[r] = true
			}
			if c = next; len(rows) == 0 {
				break
			}
		}
		for _, r := range w.rows {
			if w.state[r.XID] == "committed" && r.XID < w.snapshot().next && !again[r] && !(unread[0][r] && unread[1][r]) {
				t.Fatalf("%+v, which one of %s and %s has not read, does not come after %s", r, a, b, first)
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestOneEntityIsInOrderWithinAPage(t *testing.T) {
	of := func(all ...any) (events []journal.Event) {
		for i := 0; i < len(all); i += 2 {
			events = append(events, journal.Event{PersistenceID: all[i].(string), SeqNr: int64(all[i+1].(int))})
		}
		return events
	}
	got := inOrder(of("a", 3, "b", 1, "a", 1, "b", 2, "c", 9, "a", 2))
	want := of("a", 1, "b", 1, "a", 2, "b", 2, "c", 9, "a", 3)
	for i := range want {
		if got[i].PersistenceID != want[i].PersistenceID || got[i].SeqNr != want[i].SeqNr {
			t.Fatalf("at %d: %s %d", i, got[i].PersistenceID, got[i].SeqNr)
		}
	}
}
