package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestOpenTransactionsHoldNobodyUp: neither a writing one of this or another
// database of the server nor a read-only one; who it is, is told.
func TestOpenTransactionsHoldNobodyUp(t *testing.T) { holdOpen(t, 2*time.Second) }

func TestTransactionsOpenForMinutesHoldNobodyUp(t *testing.T) {
	testenv.Full(t)
	holdOpen(t, 5*time.Minute)
}

func holdOpen(t *testing.T, held time.Duration) {
	server := testenv.StartPostgres(t) // its transactions are none of another test's
	db := open(t, server.URL, postgres.Config{})
	ctx := t.Context()
	if _, err := db.Pool().Exec(ctx, "CREATE DATABASE other TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	begin := func(conn *pgx.Conn, sql string) pgx.Tx {
		tx := must[pgx.Tx](t)(conn.Begin(ctx))
		if _, err := tx.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
		return tx
	}
	for name, c := range map[string]struct {
		conn *pgx.Conn
		sql  string
		told string
	}{
		"reading":                     {connect(t, server.URL), "SELECT count(*) FROM event_journal", ""},
		"writing":                     {connect(t, server.URL), "CREATE TABLE held_here (n int)", "database postgres"},
		"writing in another database": {connectTo(t, server.URL, "other"), "CREATE TABLE held_there (n int)", "database other"},
	} {
		t.Run(name, func(t *testing.T) {
			tx := begin(c.conn, c.sql)
			told := keepReading(t, db, held)
			if c.told == "" && told != "" || !strings.Contains(told, c.told) {
				t.Errorf("told of %q, want %q", told, c.told)
			}
			if c.told != "" && !strings.Contains(told, fmt.Sprint("process ", c.conn.PgConn().PID())) {
				t.Errorf("told of %q, want process %d", told, c.conn.PgConn().PID())
			}
			if err := tx.Rollback(ctx); err != nil {
				t.Fatal(err)
			}
		})
	}
	if p := must[journal.Page](t)(db.Page(ctx, journal.Query{Slices: journal.AllSlices()})); p.Blocker != "" || p.Backtracking {
		t.Errorf("after the last one ended: %q, backtracking %v", p.Blocker, p.Backtracking)
	}
}

// keepReading appends and reads what it appended, until it has been told of a
// blocker and the time is over.
func keepReading(t *testing.T, db *postgres.DB, least time.Duration) (told string) {
	t.Helper()
	ctx := t.Context()
	q := journal.Query{Slices: journal.AllSlices(), After: must[journal.Cursor](t)(db.Now(ctx, journal.Events))}
	id := "held|" + fmt.Sprint(time.Now().UnixNano())
	until := time.Now().Add(max(least, 2*time.Second))
	for n := int64(0); time.Now().Before(until); n++ {
		appendTo(t, db, id, n)
		p := must[journal.Page](t)(db.Page(ctx, q))
		if len(p.Events) != 1 || p.Events[0].SeqNr != n+1 {
			t.Fatalf("after event %d: %d events", n+1, len(p.Events))
		}
		if p.Backtracking != (p.Blocker != "") {
			t.Fatalf("backtracking %v, blocker %q", p.Backtracking, p.Blocker)
		}
		q.After, told = p.Cursor, p.Blocker
		time.Sleep(5 * time.Millisecond) // the pace of the writer
	}
	return told
}

func appendTo(t testing.TB, db *postgres.DB, id string, after int64) {
	t.Helper()
	results, err := db.AppendGroup(t.Context(), []journal.Write{eventOf(id, after)})
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results)
	}
}

func eventOf(id string, after int64) journal.Write {
	return journal.Write{PersistenceID: id, After: after, Writer: "0197a1b2-0000-7000-8000-000000000003",
		Events: []journal.NewEvent{{Payload: journal.Payload{Serializer: 20, Data: []byte("event")}}}}
}

// readAll reads on to the end.
func readAll(t testing.TB, db *postgres.DB, q *journal.Query) (labels []string) {
	t.Helper()
	for {
		p, err := db.Page(t.Context(), *q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Events {
			labels = append(labels, fmt.Sprintf("%s/%d", e.PersistenceID, e.SeqNr))
		}
		q.After = p.Cursor
		if !p.More {
			slices.Sort(labels)
			return labels
		}
	}
}

// TestEventsOfLateTransactionsComeOnce: of one that was open while the reader
// passed it, page after page, also prepared.
func TestEventsOfLateTransactionsComeOnce(t *testing.T) {
	url := testenv.Postgres(t)
	db := open(t, url, postgres.Config{})
	ctx := t.Context()
	conn := connect(t, url)
	tx := must[pgx.Tx](t)(conn.Begin(ctx))
	var writes []journal.Write
	for n := range 50 {
		writes = append(writes, eventOf(fmt.Sprintf("late|%02d", n), 0))
	}
	if _, err := db.Join(tx, postgres.WithoutNotify()).AppendEvents(ctx, writes); err != nil {
		t.Fatal(err)
	}
	appendTo(t, db, "early|1", 0)
	q := journal.Query{Slices: journal.AllSlices(), Limit: 7}
	if got := readAll(t, db, &q); !slices.Equal(got, []string{"early|1/1"}) {
		t.Fatalf("while it is open: %v", got)
	}
	if canPrepare(t, conn) {
		if _, err := conn.Exec(ctx, "PREPARE TRANSACTION 'late'"); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, db, &q); len(got) > 0 {
			t.Fatalf("while it is prepared: %v", got)
		}
		if _, err := db.Pool().Exec(ctx, "COMMIT PREPARED 'late'"); err != nil {
			t.Fatal(err)
		}
	} else if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	first := must[journal.Page](t)(db.Page(ctx, q))
	appendTo(t, db, "early|1", 1)
	q.After = first.Cursor
	if got := readAll(t, db, &q); len(first.Events) != 7 || len(got) != 44 || !slices.Contains(got, "early|1/2") {
		t.Fatalf("a page of %d, then %v", len(first.Events), got)
	}
}

// TestReadersInOtherProcessesAreWoken by commits of DB, and by joined transactions.
func TestReadersInOtherProcessesAreWoken(t *testing.T) {
	url := testenv.Postgres(t)
	writer, reader := open(t, url, postgres.Config{}), open(t, url, postgres.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	wake, done := reader.Appends(ctx)
	<-wake // after the connect
	wakes := func(what string, write func()) {
		write()
		select {
		case <-wake:
		case <-time.After(30 * time.Second):
			t.Errorf("%s: not woken", what)
		}
	}
	wakes("a group", func() { appendTo(t, writer, "a|1", 0) })
	wakes("an update", func() {
		if err := writer.Update(ctx, func(tx *postgres.Tx) error {
			_, err := tx.AppendEvents(ctx, []journal.Write{eventOf("a|1", 1)})
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	conn := connect(t, url)
	join := func(n int64, options ...postgres.JoinOption) {
		if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := postgres.Join(tx, options...).AppendEvents(ctx, []journal.Write{eventOf("a|1", n)})
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	wakes("joined", func() { join(2) })
	wakes("told to be quiet", func() { join(3, postgres.WithoutNotify()); writer.NotifyJournal() })
	cancel()
	<-done
}
