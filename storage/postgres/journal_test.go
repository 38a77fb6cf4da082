package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

func journalWrite(id string, after int64, events ...string) journal.Write {
	w := journal.Write{PersistenceID: id, After: after, Writer: journalWriter, Messages: []outbox.Message{message("journal", id, 1)}}
	for _, e := range events {
		w.Events = append(w.Events, journal.NewEvent{Payload: journal.Payload{Serializer: 20, Data: []byte(e)}})
	}
	return w
}

func loadTexts(t testing.TB, from journal.Loader, id string) (all []string) {
	t.Helper()
	if err := from.Events(t.Context(), id, 1, 0, func(e journal.Event) error {
		all = append(all, string(e.Payload.Data))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEveryWayIntoTheJournal: transactions of every kind write, and read what they
// wrote.
func TestEveryWayIntoTheJournal(t *testing.T) {
	where := testenv.Postgres(t)
	db := open(t, where, postgres.Config{Schema: "app"})
	for name, update := range ways(t, where, db) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			id := `od"d, {\}` + "\t열쇠|" + name
			first := journalWrite(id, 0, "one", "two\x00\xff")
			first.Events[0].Tags = []string{`a"b`, `\{c,d}`, "NULL", "태그"}
			first.Events[1].Metadata = &journal.Payload{Serializer: 20, Manifest: `m"`, Data: []byte("\x00")}
			if err := update(func(tx *postgres.Tx) error {
				if _, err := tx.AppendEvents(ctx, []journal.Write{first}); err != nil {
					return err
				}
				more := must[[]journal.Appended](t)(tx.AppendEvents(ctx, []journal.Write{journalWrite(id, 2, "three"), journalWrite(id+"b", 0, "x")}))
				states := []journal.StateWrite{{PersistenceID: id, Revision: 1, Payload: first.Events[1].Payload, Tags: first.Events[0].Tags}}
				must[[]journal.Appended](t)(tx.WriteStates(ctx, states))
				states[0].Revision = 2
				must[[]journal.Appended](t)(tx.WriteStates(ctx, states))
				if err := tx.SaveSnapshot(ctx, journal.Snapshot{PersistenceID: id, SeqNr: 3, Payload: first.Events[1].Payload, Metadata: first.Events[1].Metadata}); err != nil {
					return err
				}
				if got := loadTexts(t, tx, id); !slices.Equal(got, []string{"one", "two\x00\xff", "three"}) || more[0].SeqNr != 3 {
					t.Errorf("in the transaction: %q, %+v", got, more)
				}
				if highest, err := tx.HighestSeqNrs(ctx, []string{id, "none"}); err != nil || !slices.Equal(highest, []int64{3, 0}) {
					t.Error(highest, err)
				}
				checkSingles(t, tx, id, first)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if got := loadTexts(t, db, id); len(got) != 3 {
				t.Errorf("after the commit: %q", got)
			}
			checkSingles(t, db, id, first)
			conflict := update(func(tx *postgres.Tx) error {
				_, err := tx.AppendEvents(ctx, []journal.Write{journalWrite(id, 2, "again")})
				return err
			})
			if !errors.Is(conflict, journal.ErrConflict) {
				t.Errorf("%v, want a conflict", conflict)
			}
		})
	}
}

func checkSingles(t testing.TB, from journal.Loader, id string, w journal.Write) {
	t.Helper()
	state, ok, err := from.LoadState(t.Context(), id)
	if err != nil || !ok || state.SeqNr != 2 || !bytes.Equal(state.Payload.Data, w.Events[1].Payload.Data) || !slices.Equal(state.Tags, w.Events[0].Tags) {
		t.Errorf("state: %+v, %v, %v", state, ok, err)
	}
	snapshot, ok, err := from.LoadSnapshot(t.Context(), id, 0)
	if err != nil || !ok || snapshot.SeqNr != 3 || !bytes.Equal(snapshot.Metadata.Data, w.Events[1].Metadata.Data) {
		t.Errorf("snapshot: %+v, %v, %v", snapshot, ok, err)
	}
	if err := from.Events(t.Context(), id, 1, 2, func(e journal.Event) error {
		if want := w.Events[e.SeqNr-1]; !slices.Equal(e.Tags, want.Tags) || (e.Metadata == nil) != (want.Metadata == nil) {
			t.Errorf("event %d: tags %q, metadata %+v", e.SeqNr, e.Tags, e.Metadata)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// TestRefusedByTheDatabaseOnly: what nobody could know beforehand fails alone, too.
func TestRefusedByTheDatabaseOnly(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	must[any](t)(db.Pool().Exec(ctx, "ALTER TABLE event_journal ADD CHECK (event_payload <> 'bad')"))
	must[any](t)(db.Pool().Exec(ctx, "ALTER TABLE durable_state ADD CHECK (state_payload <> 'bad')"))
	results := must[[]journal.Result](t)(db.AppendGroup(ctx, []journal.Write{journalWrite("a|1", 0, "good"), journalWrite("a|2", 0, "good", "bad"), journalWrite("a|3", 0, "good")}))
	bad := journal.Payload{Serializer: 20, Data: []byte("bad")}
	good := journal.Payload{Serializer: 20, Data: []byte("good")}
	results = append(results, must[[]journal.Result](t)(db.WriteStateGroup(ctx, []journal.StateWrite{
		{PersistenceID: "a|1", Revision: 1, Payload: good}, {PersistenceID: "a|2", Revision: 1, Payload: bad}, {PersistenceID: "a|3", Revision: 1, Payload: good}}))...)
	for i, r := range results {
		if (r.Err != nil) != (i%3 == 1) || db.Transient(r.Err) {
			t.Errorf("write %d: %v", i, r.Err)
		}
	}
	if got := append(loadTexts(t, db, "a|1"), loadTexts(t, db, "a|2")...); !slices.Equal(got, []string{"good"}) {
		t.Errorf("%q", got)
	}
	if rows := pending(t, db); len(rows) != 2 {
		t.Errorf("%d messages", len(rows))
	}
}

// TestDeadlockIsRepeated: a group that the server rolls back to end a deadlock is
// written again.
func TestDeadlockIsRepeated(t *testing.T) {
	where := testenv.Postgres(t)
	db := open(t, where, postgres.Config{})
	watcher := connect(t, where)
	for round := 0; db.Repeats() == 0; round++ {
		if round == 20 {
			t.Fatal("the other one was rolled back every time")
		}
		deadlock(t, db, fmt.Sprint(round), func() error {
			if len(texts(t, watcher, `SELECT pid::text FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'`)) == 0 {
				return errors.New("nobody waits")
			}
			return nil
		})
	}
}

// deadlock lets a group and a transaction take two entities in opposite order. One
// of them wins both.
func deadlock(t *testing.T, db *postgres.DB, round string, waits func() error) {
	t.Helper()
	ctx := t.Context()
	first, second := "a|"+round, "b|"+round
	var group sync.WaitGroup
	var results []journal.Result
	err := db.Update(ctx, func(tx *postgres.Tx) error {
		if _, err := tx.AppendEvents(ctx, []journal.Write{journalWrite(second, 0, "transaction")}); err != nil {
			return err
		}
		group.Go(func() {
			var err error
			if results, err = db.AppendGroup(ctx, []journal.Write{journalWrite(first, 0, "group"), journalWrite(second, 0, "group")}); err != nil {
				t.Error(err)
			}
		})
		eventually(t, "the group waits for the transaction", waits)
		_, err := tx.AppendEvents(ctx, []journal.Write{journalWrite(first, 0, "transaction")})
		return err
	})
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	want := "transaction"
	if err != nil {
		if !db.Transient(err) {
			t.Fatal(err)
		}
		want = "group"
	}
	for i, id := range []string{first, second} {
		if got := loadTexts(t, db, id); !slices.Equal(got, []string{want}) || (want == "group") != (results[i].Err == nil) {
			t.Errorf("%s: %q, %v; want those of the %s", id, got, results[i].Err, want)
		}
	}
}

// TestSerializableByDefault: databases whose default is stricter roll back writers
// that ours only lets wait.
func TestSerializableByDefault(t *testing.T) {
	where := testenv.Postgres(t)
	db := open(t, where+"&default_transaction_isolation=serializable", postgres.Config{})
	for round := range int64(200) {
		var both sync.WaitGroup
		var results [2][]journal.Result
		for me := range results {
			both.Go(func() {
				var err error
				if results[me], err = db.AppendGroup(t.Context(), []journal.Write{journalWrite("a|1", round, fmt.Sprint(me)), journalWrite("b|1", round, fmt.Sprint(me))}); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if t.Failed() {
			return
		}
		for i := range 2 {
			if (results[0][i].Err == nil) == (results[1][i].Err == nil) {
				t.Fatalf("round %d: %v, %v", round, results[0][i].Err, results[1][i].Err)
			}
		}
	}
	t.Logf("%d repeated", db.Repeats())
}

// TestKilledWhileAppending: nothing of it is there, and it can be written again.
func TestKilledWhileAppending(t *testing.T) {
	where := testenv.Postgres(t)
	db := open(t, where, postgres.Config{})
	other := connect(t, where)
	execAll(t, other, "BEGIN; LOCK TABLE event_journal")
	group := []journal.Write{journalWrite("a|1", 0, "one"), journalWrite("a|2", 0, "two")}
	done := make(chan error)
	go func() {
		_, err := db.AppendGroup(context.WithoutCancel(t.Context()), group)
		done <- err
	}()
	eventually(t, "the group waits for the lock", func() error {
		if len(texts(t, other, `SELECT pg_terminate_backend(pid)::text FROM pg_locks WHERE NOT granted AND relation = 'event_journal'::regclass`)) == 0 {
			return errors.New("nobody waits")
		}
		return nil
	})
	if err := <-done; err == nil || !db.Transient(err) {
		t.Fatalf("%v, want a transient error", err)
	}
	execAll(t, other, "ROLLBACK")
	if got := loadTexts(t, db, "a|1"); len(got) > 0 {
		t.Fatalf("%q", got)
	}
	for _, r := range must[[]journal.Result](t)(db.AppendGroup(t.Context(), group)) {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
	if rows := pending(t, db); len(rows) != 2 {
		t.Errorf("%d messages", len(rows))
	}
}

// TestSuddenlyLargeEvents: pages of small ones are read without asking for sizes.
func TestSuddenlyLargeEvents(t *testing.T) {
	db := openNew(t)
	small := strings.Split(strings.Repeat("small,", 4999)+"small", ",")
	large := slices.Repeat([]string{strings.Repeat("x", 1<<20)}, 24)
	want := slices.Concat(small, large, small)
	after := int64(0)
	for part := range slices.Chunk(want, 1000) {
		r := must[[]journal.Result](t)(db.AppendGroup(t.Context(), []journal.Write{journalWrite("a|1", after, part...)}))
		if r[0].Err != nil {
			t.Fatal(r[0].Err)
		}
		after = r[0].SeqNr
	}
	for range 2 {
		if got := loadTexts(t, db, "a|1"); !slices.Equal(got, want) {
			t.Fatalf("%d events came back, %d were written, or others", len(got), len(want))
		}
	}
}

// TestAppendsLookByIndex though the statistics say that the table is tiny: plans are
// kept while it grows.
func TestAppendsLookByIndex(t *testing.T) {
	db := open(t, testenv.Postgres(t)+"&plan_cache_mode=force_custom_plan", postgres.Config{})
	first := must[[]journal.Result](t)(db.AppendGroup(t.Context(), []journal.Write{journalWrite("a|1", 0, "1"), journalWrite("a|2", 0, "1")}))
	must[any](t)(db.Pool().Exec(t.Context(), "VACUUM ANALYZE event_journal"))
	err := db.Update(t.Context(), func(tx *postgres.Tx) error {
		for i, r := range first {
			w := journalWrite(fmt.Sprint("a|", i+1), 1, "2")
			w.AfterTime = r.Time
			must[[]journal.Appended](t)(tx.AppendEvents(t.Context(), []journal.Write{w}))
		}
		var scans int
		err := tx.QueryRow(t.Context(), "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relid = 'event_journal'::regclass").Scan(&scans)
		if scans > 0 {
			t.Errorf("the whole table was read %d times", scans)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDeleteIsWholeOrNot: one that fails in the middle leaves all events.
func TestDeleteIsWholeOrNot(t *testing.T) {
	where := testenv.Postgres(t)
	db, other := open(t, where, postgres.Config{}), connect(t, where)
	must[[]journal.Result](t)(db.AppendGroup(t.Context(), []journal.Write{journalWrite("a|1", 0, slices.Repeat([]string{"x"}, 4500)...)}))
	execAll(t, other, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
		CREATE TRIGGER refuse BEFORE DELETE ON event_journal FOR EACH ROW WHEN (OLD.seq_nr = 4100) EXECUTE FUNCTION refuse()`)
	for _, forget := range []bool{false, true} {
		if n, err := db.DeleteEvents(t.Context(), "a|1", 4500, forget); err == nil || n != 0 {
			t.Errorf("forget %v: %d deleted, %v", forget, n, err)
		}
		if got := loadTexts(t, db, "a|1"); len(got) != 4500 {
			t.Errorf("forget %v: %d events are left", forget, len(got))
		}
	}
	execAll(t, other, "DROP TRIGGER refuse ON event_journal")
	if n := must[int64](t)(db.DeleteEvents(t.Context(), "a|1", 4500, true)); n != 4500 {
		t.Errorf("%d deleted", n)
	}
}
