package pekko_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/pekko"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// itemAdded is peer.ItemAdded, in the JSON of Jackson's serializer.
type itemAdded struct {
	Item  string `json:"item"`
	Count int64  `json:"count"`
}

func registry(t *testing.T) *journal.Registry {
	t.Helper()
	r, err := journal.NewRegistry(append(journal.Primitives(), journal.JSON(journal.TypeOf[itemAdded]("peer.ItemAdded")))...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shared is one database with the tables that Pekko publishes, and both sides on it.
type shared struct {
	t     *testing.T
	db    *postgres.DB
	peer  *pekko.Peer
	types *journal.Registry
}

func open(t *testing.T) *shared {
	t.Helper()
	where := testenv.Postgres(t)
	conn, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, file := range []string{"pekko_tables.sql", "pekko_projection.sql"} {
		ddl, err := os.ReadFile("../../storage/postgres/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), string(ddl)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE peer_view (pid text, seq_nr bigint, event text)"); err != nil {
		t.Fatal(err)
	}
	s := &shared{t: t, peer: pekko.Start(t, where), types: registry(t)}
	if s.db, err = postgres.Open(t.Context(), where, postgres.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask is a request that must succeed; it returns the state where there is one.
func (s *shared) ask(request map[string]any) string {
	s.t.Helper()
	var answer struct{ State string }
	if err := s.peer.Ask(request, &answer); err != nil {
		s.t.Fatalf("%v: %v", request, err)
	}
	return answer.State
}

func (s *shared) append(pid string, after int64, values ...any) error {
	s.t.Helper()
	w := journal.Write{PersistenceID: pid, After: after, Writer: event.NewID()}
	for _, v := range values {
		w.Events = append(w.Events, journal.NewEvent{Payload: s.payload(v)})
	}
	results, err := s.db.AppendGroup(s.t.Context(), []journal.Write{w})
	if err != nil {
		return err
	}
	return results[0].Err
}

func (s *shared) payload(v any) journal.Payload {
	s.t.Helper()
	p, err := s.types.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// load is an entity's state as our side sees it, rendered as the application does.
func (s *shared) load(pid string) string {
	s.t.Helper()
	var texts []string
	err := s.db.Events(s.t.Context(), pid, 1, 0, func(e journal.Event) error {
		v, err := s.types.Unmarshal(e.Payload)
		if err != nil {
			return fmt.Errorf("%s, event %d: %w", pid, e.SeqNr, err)
		}
		texts = append(texts, text(v))
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(texts, ",")
}

func text(v any) string {
	if item, ok := v.(itemAdded); ok {
		return fmt.Sprintf("%s*%d", item.Item, item.Count)
	}
	return fmt.Sprint(v)
}

func (s *shared) equal(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// TestPekkoSharesTheDatabase is the whole: a database made by Pekko's published
// scripts, on which both write, read, project, snapshot and race.
func TestPekkoSharesTheDatabase(t *testing.T) {
	s := open(t)
	for _, part := range []struct {
		name string
		test func(*shared)
	}{
		{"slices agree", slicesAgree},
		{"Pekko writes, we load", pekkoWrites},
		{"we write, Pekko replays", weWrite},
		{"snapshots", snapshots},
		{"durable state", durableState},
		{"one wins a race", race},
		{"we project what both wrote", weProject},
		{"Pekko projects what both wrote, and each takes over from the other", takeOver},
	} {
		t.Run(part.name, func(t *testing.T) {
			here := *s
			here.t = t
			part.test(&here)
		})
	}
}

func slicesAgree(s *shared) {
	random := testenv.Rand(s.t)
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = randomID(random)
	}
	var got []int
	if err := s.peer.Ask(map[string]any{"op": "slices", "ids": ids}, &got); err != nil {
		s.t.Fatal(err)
	}
	for i, id := range ids {
		if want := journal.SliceOf(id); got[i] != want {
			s.t.Fatalf("%q: Pekko says slice %d, we say %d", id, got[i], want)
		}
	}
}

// randomID mixes letters, Korean, emoji and others.
func randomID(random *rand.Rand) string {
	pieces := []func() rune{
		func() rune { return 'a' + rune(random.IntN(26)) },
		func() rune { return 0xAC00 + rune(random.IntN(11172)) },
		func() rune { return 0x1F600 + rune(random.IntN(80)) },
		func() rune { return []rune("|-_ é中~")[random.IntN(7)] },
	}
	id := make([]rune, 1+random.IntN(40))
	for i := range id {
		id[i] = pieces[random.IntN(len(pieces))]()
	}
	return string(id)
}

func pekkoWrites(s *shared) {
	const pid = "Cart|주문-1😀"
	s.ask(map[string]any{"op": "persist", "pid": pid, "events": []any{"a", "b"}})
	want := s.ask(map[string]any{"op": "persist", "pid": pid, "events": []any{map[string]any{"item": "socks", "count": 2}}})
	s.equal("our side", s.load(pid), want)
	s.equal("the state", want, "a,b,socks*2")
}

func weWrite(s *shared) {
	const pid = "Cart|ours"
	if err := s.append(pid, 0, "a", itemAdded{"hat", 7}); err != nil {
		s.t.Fatal(err)
	}
	s.equal("Pekko's replay", s.ask(map[string]any{"op": "replay", "pid": pid}), "a,hat*7")
	s.equal("Pekko goes on", s.ask(map[string]any{"op": "persist", "pid": pid, "events": []any{"c"}}), "a,hat*7,c")
	s.equal("our side", s.load(pid), "a,hat*7,c")
}

func snapshots(s *shared) {
	const pid = "Cart|snapshot"
	s.ask(map[string]any{"op": "persist", "pid": pid, "events": []any{"a", "b"}})
	want := s.ask(map[string]any{"op": "snapshot", "pid": pid}) // it is an event, and the third
	got, ok, err := s.db.LoadSnapshot(s.t.Context(), pid, 0)
	if err != nil || !ok || got.SeqNr != 3 {
		s.t.Fatalf("Pekko's snapshot: got %+v, %v and %v", got, ok, err)
	}
	value, err := s.types.Unmarshal(got.Payload)
	if err != nil {
		s.t.Fatal(err)
	}
	s.equal("Pekko's snapshot", text(value), want)
	// Ours says something else than the events, so that one sees where a state is from.
	err = s.db.SaveSnapshot(s.t.Context(), journal.Snapshot{PersistenceID: pid, SeqNr: 3, Time: time.Now(), Payload: s.payload("ours")})
	if err != nil {
		s.t.Fatal(err)
	}
	s.equal("from our snapshot", s.ask(map[string]any{"op": "replay", "pid": pid}), "ours")
}

func durableState(s *shared) {
	ctx := s.t.Context()
	s.ask(map[string]any{"op": "putState", "pid": "Hello|theirs", "revision": 1, "value": map[string]any{"item": "x", "count": 1}})
	s.ask(map[string]any{"op": "putState", "pid": "Hello|theirs", "revision": 2, "value": map[string]any{"item": "x", "count": 2}})
	got, ok, err := s.db.LoadState(ctx, "Hello|theirs")
	if err != nil || !ok || got.SeqNr != 2 {
		s.t.Fatalf("Pekko's state: got %+v, %v and %v", got, ok, err)
	}
	value, err := s.types.Unmarshal(got.Payload)
	if err != nil {
		s.t.Fatal(err)
	}
	s.equal("Pekko's state", text(value), "x*2")
	for revision := range int64(2) {
		s.writeState(journal.StateWrite{PersistenceID: "Hello|ours", Revision: revision + 1, Payload: s.payload(itemAdded{"y", revision})})
	}
	s.stateIs("Hello|ours", 2, "map[count:1 item:y]")
	s.ask(map[string]any{"op": "putState", "pid": "Hello|ours", "revision": 3, "value": "z"})
	s.stateIs("Hello|ours", 3, "z")
	s.writeState(journal.StateWrite{PersistenceID: "Hello|ours", Revision: 4, Delete: true, Hard: true})
	s.stateIs("Hello|ours", 0, "<nil>")
	err = s.peer.Ask(map[string]any{"op": "putState", "pid": "Hello|theirs", "revision": 2, "value": "late"}, nil)
	if !errors.Is(err, pekko.ErrRefused) {
		s.t.Errorf("a stale revision by Pekko: got %v", err)
	}
	results, err := s.db.WriteStateGroup(ctx, []journal.StateWrite{{PersistenceID: "Hello|theirs", Revision: 2, Payload: s.payload("late")}})
	if err != nil || !errors.Is(results[0].Err, journal.ErrConflict) {
		s.t.Errorf("a stale revision by us: got %+v and %v", results, err)
	}
}

func (s *shared) writeState(w journal.StateWrite) {
	s.t.Helper()
	results, err := s.db.WriteStateGroup(s.t.Context(), []journal.StateWrite{w})
	if err := errors.Join(err, results[0].Err); err != nil {
		s.t.Fatal(err)
	}
}

// stateIs checks what Pekko reads.
func (s *shared) stateIs(pid string, revision int64, value string) {
	s.t.Helper()
	var got struct {
		Revision int64
		Value    any
	}
	if err := s.peer.Ask(map[string]any{"op": "getState", "pid": pid}, &got); err != nil {
		s.t.Fatal(err)
	}
	if got.Revision != revision || fmt.Sprint(got.Value) != value {
		s.t.Errorf("Pekko reads %s as %v at revision %d, want %s at %d", pid, got.Value, got.Revision, value, revision)
	}
}

// race has both sides write the same number: one wins, the other is told, and
// nothing of the loser is there.
func race(s *shared) {
	won := map[string]int{}
	for round := range 20 {
		pid := fmt.Sprintf("Race|%d", round)
		if err := s.append(pid, 0, "first"); err != nil {
			s.t.Fatal(err)
		}
		s.ask(map[string]any{"op": "replay", "pid": pid}) // it stands at 1 now
		var ours, theirs error
		var both sync.WaitGroup
		both.Go(func() {
			theirs = s.peer.Ask(map[string]any{"op": "persist", "pid": pid, "events": []any{"theirs"}}, nil)
		})
		if round%2 == 1 { // and once the other way round
			both.Wait()
		}
		ours = s.append(pid, 1, "ours")
		both.Wait()
		winner := "theirs"
		if ours == nil {
			winner = "ours"
		} else if !errors.Is(ours, journal.ErrConflict) {
			s.t.Fatal(ours)
		}
		if (ours == nil) == (theirs == nil) {
			s.t.Fatalf("round %d: our error is %v, Pekko's is %v: exactly one must win", round, ours, theirs)
		}
		won[winner]++
		s.equal("the journal", s.load(pid), "first,"+winner)
		s.equal("Pekko's replay", s.ask(map[string]any{"op": "replay", "pid": pid}), "first,"+winner)
	}
	s.t.Log("won:", won)
}

// view runs a projection of ours into the table of the application's until done.
func (s *shared) view(name string, do func()) {
	s.t.Helper()
	p, err := projection.New(s.db, s.db, projection.Config[*postgres.Tx]{
		Name: name, Query: journal.Query{EntityType: "Cart"}, Registry: s.types, Workers: 1,
		Handler: func(ctx context.Context, tx *postgres.Tx, e projection.Envelope) error {
			_, err := tx.Exec(ctx, "INSERT INTO peer_view (pid, seq_nr, event) VALUES ($1, $2, $3)", e.PersistenceID, e.SeqNr, text(e.Value))
			return err
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	do()
	if err := p.Stop(context.WithoutCancel(s.t.Context())); err != nil {
		s.t.Error(err)
	}
}

// viewIs waits until the view has every event of the carts, each once, in order.
func (s *shared) viewIs(events int) {
	s.t.Helper()
	var got []string
	testenv.Wait(s.t, fmt.Sprintf("the view to have %d events", events), time.Minute, func() bool {
		got = s.rows("SELECT pid || ' ' || seq_nr || ' ' || event FROM peer_view ORDER BY pid, seq_nr")
		return len(got) >= events
	})
	var want []string
	for _, pid := range s.rows("SELECT DISTINCT persistence_id FROM event_journal WHERE entity_type = 'Cart'") {
		for i, event := range strings.Split(s.load(pid), ",") {
			want = append(want, fmt.Sprintf("%s %d %s", pid, i+1, event))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Fatalf("the view has\n%q, want\n%q", got, want)
	}
}

func (s *shared) rows(query string) []string {
	s.t.Helper()
	rows, err := s.db.Pool().Query(s.t.Context(), query)
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// carts is how many events they have by now.
func (s *shared) carts() int {
	return len(s.rows("SELECT persistence_id FROM event_journal WHERE entity_type = 'Cart'"))
}

func weProject(s *shared) {
	s.view("ours", func() {
		s.viewIs(s.carts())
		s.ask(map[string]any{"op": "persist", "pid": "Cart|live", "events": []any{"a", "b"}})
		if err := s.append("Cart|live2", 0, "c"); err != nil {
			s.t.Fatal(err)
		}
		s.viewIs(s.carts())
	})
}

// takeOver goes from Pekko's projection to ours and back under one name, with
// events on both sides of each change.
func takeOver(s *shared) {
	if _, err := s.db.Pool().Exec(s.t.Context(), "DELETE FROM peer_view"); err != nil {
		s.t.Fatal(err)
	}
	theirs := func(do func()) {
		s.ask(map[string]any{"op": "project", "name": "shared", "entityType": "Cart", "min": 0, "max": 1023})
		do()
		s.ask(map[string]any{"op": "unproject", "name": "shared"})
	}
	step := 0
	more := func() {
		step++
		pid := fmt.Sprintf("Cart|step-%d", step)
		s.ask(map[string]any{"op": "persist", "pid": pid, "events": []any{"a"}})
		s.ask(map[string]any{"op": "release", "pid": pid})
		if err := s.append(pid, 1, "b"); err != nil {
			s.t.Fatal(err)
		}
	}
	theirs(func() { s.viewIs(s.carts()); more(); s.viewIs(s.carts()) })
	more()
	s.view("shared", func() { s.viewIs(s.carts()); more(); s.viewIs(s.carts()) })
	more()
	theirs(func() { s.viewIs(s.carts()); more(); s.viewIs(s.carts()) })
}
