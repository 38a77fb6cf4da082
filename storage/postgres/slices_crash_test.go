package postgres_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestCursorsOutliveACrash though the server gives numbers of transactions that
// left nothing behind again.
func TestCursorsOutliveACrash(t *testing.T) {
	server := testenv.StartPostgres(t, "wal_writer_delay = 10s", "wal_writer_flush_after = 0", "autovacuum = off")
	db := open(t, server.URL, postgres.Config{})
	ctx := t.Context()
	q, rare := journal.Query{Slices: journal.AllSlices()}, journal.Query{Slices: journal.AllSlices(), EntityType: "rare"}
	wentBack := false
	for round := range 3 {
		id := fmt.Sprint("a|", round)
		appendTo(t, db, id, 0)
		if got := readAll(t, db, &q); !slices.Equal(got, []string{id + "/1"}) {
			t.Fatalf("before the crash: %v", got)
		}
		readAll(t, db, &rare)
		for range 300 { // numbers that no log knows
			if _, err := db.Pool().Exec(ctx, "SELECT pg_current_xact_id()"); err != nil {
				t.Fatal(err)
			}
		}
		readAll(t, db, &q)
		readAll(t, db, &rare)
		before := nextXID(t, db)
		crash(t, server.Kill, server.Restart)
		eventually(t, "an append after the restart", func() error {
			results, err := db.AppendGroup(ctx, []journal.Write{eventOf(id, 1)})
			return errors.Join(err, firstError(results))
		})
		wentBack = wentBack || nextXID(t, db) < before
		appendTo(t, db, fmt.Sprint("rare|", round), 0)
		want := []string{id + "/2", fmt.Sprintf("rare|%d/1", round)}
		if got := readAll(t, db, &q); !slices.Equal(got, want) {
			t.Fatalf("after the crash: %v, want %v", got, want)
		}
		if got := readAll(t, db, &rare); !slices.Equal(got, want[1:]) {
			t.Fatalf("after the crash: %v, want %v", got, want[1:])
		}
	}
	if !wentBack {
		t.Error("the numbers never went back: nothing was shown")
	}
}

func firstError(results []journal.Result) error {
	for _, r := range results {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

func nextXID(t *testing.T, db *postgres.DB) (next int64) {
	t.Helper()
	err := db.Pool().QueryRow(t.Context(), "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").Scan(&next)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// TestCursorsOfAnotherServer, or ahead of this one, go on from some minutes
// before, and say so.
func TestCursorsOfAnotherServer(t *testing.T) {
	var log strings.Builder
	db := open(t, testenv.Postgres(t), postgres.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for n := range int64(3) {
		appendTo(t, db, "old|1", n)
	}
	if _, err := db.Pool().Exec(t.Context(), "UPDATE event_journal SET db_timestamp = db_timestamp - interval '2 hours'"); err != nil {
		t.Fatal(err)
	}
	appendTo(t, db, "new|1", 0)
	q := journal.Query{Slices: journal.AllSlices()}
	readAll(t, db, &q)
	appendTo(t, db, "new|1", 1)
	for name, change := range map[string]func(map[string]any){
		"another server": func(c map[string]any) { c["server"] = "1-00000001-5" },
		"a number ahead": func(c map[string]any) { c["xid"] = 1 << 40 },
		"only a time":    func(c map[string]any) { c["from"] = c["time"]; delete(c, "server") },
		"ahead and open": func(c map[string]any) { c["xid"] = 1 << 40; c["open"] = []int{5, 1 << 39} },
	} {
		t.Run(name, func(t *testing.T) {
			fields := map[string]any{}
			if err := json.Unmarshal(q.After, &fields); err != nil {
				t.Fatal(err)
			}
			change(fields)
			moved := q
			moved.After = must[[]byte](t)(json.Marshal(fields))
			want := []string{"new|1/1", "new|1/2"}
			if name == "only a time" {
				want = want[1:]
			}
			ahead := must[int](t)(db.Ahead(t.Context(), moved, 100))
			if got := readAll(t, db, &moved); !slices.Equal(got, want) || ahead != len(want) {
				t.Errorf("read %v, want %v; %d ahead", got, want, ahead)
			}
			if got := readAll(t, db, &moved); len(got) > 0 {
				t.Errorf("again %v", got)
			}
		})
	}
	for _, text := range []string{"another server", "numbers went back"} {
		if !strings.Contains(log.String(), text) {
			t.Errorf("not told of %q: %s", text, log.String())
		}
	}
}

// TestRowsOfADump have numbers of transactions to come; whoever reads, reads them
// once and what is written after them too.
func TestRowsOfADump(t *testing.T) {
	url := testenv.Postgres(t)
	db := open(t, url, postgres.Config{})
	for n := range int64(3) {
		appendTo(t, db, "a|1", n)
	}
	for _, sql := range []string{"UPDATE event_journal SET xid = '900000000' WHERE seq_nr > 1"} {
		if _, err := db.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	restored := open(t, url, postgres.Config{})
	q := journal.Query{Slices: journal.AllSlices(), Limit: 1}
	if got := readAll(t, restored, &q); !slices.Equal(got, []string{"a|1/1", "a|1/2", "a|1/3"}) {
		t.Fatalf("read %v", got)
	}
	appendTo(t, restored, "a|1", 3)
	if got := readAll(t, restored, &q); !slices.Equal(got, []string{"a|1/4"}) {
		t.Fatalf("then %v", got)
	}
}

// TestManyTransactionsOfOthers lie between the events: they are passed page by
// page, and none is too much for one.
func TestManyTransactionsOfOthers(t *testing.T) {
	db := open(t, testenv.Postgres(t), postgres.Config{})
	others := func() {
		const sql = "DO $$ BEGIN FOR i IN 1..25000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
		if _, err := db.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	q, rare := journal.Query{Slices: journal.AllSlices()}, journal.Query{Slices: journal.AllSlices(), EntityType: "rare"}
	var want []string
	others()
	for n := range int64(3) {
		appendTo(t, db, "a|1", n)
		others()
		want = append(want, fmt.Sprint("a|1/", n+1))
	}
	appendTo(t, db, "rare|1", 0)
	p := must[journal.Page](t)(db.Page(t.Context(), rare))
	if len(p.Events) > 0 || !p.More {
		t.Errorf("a first page of %d, more %v", len(p.Events), p.More)
	}
	if got := readAll(t, db, &rare); !slices.Equal(got, []string{"rare|1/1"}) {
		t.Errorf("of the rare type %v", got)
	}
	if got := readAll(t, db, &q); !slices.Equal(got, append(want, "rare|1/1")) {
		t.Errorf("read %v", got)
	}
}
