package sqlite

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

func TestStatementRunsWithinItself(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, createNumbers, "INSERT INTO n (id) VALUES (1), (2), (3)")
	const above = "SELECT id FROM n WHERE id > $1 ORDER BY id"
	pairs := 0
	for range 2 { // with the statement fresh and kept
		pairs = 0
		err := db.Update(t.Context(), func(tx *Tx) error {
			outer, err := tx.Query(t.Context(), above, 0)
			if err != nil {
				return err
			}
			defer outer.Close()
			for outer.Next() {
				var a int
				if err := outer.Scan(&a); err != nil {
					return err
				}
				inner, err := tx.Query(t.Context(), above, a)
				if err != nil {
					return err
				}
				for inner.Next() {
					pairs++
				}
				if err := inner.Close(); err != nil {
					return err
				}
			}
			return outer.Err()
		})
		if err != nil || pairs != 3 {
			t.Fatalf("%d pairs, %v", pairs, err)
		}
	}
}

func TestStatementsAreBounded(t *testing.T) {
	db := openTest(t, Config{})
	err := db.Update(t.Context(), func(tx *Tx) error {
		for i := range 3 * mostStatements {
			var got int
			if err := tx.QueryRow(t.Context(), fmt.Sprintf("SELECT %d", i)).Scan(&got); err != nil || got != i {
				return fmt.Errorf("got %d: %w", got, err)
			}
		}
		if n := len(tx.on.(*conn).statements); n > mostStatements {
			return fmt.Errorf("%d statements are kept", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStatementsSeeANewSchema(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, createNumbers, "INSERT INTO n (id) VALUES (1)")
	read := func() (columns int) {
		t.Helper()
		err := db.View(t.Context(), func(q storage.Querier) error {
			rows, err := q.Query(t.Context(), "SELECT * FROM n")
			if err != nil {
				return err
			}
			defer rows.Close()
			rows.Next()
			for columns = 1; columns < 5; columns++ {
				if rows.Scan(slices.Repeat([]any{new(any)}, columns)...) == nil {
					return nil
				}
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		return columns
	}
	if n := read(); n != 2 {
		t.Fatalf("%d columns", n)
	}
	exec(t, db, "ALTER TABLE n ADD COLUMN more TEXT")
	if n := read(); n != 3 {
		t.Fatalf("%d columns after ALTER TABLE", n)
	}
}

func TestTimes(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, "CREATE TABLE times (id INTEGER PRIMARY KEY, at TEXT, by TIMESTAMP)")
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := []time.Time{base, base.Add(time.Microsecond), base.Add(100 * time.Millisecond), base.Add(time.Second)}
	ctx := t.Context()
	err := db.Update(ctx, func(tx *Tx) error {
		for i, at := range want {
			at = at.In(time.FixedZone("", -int(time.Hour/time.Second)*(i-1)))
			if _, err := tx.Exec(ctx, "INSERT INTO times (at, by) VALUES ($1, $2)", at, sql.NullTime{Time: at, Valid: true}); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, "SELECT at, by, max(at) FROM times GROUP BY id ORDER BY at")
		if err != nil {
			return err
		}
		defer rows.Close()
		for i := 0; rows.Next(); i++ {
			var at, most time.Time
			var by sql.NullTime
			if err := rows.Scan(&at, &by, &most); err != nil {
				return err
			}
			if !at.Equal(want[i]) || !by.Time.Equal(want[i]) || !most.Equal(want[i]) || at.Location() != time.UTC {
				return fmt.Errorf("row %d: %v, %v, %v, want %v", i, at, by, most, want[i])
			}
		}
		var year string
		if err := tx.QueryRow(ctx, "SELECT strftime('%Y', at) FROM times").Scan(&year); err != nil || year != "2026" {
			return fmt.Errorf("SQLite's year is %q: %w", year, err)
		}
		var none time.Time
		if tx.QueryRow(ctx, "SELECT NULL").Scan(&none) == nil {
			return fmt.Errorf("NULL was read as %v", none)
		}
		if tx.QueryRow(ctx, "SELECT 'yesterday'").Scan(&none) == nil {
			return fmt.Errorf("'yesterday' was read as %v", none)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestJoin: the ports work in a transaction of the user's, opened as he likes.
func TestJoin(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, createNumbers)
	users, err := sql.Open("sqlite", "file:"+db.path+"?_txlock=immediate&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer users.Close()
	ctx := t.Context()
	wake, _ := db.Wakeups(ctx)
	claim, err := db.Claim(ctx, "payment", inbox.Partition{Cluster: "c", TopicID: "t", Topic: "orders"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	work := func(tx *sql.Tx) error {
		joined := Join(tx)
		if _, err := tx.ExecContext(ctx, "INSERT INTO n (id) VALUES (1)"); err != nil {
			return err
		}
		if err := joined.AdvanceInbox(ctx, claim, 0, 5); err != nil {
			return err
		}
		if unseen, err := joined.MarkInbox(ctx, "payment", []inbox.Mark{{ID: "a", Outcome: inbox.Handled}}); err != nil || !unseen[0] {
			return fmt.Errorf("unseen %v: %w", unseen, err)
		}
		var n int
		if err := joined.QueryRow(ctx, "SELECT count(*) FROM n WHERE id = $1", 1).Scan(&n); err != nil || n != 1 {
			return fmt.Errorf("%d rows: %w", n, err)
		}
		return outbox.Enqueue(ctx, joined, event.New("t", "k", 1), event.New("t", "k", 2))
	}
	for i, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
		tx, err := users.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := work(tx); err != nil {
			t.Fatal(err)
		}
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
		rows, err := db.Pending(ctx, 0, outbox.Exclusion{}, 10, 1<<20)
		if err != nil || len(rows) != 2*i || len(numbers(t, db)) != i {
			t.Fatalf("after end %d: %d messages, %v, %v", i, len(rows), numbers(t, db), err)
		}
	}
	select {
	case <-wake:
		t.Fatal("woken without Wake")
	default:
	}
	db.Wake()
	<-wake
	after, err := db.Claim(ctx, "payment", claim.Partition, 1)
	if err != nil || after.Next[0] != 5 {
		t.Fatalf("claim afterwards: %+v, %v", after, err)
	}
}
