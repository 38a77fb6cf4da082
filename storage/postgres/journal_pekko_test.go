package postgres_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// rowsOfPekko are written the way Pekko does, before and after the migration.
const rowsOfPekko = `
INSERT INTO event_journal (slice, entity_type, persistence_id, seq_nr, writer, adapter_manifest, event_ser_id, event_ser_manifest,
	event_payload, tags, meta_ser_id, meta_ser_manifest, meta_payload, db_timestamp)
SELECT 253, 'order', 'order|1', n, 'akka-writer', '', 20, '', convert_to('event ' || n, 'UTF8'),
	CASE n %% 2 WHEN 0 THEN ARRAY['even', 'a,"b"'] END, CASE n %% 2 WHEN 0 THEN 31 END, CASE n %% 2 WHEN 0 THEN 'meta' END,
	CASE n %% 2 WHEN 0 THEN '\x01'::bytea END, GREATEST(transaction_timestamp(),
	(SELECT db_timestamp + '1 microsecond'::interval FROM event_journal WHERE persistence_id = 'order|1' AND seq_nr = n - 1))
FROM generate_series(%[1]d, %[1]d + 3) AS n;
INSERT INTO durable_state (slice, entity_type, persistence_id, revision, state_ser_id, state_ser_manifest, state_payload, tags, db_timestamp)
VALUES (253, 'order', 'order|%[1]d', 1, 20, NULL, convert_to('state', 'UTF8'), NULL, transaction_timestamp());
INSERT INTO snapshot (slice, entity_type, persistence_id, seq_nr, write_timestamp, snapshot, ser_id, ser_manifest)
VALUES (253, 'order', 'order|1', %[1]d, 1700000000123, '\x02', 4, '')
ON CONFLICT (persistence_id) DO UPDATE SET seq_nr = excluded.seq_nr`

func execAll(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	if err := conn.PgConn().Exec(t.Context(), sql).Close(); err != nil {
		t.Fatal(err)
	}
}

// pekkoSchema is a database as Pekko's published script makes it, with rows.
func pekkoSchema(t testing.TB) (url string, conn *pgx.Conn) {
	t.Helper()
	ddl, err := os.ReadFile("testdata/pekko_tables.sql")
	if err != nil {
		t.Fatal(err)
	}
	url = testenv.Postgres(t)
	conn = connect(t, url)
	execAll(t, conn, string(ddl))
	execAll(t, conn, fmt.Sprintf(rowsOfPekko, 1))
	return url, conn
}

// texts collects the rows of a query of one text column.
func texts(t testing.TB, conn *pgx.Conn, sql string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const describeTables = `
	SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
	FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relname IN ('event_journal', 'snapshot', 'durable_state') AND a.attnum > 0 ORDER BY 1`

const describeIndexes = "SELECT indexdef FROM pg_indexes WHERE tablename IN ('event_journal', 'snapshot', 'durable_state') ORDER BY 1"

func TestPekkosTablesAreTakenAsTheyAre(t *testing.T) {
	url, conn := pekkoSchema(t)
	columns, indexes := texts(t, conn, describeTables), texts(t, conn, describeIndexes)
	db := open(t, url, postgres.Config{})
	added := func(before, after []string) []string {
		for _, b := range before {
			if !slices.Contains(after, b) {
				t.Errorf("changed or gone: %s", b)
			}
		}
		return slices.DeleteFunc(after, func(s string) bool { return slices.Contains(before, s) })
	}
	got := added(columns, texts(t, conn, describeTables))
	if want := []string{"durable_state.xid xid8 false", "event_journal.xid xid8 false"}; !slices.Equal(got, want) {
		t.Errorf("new columns %q", got)
	}
	if got := added(indexes, texts(t, conn, describeIndexes)); len(got) != 4 || strings.Count(strings.Join(got, "\n"), "xid IS") != 4 {
		t.Errorf("new indexes:\n%s", strings.Join(got, "\n"))
	}
	if marked := texts(t, conn, "SELECT persistence_id FROM event_journal WHERE xid IS NOT NULL UNION ALL SELECT persistence_id FROM durable_state WHERE xid IS NOT NULL"); len(marked) > 0 {
		t.Errorf("rows from before the column have one: %q", marked)
	}
	open(t, url, postgres.Config{}) // changes nothing
	execAll(t, conn, postgres.JournalDDL("public"))
	if again := texts(t, conn, describeTables); len(again) != len(columns)+2 {
		t.Errorf("columns after the second time: %q", again)
	}

	// Both write on, and read each other's rows.
	ctx := t.Context()
	r := must[[]journal.Result](t)(db.AppendGroup(ctx, []journal.Write{{PersistenceID: "order|1", After: 4, Writer: journalWriter,
		Events: []journal.NewEvent{{Payload: journal.Payload{Serializer: 20, Data: []byte("event 5")}}}}}))
	if r[0].Err != nil {
		t.Fatal(r[0].Err)
	}
	execAll(t, conn, fmt.Sprintf(rowsOfPekko, 6))
	execAll(t, conn, "UPDATE durable_state SET revision = 2, db_timestamp = transaction_timestamp() WHERE persistence_id = 'order|1' AND revision = 1")
	var last time.Time
	n := int64(0)
	if err := db.Events(ctx, "order|1", 1, 0, func(e journal.Event) error {
		n++
		if e.SeqNr != n || string(e.Payload.Data) != fmt.Sprintf("event %d", n) || e.Time.Before(last) {
			t.Errorf("event %d: %+v", n, e)
		}
		if n%2 == 0 && (!slices.Equal(e.Tags, []string{"even", `a,"b"`}) || e.Metadata == nil || e.Metadata.Manifest != "meta") {
			t.Errorf("event %d: tags %q, metadata %+v", n, e.Tags, e.Metadata)
		}
		last = e.Time
		return nil
	}); err != nil || n != 9 {
		t.Fatal(n, err)
	}
	unmarked := texts(t, conn, "SELECT persistence_id || ' ' || seq_nr FROM event_journal WHERE xid IS NULL UNION ALL SELECT persistence_id FROM durable_state WHERE xid IS NULL ORDER BY 1")
	if want := []string{"order|1 1", "order|1 2", "order|1 3", "order|1 4"}; !slices.Equal(unmarked, want) {
		t.Errorf("rows without a transaction: %q", unmarked)
	}
	state, ok, err := db.LoadState(ctx, "order|6")
	if err != nil || !ok || string(state.Payload.Data) != "state" || state.Payload.Manifest != "" {
		t.Errorf("%+v, %v, %v", state, ok, err)
	}
	snapshot, ok, err := db.LoadSnapshot(ctx, "order|1", 0)
	if err != nil || !ok || snapshot.SeqNr != 6 || snapshot.Time.UnixMilli() != 1700000000123 {
		t.Errorf("%+v, %v, %v", snapshot, ok, err)
	}
}

func TestPekkosTablesOpenedByTwoAtOnce(t *testing.T) {
	url, conn := pekkoSchema(t)
	var both sync.WaitGroup
	for range 3 {
		both.Go(func() {
			db, err := postgres.Open(t.Context(), url, postgres.Config{})
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			if highest, err := db.HighestSeqNrs(t.Context(), []string{"order|1"}); err != nil || highest[0] != 4 {
				t.Error(highest, err)
			}
		})
	}
	both.Wait()
	if n := len(texts(t, conn, describeIndexes)); n != 5+4 {
		t.Errorf("%d indexes", n)
	}
}

// TestMigrationIsKilled: the server process that changes Pekko's tables ends in the
// middle.
func TestMigrationIsKilled(t *testing.T) {
	url, conn := pekkoSchema(t)
	columns := texts(t, conn, describeTables)
	reader := connect(t, url)
	execAll(t, reader, "BEGIN; SELECT FROM durable_state") // the migration waits for its end
	opened := make(chan error)
	go func() {
		db, err := postgres.Open(context.WithoutCancel(t.Context()), url, postgres.Config{})
		if err == nil {
			err = db.Close()
		}
		opened <- err
	}()
	eventually(t, "the migration waits for the reader", func() error {
		killed := texts(t, conn, `SELECT pg_terminate_backend(pid)::text FROM pg_locks
			WHERE NOT granted AND relation = 'durable_state'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		if len(killed) == 0 {
			return fmt.Errorf("nobody waits")
		}
		return nil
	})
	if err := <-opened; err == nil {
		t.Fatal("it was opened by a process that was killed")
	}
	if now := texts(t, conn, describeTables); !slices.Equal(now, columns) {
		t.Errorf("half of it is there: %q", now)
	}
	execAll(t, reader, "COMMIT")
	db := open(t, url, postgres.Config{})
	if highest := must[[]int64](t)(db.HighestSeqNrs(t.Context(), []string{"order|1"})); highest[0] != 4 {
		t.Error(highest)
	}
}

func TestTablesThatAreNotPekkos(t *testing.T) {
	url := testenv.Postgres(t)
	conn := connect(t, url)
	execAll(t, conn, "CREATE TABLE snapshot (id integer PRIMARY KEY, ser_id text)")
	_, err := postgres.Open(t.Context(), url, postgres.Config{})
	if err == nil || !strings.Contains(err.Error(), `"public".snapshot.persistence_id`) || !strings.Contains(err.Error(), `"public".snapshot.ser_id`) {
		t.Fatalf("%v, want one that names the columns", err)
	}
	if left := texts(t, conn, "SELECT tablename::text FROM pg_tables WHERE tablename = 'event_journal'"); len(left) > 0 {
		t.Error("half of the tables are there")
	}
	open(t, url, postgres.Config{Schema: "pabal"})
}

func TestJournalDDL(t *testing.T) {
	const schema = `Ev-ents, o'clock\ 주문`
	ddl := postgres.JournalDDL(schema)
	if left := regexp.MustCompile(`@'?\w+`).FindString(ddl); left != "" {
		t.Errorf("%s was left in", left)
	}
	url := testenv.Postgres(t)
	conn := connect(t, url)
	execAll(t, conn, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize())
	for range 2 {
		execAll(t, conn, ddl)
	}
	before := texts(t, conn, describeTables)
	open(t, url, postgres.Config{Schema: schema})
	if after := texts(t, conn, describeTables); !slices.Equal(before, after) || len(after) == 0 {
		t.Errorf("Open made other tables:\n%s\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}
