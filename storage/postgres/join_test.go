package postgres_test

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

const userTable = "CREATE TABLE app.orders (id text PRIMARY KEY, total bigint)"

// ways are the transactions that can be joined. Each begins one, and commits it
// where fn returns nil.
func ways(t *testing.T, where string, db *postgres.DB) map[string]func(fn func(*postgres.Tx) error) error {
	ctx := t.Context()
	inPath := where + "&search_path=app"
	viaPgx := func(url string, join func(pgx.Tx) *postgres.Tx) func(func(*postgres.Tx) error) error {
		conn := connect(t, url)
		return func(fn func(*postgres.Tx) error) error {
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return fn(join(tx)) })
		}
	}
	viaSQL := func(url string, join func(*sql.Tx) *postgres.Tx) func(func(*postgres.Tx) error) error {
		pool := must[*sql.DB](t)(sql.Open("pgx", url))
		t.Cleanup(func() { _ = pool.Close() })
		return func(fn func(*postgres.Tx) error) error {
			tx, err := pool.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			if err := fn(join(tx)); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			return tx.Commit()
		}
	}
	return map[string]func(func(*postgres.Tx) error) error{
		"Update":       func(fn func(*postgres.Tx) error) error { return db.Update(ctx, fn) },
		"Join":         viaPgx(inPath, func(tx pgx.Tx) *postgres.Tx { return postgres.Join(tx) }),
		"DB.Join":      viaPgx(where, func(tx pgx.Tx) *postgres.Tx { return db.Join(tx) }),
		"JoinSQL":      viaSQL(inPath, func(tx *sql.Tx) *postgres.Tx { return postgres.JoinSQL(tx) }),
		"DB.JoinSQL":   viaSQL(where, func(tx *sql.Tx) *postgres.Tx { return db.JoinSQL(tx) }),
		"simple proto": viaPgx(where+"&default_query_exec_mode=simple_protocol", func(tx pgx.Tx) *postgres.Tx { return db.Join(tx) }),
	}
}

// odd has everything that text formats trip over.
func odd() outbox.Message {
	e := event.New("order-placed", "k\x00ey \"{,}\\ 열쇠 NULL", map[string]any{"a": "b\x00"}).
		WithHeader("app", `quo"te, {brace} \back`).WithHeader("nul", "\x00")
	e.Time = time.Date(2026, 11, 20, 1, 2, 3, 123456000, time.UTC)
	e.Traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	return outbox.Message{Topic: `top"ic`, Event: e}
}

func TestEveryWayIntoTheOutbox(t *testing.T) {
	where := testenv.Postgres(t)
	db := open(t, where, postgres.Config{Schema: "app"})
	must[any](t)(db.Pool().Exec(t.Context(), userTable))
	for name, update := range ways(t, where, db) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			start := must[outbox.Horizon](t)(db.Horizon(ctx)).LastID
			tombstone, empty := message("t", "", 1), message("t", "k", 2)
			tombstone.Payload, empty.Payload = nil, []byte{}
			want := []outbox.Message{odd(), tombstone, empty}
			err := update(func(tx *postgres.Tx) error {
				if _, err := tx.Exec(ctx, "INSERT INTO app.orders VALUES ($1, $2)", name, 7); err != nil {
					return err
				}
				if (tx.Pgx() == nil) == (tx.SQL() == nil) {
					t.Error("not exactly one transaction below")
				}
				return tx.InsertOutbox(ctx, want)
			})
			if err != nil {
				t.Fatal(err)
			}
			rows := must[[]outbox.Row](t)(db.Pending(ctx, start, outbox.Exclusion{}, 10, 1<<20))
			if len(rows) != len(want) {
				t.Fatalf("%d rows", len(rows))
			}
			for i := range rows {
				if !reflect.DeepEqual(rows[i].Message, want[i]) {
					t.Errorf("row %d:\ngot  %#v\nwant %#v", i, rows[i].Message, want[i])
				}
			}
			failure := errors.New("no")
			err = update(func(tx *postgres.Tx) error {
				if err := tx.InsertOutbox(ctx, want); err != nil {
					return err
				}
				return failure
			})
			if !errors.Is(err, failure) {
				t.Error(err)
			}
			if rows := must[[]outbox.Row](t)(db.Pending(ctx, start, outbox.Exclusion{}, 10, 1<<20)); len(rows) != 3 {
				t.Errorf("%d rows after a rollback", len(rows))
			}
		})
	}
}

func TestEveryWayIntoTheInbox(t *testing.T) {
	where := testenv.Postgres(t)
	db := open(t, where, postgres.Config{Schema: "app"})
	for name, update := range ways(t, where, db) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			claim := must[inbox.Claim](t)(db.Claim(ctx, name, inbox.Partition{Cluster: "c", TopicID: "id", Topic: "t"}, 2))
			at := time.Date(2026, 11, 20, 1, 2, 3, 123456000, time.UTC)
			want := inbox.Waiting{Offset: 5, Key: "\xff\x00", Attempts: 2, Next: at, Headers: []event.Header{{Key: "\xfe", Value: []byte{0, 1}}, {Key: "n"}},
				Value: []byte("\x00\\x\"{}"), Timestamp: at.Add(time.Second), Size: 99, Reason: "bad"}
			follower := inbox.Waiting{Offset: 6, Key: "k", Value: []byte{}}
			err := update(func(tx *postgres.Tx) error {
				if err := tx.AdvanceInbox(ctx, claim, 1, 7); err != nil {
					return err
				}
				if err := tx.AdvanceInbox(ctx, claim, 0, -1); err != nil {
					return err
				}
				unseen, err := tx.MarkInbox(ctx, name, []inbox.Mark{{ID: `b"`, Outcome: inbox.Handled}, {ID: "a", Outcome: inbox.Dead}, {ID: `b"`, Outcome: inbox.Dead}})
				if fmt.Sprint(unseen) != "[true true false]" {
					t.Error(unseen)
				}
				return errors.Join(err, tx.PutWaiting(ctx, claim, []inbox.Waiting{want, follower}))
			})
			if err != nil {
				t.Fatal(err)
			}
			got, ok, err := db.LoadWaiting(ctx, claim, 5)
			if !ok || err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %#v, %v, %v\nwant %#v", got, ok, err, want)
			}
			err = update(func(tx *postgres.Tx) error {
				unseen, err := tx.MarkInbox(ctx, name, []inbox.Mark{{ID: "a", Outcome: inbox.Handled, Redriven: true}, {ID: `b"`, Outcome: inbox.Handled}})
				if fmt.Sprint(unseen) != "[true false]" {
					t.Error(unseen)
				}
				deleted, err2 := tx.DeleteWaiting(ctx, claim, 5)
				again, err3 := tx.DeleteWaiting(ctx, claim, 5)
				if !deleted || again {
					t.Error(deleted, again)
				}
				return errors.Join(err, err2, err3)
			})
			if err != nil {
				t.Fatal(err)
			}
			must[inbox.Claim](t)(db.Claim(ctx, name, claim.Partition, 2))
			if err := update(func(tx *postgres.Tx) error { return tx.AdvanceInbox(ctx, claim, 1, 8) }); !errors.Is(err, inbox.ErrFenced) {
				t.Error(err)
			}
		})
	}
}

// TestLockComesBeforeTheID: whoever waits for the lock has taken no id yet, by
// whatever way and with however many rows.
func TestLockComesBeforeTheID(t *testing.T) {
	where := testenv.Postgres(t)
	db := open(t, where, postgres.Config{Schema: "app"})
	ctx := t.Context()
	lease, _, err := db.AcquireLease(ctx, "test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, db, message("t", "k", 1), message("t", "k", 2))
	if err := db.Complete(ctx, lease, []int64{1, 2}, nil, true); err != nil {
		t.Fatal(err)
	}
	inserts := map[string]func() error{
		"Republish": func() error { _, err := db.Republish(ctx, time.Time{}); return err },
	}
	for name, update := range ways(t, where, db) {
		for _, n := range []int{1, 2, 500} {
			messages := make([]outbox.Message, n)
			for i := range messages {
				messages[i] = message("t", "k", i)
			}
			inserts[fmt.Sprint(name, " ", n)] = func() error {
				return update(func(tx *postgres.Tx) error { return tx.InsertOutbox(ctx, messages) })
			}
		}
	}
	holder := connect(t, where)
	for name, insert := range inserts {
		before := lastID(t, db)
		must[any](t)(holder.Exec(ctx, "SELECT pg_advisory_lock(1885430369, 'app.pabal_outbox'::regclass::oid::int)"))
		done := make(chan error, 1)
		go func() { done <- insert() }()
		eventually(t, name+" waits for the lock", func() error {
			var waiting bool
			err := holder.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 1885430369 AND NOT granted)").Scan(&waiting)
			if err == nil && !waiting {
				err = errors.New("nobody waits")
			}
			return err
		})
		if after := lastID(t, db); after != before {
			t.Errorf("%s: took ids up to %d before it had the lock", name, after)
		}
		must[any](t)(holder.Exec(ctx, "SELECT pg_advisory_unlock_all()"))
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if lastID(t, db) == before {
			t.Errorf("%s: inserted nothing", name)
		}
	}
}

func lastID(t *testing.T, db *postgres.DB) (id int64) {
	t.Helper()
	err := db.Pool().QueryRow(t.Context(), "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM app.pabal_outbox_id").Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestInsertWithoutTheLockIsRefused: an id is never taken by accident.
func TestInsertWithoutTheLockIsRefused(t *testing.T) {
	db := openNew(t)
	_, err := db.Pool().Exec(t.Context(), `INSERT INTO pabal_outbox ("time", topic, key, event_id, type, source, correlation_id,
		causation_id, traceparent, content_type) VALUES (now(), 't', 'k', 'e', 't', '', '', '', '', '')`)
	if err == nil || !strings.Contains(err.Error(), `"id"`) {
		t.Error(err)
	}
}
