package postgres_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// captured are the payloads that are a connector's to publish, in order.
func captured(t testing.TB, db *postgres.DB) (payloads []string) {
	t.Helper()
	ids := must[outbox.Capture](t)(db.Capture(t.Context(), "none", 1000)).IDs
	for _, row := range must[[]outbox.Row](t)(db.Load(t.Context(), ids, 1<<30)) {
		payloads = append(payloads, string(row.Payload))
	}
	return payloads
}

func relayed(t testing.TB, db *postgres.DB) (payloads []string) {
	t.Helper()
	for _, row := range pending(t, db) {
		payloads = append(payloads, string(row.Payload))
	}
	return payloads
}

// begun is an outbox that a relay has had.
func begun(t testing.TB, db *postgres.DB) outbox.Lease {
	t.Helper()
	lease, ok, err := db.AcquireLease(t.Context(), "relay", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := db.Complete(t.Context(), lease, nil, []byte("{}"), false); err != nil {
		t.Fatal(err)
	}
	return lease
}

func switched(t testing.TB, db *postgres.DB, to outbox.Way) {
	t.Helper()
	if err := db.Switch(t.Context(), to, time.Minute); err != nil {
		t.Fatal(err)
	}
	if way := must[outbox.Way](t)(db.Way(t.Context())); way != to {
		t.Fatalf("the way is %s, want %s", way, to)
	}
}

// TestNewOutboxGoesToConnector: rows that no relay has looked at go the new way, in their order; they are
// inserted anew, because a connector has left them out.
func TestNewOutboxGoesToConnector(t *testing.T) {
	db := openNew(t)
	enqueue(t, db, message("t", "k", 1), message("t", "k", 2))
	before := pending(t, db)
	switched(t, db, outbox.ByCapture)
	enqueue(t, db, message("t", "k", 3))
	if got := captured(t, db); !slices.Equal(got, []string{"1", "2", "3"}) || len(relayed(t, db)) > 0 {
		t.Fatalf("a connector has %q, a relay %q", got, relayed(t, db))
	}
	if ids := must[outbox.Capture](t)(db.Capture(t.Context(), "none", 9)).IDs; ids[0] <= before[1].ID {
		t.Errorf("the ids are %v, and were up to %d", ids, before[1].ID)
	}
	// As if the server had crashed between the sequence's change and that of the rows.
	if _, err := db.Pool().Exec(t.Context(), "UPDATE pabal_outbox SET way = 2 WHERE id >= $1", before[1].ID+2); err != nil {
		t.Fatal(err)
	}
	if err := outbox.Move(t.Context(), db, outbox.ByCapture, outbox.MoveConfig{}); err != nil {
		t.Fatal(err)
	}
	if got := captured(t, db); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("after a crash a connector has %q", got)
	}
}

// TestSwitchWaitsForRelay: to a connector nothing goes that a relay may have published, and an outbox with
// FAILED rows is not moved.
func TestSwitchWaitsForRelay(t *testing.T) {
	db := openNew(t)
	enqueue(t, db, message("t", "k", 1), message("t", "k", 2))
	lease := begun(t, db)
	if err := db.Switch(t.Context(), outbox.ByCapture, 50*time.Millisecond); !errors.Is(err, outbox.ErrBusy) {
		t.Fatalf("with rows of a relay: %v", err)
	}
	rows := pending(t, db)
	enqueue(t, db, message("t", "k", 3))
	if c, r := captured(t, db), relayed(t, db); len(c) > 0 || !slices.Equal(r, []string{"1", "2"}) {
		t.Fatalf("a connector has %q, a relay %q", c, r)
	}
	if err := db.Fail(t.Context(), lease, []int64{rows[1].ID}, 0, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := db.Complete(t.Context(), lease, []int64{rows[0].ID}, []byte("{}"), false); err != nil {
		t.Fatal(err)
	}
	if err := db.Switch(t.Context(), outbox.ByCapture, time.Minute); !errors.Is(err, outbox.ErrFailedRows) {
		t.Fatalf("with a FAILED row: %v", err)
	}
	switched(t, db, outbox.ByRelay) // gives up
	if r := relayed(t, db); !slices.Equal(r, []string{"3"}) {
		t.Fatalf("a relay has %q", r)
	}
	if err := db.Switch(t.Context(), outbox.ByCapture, time.Minute); !errors.Is(err, outbox.ErrFailedRows) {
		t.Fatalf("with a FAILED row: %v", err)
	}
	must[int64](t)(db.Replay(t.Context()))
	if err := db.Complete(t.Context(), lease, []int64{rows[1].ID}, []byte("{}"), false); err != nil {
		t.Fatal(err)
	}
	if err := db.Switch(t.Context(), outbox.ByCapture, time.Minute); !errors.Is(err, outbox.ErrBusy) {
		t.Fatalf("with rows of a relay: %v", err)
	}
	enqueue(t, db, message("t", "k", 4))
	if err := db.Complete(t.Context(), lease, []int64{pending(t, db)[0].ID}, []byte("{}"), false); err != nil {
		t.Fatal(err)
	}
	switched(t, db, outbox.ByCapture)
	enqueue(t, db, message("t", "k", 5))
	switched(t, db, outbox.ByRelay)
	enqueue(t, db, message("t", "k", 6))
	if c, r := captured(t, db), relayed(t, db); !slices.Equal(c, []string{"4", "5"}) || !slices.Equal(r, []string{"6"}) {
		t.Errorf("a connector has %q, a relay %q", c, r)
	}
	if started, _, err := db.Left(t.Context(), outbox.ByCapture); err != nil || started != 2 {
		t.Errorf("%d rows are left to a connector, %v", started, err)
	}
}

// TestSwitchWaitsForWriters: a transaction that has enqueued ends first, whatever its isolation; one whose
// snapshot is older than the switch, and enqueues after it, goes the new way. Others do not wait
// for long.
func TestSwitchWaitsForWriters(t *testing.T) {
	db := openNew(t)
	begun(t, db)
	old, err := db.Pool().BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.Serializable})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Rollback(context.Background())
	if _, err := old.Exec(t.Context(), "SELECT count(*) FROM pabal_outbox"); err != nil { // its snapshot
		t.Fatal(err)
	}
	open, err := db.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer open.Rollback(context.Background())
	if err := db.Join(open).InsertOutbox(t.Context(), []outbox.Message{message("t", "k", 1)}); err != nil {
		t.Fatal(err)
	}
	if err := db.Switch(t.Context(), outbox.ByRelay, 50*time.Millisecond); !errors.Is(err, outbox.ErrBusy) {
		t.Fatalf("with an open writer: %v", err)
	}
	enqueue(t, db, message("t", "k", 2)) // does not wait for it
	if err := open.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool().Exec(t.Context(), "DELETE FROM pabal_outbox"); err != nil { // as if published
		t.Fatal(err)
	}
	switched(t, db, outbox.ByCapture)
	if err := db.Join(old).InsertOutbox(t.Context(), []outbox.Message{message("t", "k", 3)}); err != nil {
		t.Fatal(err)
	}
	if err := old.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, r := captured(t, db), relayed(t, db); !slices.Equal(c, []string{"3"}) || len(r) > 0 {
		t.Errorf("a connector has %q, a relay %q", c, r)
	}
}

// TestRepublishedGoTheWayOfNow: rows of the history that are published again, too.
func TestRepublishedGoTheWayOfNow(t *testing.T) {
	db := openNew(t)
	enqueue(t, db, message("t", "k", 1))
	lease := begun(t, db)
	if err := db.Complete(t.Context(), lease, []int64{pending(t, db)[0].ID}, []byte("{}"), true); err != nil {
		t.Fatal(err)
	}
	switched(t, db, outbox.ByCapture)
	if n := must[int64](t)(db.Republish(t.Context(), time.Time{})); n != 1 {
		t.Fatalf("%d rows are back", n)
	}
	if c := captured(t, db); !slices.Equal(c, []string{"1"}) {
		t.Errorf("a connector has %q", c)
	}
}

// TestWrongSlot: a slot of another kind, plugin or database is refused.
func TestWrongSlot(t *testing.T) {
	where := testenv.Postgres(t)
	db, conn := open(t, where, postgres.Config{}), connect(t, where)
	var name string
	if err := conn.QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	elsewhere := connectTo(t, where, "postgres")
	for _, c := range []struct {
		slot, make, want string
		at               *pgx.Conn
	}{
		{name + "_p", "pg_create_physical_replication_slot($1)", "physical", conn},
		{name + "_t", "pg_create_logical_replication_slot($1, 'test_decoding')", "test_decoding", conn},
		{name + "_o", "pg_create_logical_replication_slot($1, 'pgoutput')", "of the database postgres", elsewhere},
		{name + "_g", "pg_create_logical_replication_slot($1, 'pgoutput')", "", conn},
	} {
		if _, err := c.at.Exec(t.Context(), "SELECT "+c.make, c.slot); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.at.Exec(context.Background(), "SELECT pg_drop_replication_slot($1)", c.slot) })
		look := must[outbox.Capture](t)(db.Capture(t.Context(), c.slot, 0))
		if !look.Slot || (look.Wrong == "") != (c.want == "") || !strings.Contains(look.Wrong, c.want) {
			t.Errorf("%s: %+v", c.slot, look)
		}
		s, err := outbox.NewSweeper(db, outbox.SweeperConfig{Slot: c.slot})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); errors.Is(err, outbox.ErrSlot) != (c.want != "") {
			t.Errorf("%s: %v", c.slot, err)
		}
		s.Stop(t.Context())
	}
}

// TestOutboxWithoutRowsWaitsForRows: rows go first, what is enqueued meanwhile waits for them; then there are
// none but what stands behind the messages, which is in no history.
func TestOutboxWithoutRowsWaitsForRows(t *testing.T) {
	db := openNew(t)
	enqueue(t, db, message("t", "k", 1))
	switched(t, db, outbox.ByCapture)
	wantWaiting := func() {
		t.Helper()
		if err := db.Switch(t.Context(), outbox.ByMessage, time.Minute); !errors.Is(err, outbox.ErrBusy) {
			t.Fatal(err)
		}
		if way := must[outbox.Way](t)(db.Way(t.Context())); way != outbox.Waiting {
			t.Fatalf("the way is %s", way)
		}
	}
	wantWaiting()
	enqueue(t, db, message("t", "k", 2))
	wantWaiting()
	if got := captured(t, db); !slices.Equal(got, []string{"1"}) {
		t.Fatalf("a connector has %q", got)
	}
	lease, ok, err := db.AcquireLease(t.Context(), "sweeper", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	sweep := func() {
		t.Helper()
		ids := must[outbox.Capture](t)(db.Capture(t.Context(), "none", 9)).IDs
		if err := db.Complete(t.Context(), lease, ids, nil, true); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	switched(t, db, outbox.ByMessage)
	enqueue(t, db, message("t", "k", 3))
	if got := captured(t, db); !slices.Equal(got, []string{"2"}) {
		t.Fatalf("a connector has %q", got)
	}
	sweep()
	switched(t, db, outbox.ByRelay)
	enqueue(t, db, message("t", "k", 4))
	if left, _, err := db.Left(t.Context(), outbox.ByCapture); err != nil || left != 1 || !slices.Equal(relayed(t, db), []string{"4"}) {
		t.Fatalf("%d rows stand behind messages, a relay has %q, %v", left, relayed(t, db), err)
	}
	sweep()
	if left, _, err := db.Left(t.Context(), outbox.ByCapture); err != nil || left != 0 {
		t.Fatal(left, err)
	}
	if b := must[outbox.Backlog](t)(db.Backlog(t.Context())); b.Completed != 2 {
		t.Errorf("the history is not that of two rows: %+v", b)
	}
	if err := db.Switch(t.Context(), outbox.ByMessage, time.Minute); !errors.Is(err, outbox.ErrMoved) {
		t.Errorf("from a relay: %v", err)
	}
	if err := outbox.Move(t.Context(), db, outbox.ByMessage, outbox.MoveConfig{}); !errors.Is(err, outbox.ErrConfig) {
		t.Errorf("Move: %v", err)
	}
}
