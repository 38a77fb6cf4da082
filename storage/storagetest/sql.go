package storagetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// SQL tests storage.DB's own part. open is as in Run.
func SQL(t *testing.T, open func(t *testing.T) storage.DB) {
	for _, c := range []struct {
		name string
		test func(sqlCase, *testing.T)
	}{
		{"update: commit and rollback", sqlCase.update},
		{"update: a panic rolls back and goes on", sqlCase.panics},
		{"update: an ended goroutine rolls back", sqlCase.goexit},
		{"update: a context that ended", sqlCase.ended},
		{"update: a transaction is over when its closure is", sqlCase.over},
		{"update: nothing is lost between many", sqlCase.concurrent},
		{"values come back as they were", sqlCase.values},
		{"a missing row", sqlCase.missing},
		{"rows", sqlCase.rows},
		{"duplicates", sqlCase.duplicates},
		{"view sees one state", sqlCase.viewOneState},
		{"view does not write", sqlCase.viewReadOnly},
		{"migrate: in order, once", sqlCase.migrate},
		{"migrate: a changed file", sqlCase.migrateChanged},
		{"migrate: broken SQL", sqlCase.migrateBroken},
		{"migrate: odd folders", sqlCase.migrateOdd},
		{"migrate: many at once", sqlCase.migrateRace},
		{"ping and close", sqlCase.close},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(sqlCase{open(t)}, t) })
	}
}

// sqlCase is one empty database; each of its tests gets its own.
type sqlCase struct{ db storage.DB }

// exec runs statements in one transaction.
func (c sqlCase) exec(t *testing.T, queries ...string) {
	t.Helper()
	must(t, c.db.Update(t.Context(), func(tx storage.Tx) error {
		for _, query := range queries {
			if _, err := tx.Exec(t.Context(), query); err != nil {
				return err
			}
		}
		return nil
	}))
}

const createThing = "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT UNIQUE, n BIGINT NOT NULL DEFAULT 0 CHECK (n >= 0))"

func (c sqlCase) count(t *testing.T, table string) (n int) {
	t.Helper()
	must(t, c.db.View(t.Context(), func(q storage.Querier) error {
		return q.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n)
	}))
	return n
}

func insertThing(ctx context.Context, tx storage.Tx, id int64) error {
	_, err := tx.Exec(ctx, "INSERT INTO thing (id) VALUES ($1)", id)
	return err
}

func (c sqlCase) update(t *testing.T) {
	c.exec(t, createThing)
	must(t, c.db.Update(t.Context(), func(tx storage.Tx) error { return insertThing(t.Context(), tx, 1) }))
	err := c.db.Update(t.Context(), func(tx storage.Tx) error {
		if err := insertThing(t.Context(), tx, 2); err != nil {
			return err
		}
		var n int
		must(t, tx.QueryRow(t.Context(), "SELECT count(*) FROM thing").Scan(&n))
		equal(t, "rows within the transaction", n, 2)
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		t.Fatalf("Update returned %v", err)
	}
	equal(t, "rows", c.count(t, "thing"), 1)
	equal(t, "a closure's error is transient", c.db.Transient(err), false)
}

func (c sqlCase) panics(t *testing.T) {
	c.exec(t, createThing)
	func() {
		defer func() {
			if got := recover(); got != any(errOnPurpose) {
				t.Fatalf("recovered %v", got)
			}
		}()
		_ = c.db.Update(t.Context(), func(tx storage.Tx) error {
			must(t, insertThing(t.Context(), tx, 1))
			panic(errOnPurpose)
		})
	}()
	must(t, c.db.Update(t.Context(), func(tx storage.Tx) error { return insertThing(t.Context(), tx, 2) }))
	equal(t, "rows", c.count(t, "thing"), 1)
}

func (c sqlCase) goexit(t *testing.T) {
	c.exec(t, createThing)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.db.Update(t.Context(), func(tx storage.Tx) error {
			if err := insertThing(t.Context(), tx, 1); err != nil {
				t.Error(err)
			}
			runtime.Goexit() // as t.Fatal does
			return nil
		})
	}()
	receive(t, "the end of the goroutine", ended)
	must(t, c.db.Update(t.Context(), func(tx storage.Tx) error { return insertThing(t.Context(), tx, 2) }))
	equal(t, "rows", c.count(t, "thing"), 1)
}

func (c sqlCase) ended(t *testing.T) {
	c.exec(t, createThing)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	err := c.db.Update(ctx, func(storage.Tx) error { ran = true; return nil })
	if !errors.Is(err, context.Canceled) || ran {
		t.Fatalf("with an ended context: %v, the closure ran: %v", err, ran)
	}
	ctx, cancel = context.WithCancel(t.Context())
	err = c.db.Update(ctx, func(tx storage.Tx) error {
		if err := insertThing(ctx, tx, 1); err != nil {
			return err
		}
		cancel()
		return insertThing(ctx, tx, 2)
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a context that ended within: %v", err)
	}
	equal(t, "rows", c.count(t, "thing"), 0)
}

func (c sqlCase) over(t *testing.T) {
	c.exec(t, createThing)
	var kept storage.Tx
	must(t, c.db.Update(t.Context(), func(tx storage.Tx) error { kept = tx; return insertThing(t.Context(), tx, 1) }))
	if err := insertThing(t.Context(), kept, 2); err == nil {
		t.Fatal("a statement ran after the transaction")
	}
	equal(t, "rows", c.count(t, "thing"), 1)
}

func (c sqlCase) concurrent(t *testing.T) {
	c.exec(t, createThing, "INSERT INTO thing (id) VALUES (1)")
	const callers, each = 8, 40
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				err := c.db.Update(t.Context(), func(tx storage.Tx) error {
					_, err := tx.Exec(t.Context(), "UPDATE thing SET n = n + 1 WHERE id = $1", 1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var n int
	must(t, c.db.View(t.Context(), func(q storage.Querier) error {
		return q.QueryRow(t.Context(), "SELECT n FROM thing").Scan(&n)
	}))
	equal(t, "the counter", n, callers*each)
}

func (c sqlCase) values(t *testing.T) {
	ctx := t.Context()
	c.exec(t, "CREATE TABLE v (id BIGINT PRIMARY KEY, n BIGINT, s TEXT, b BYTEA, f DOUBLE PRECISION, t TIMESTAMPTZ, ok BOOLEAN)")
	at := time.Date(2026, 2, 3, 4, 5, 6, 789012000, time.FixedZone("", 9*3600))
	type values struct {
		n  *int64
		s  *string
		b  []byte
		f  *float64
		t  *time.Time
		ok *bool
	}
	rows := []values{
		{new(int64(-1 << 62)), new("김 \"'<&"), []byte{0, 0xff}, new(1.5), new(at), new(true)},
		{new(int64(0)), new(""), []byte{}, new(0.0), new(at.Truncate(time.Second)), new(false)},
		{},
	}
	must(t, c.db.Update(ctx, func(tx storage.Tx) error {
		for i, v := range rows {
			n, err := tx.Exec(ctx, "INSERT INTO v VALUES ($1, $2, $3, $4, $5, $6, $7)", i, v.n, v.s, v.b, v.f, v.t, v.ok)
			if err != nil {
				return err
			}
			equal(t, "rows affected", n, 1)
		}
		return nil
	}))
	must(t, c.db.View(ctx, func(q storage.Querier) error {
		for i, want := range rows {
			var got values
			err := q.QueryRow(ctx, "SELECT n, s, b, f, t, ok FROM v WHERE id = $1", i).Scan(&got.n, &got.s, &got.b, &got.f, &got.t, &got.ok)
			if err != nil {
				return err
			}
			samePointer(t, "integer", got.n, want.n)
			samePointer(t, "text", got.s, want.s)
			samePointer(t, "float", got.f, want.f)
			samePointer(t, "boolean", got.ok, want.ok)
			if (got.t == nil) != (want.t == nil) || got.t != nil && !got.t.Equal(*want.t) {
				t.Fatalf("time: got %v, want %v", got.t, want.t)
			}
			if !bytes.Equal(got.b, want.b) {
				t.Fatalf("bytes: got %#v, want %#v", got.b, want.b)
			}
		}
		var when time.Time
		must(t, q.QueryRow(ctx, "SELECT t FROM v WHERE t >= $1 ORDER BY t LIMIT 1", at).Scan(&when))
		if !when.Equal(at) {
			t.Fatalf("found by time: %v, want %v", when, at)
		}
		return nil
	}))
}

func samePointer[V comparable](t *testing.T, what string, got, want *V) {
	t.Helper()
	if (got == nil) != (want == nil) || got != nil && *got != *want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func (c sqlCase) missing(t *testing.T) {
	c.exec(t, createThing)
	find := func(q storage.Querier) error {
		var id int64
		return q.QueryRow(t.Context(), "SELECT id FROM thing WHERE id = $1", 7).Scan(&id)
	}
	for what, err := range map[string]error{
		"Update": c.db.Update(t.Context(), func(tx storage.Tx) error { return find(tx) }),
		"View":   c.db.View(t.Context(), find),
	} {
		if !errors.Is(err, sql.ErrNoRows) {
			t.Fatalf("%s: %v, want sql.ErrNoRows", what, err)
		}
		equal(t, "a missing row is transient", c.db.Transient(err), false)
	}
}

func (c sqlCase) rows(t *testing.T) {
	ctx := t.Context()
	c.exec(t, createThing)
	must(t, c.db.Update(ctx, func(tx storage.Tx) error {
		for id := range int64(5) {
			if err := insertThing(ctx, tx, id); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, "SELECT id FROM thing WHERE id >= $1 ORDER BY id", 1)
		if err != nil {
			return err
		}
		var got []int64
		for rows.Next() {
			var id int64
			must(t, rows.Scan(&id))
			if got = append(got, id); len(got) == 3 {
				break
			}
		}
		must(t, rows.Err())
		must(t, rows.Close())
		must(t, rows.Close())
		equal(t, "rows read", len(got), 3)
		rows, err = tx.Query(ctx, "SELECT id FROM thing WHERE id >= $1 ORDER BY id", 4)
		if err != nil {
			return err
		}
		defer rows.Close()
		equal(t, "there is a row", rows.Next(), true)
		equal(t, "there is another", rows.Next(), false)
		return rows.Err()
	}))
	err := c.db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, "SELECT no_such_column FROM thing")
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return rows.Err()
	})
	if err == nil || c.db.Transient(err) {
		t.Fatalf("broken SQL: %v", err)
	}
	must(t, c.db.View(ctx, func(q storage.Querier) error {
		_, err := q.Query(ctx, "SELECT id FROM thing") // forgotten: the end of the transaction closes it
		return err
	}))
	equal(t, "rows", c.count(t, "thing"), 5)
}

func (c sqlCase) duplicates(t *testing.T) {
	c.exec(t, createThing, "INSERT INTO thing (id, name) VALUES (1, 'a')")
	try := func(query string) error {
		return c.db.Update(t.Context(), func(tx storage.Tx) error {
			must(t, outbox.Enqueue(t.Context(), tx, event.New("t", "k", 1)))
			_, err := tx.Exec(t.Context(), query)
			return err
		})
	}
	for query, want := range map[string]bool{
		"INSERT INTO thing (id, name) VALUES (1, 'b')":       true,
		"INSERT INTO thing (id, name) VALUES (2, 'a')":       true,
		"INSERT INTO thing (id, name, n) VALUES (3, 'c',-1)": false,
		"INSERT INTO thing (id, n) VALUES (4, NULL)":         false,
		"INSERT INTO no_such_table VALUES (1)":               false,
	} {
		err := try(query)
		if err == nil {
			t.Fatalf("%s succeeded", query)
		}
		equal(t, query+" is a duplicate", c.db.IsDuplicate(err), want)
		equal(t, query+" is transient", c.db.Transient(err), false)
	}
	equal(t, "nil is a duplicate", c.db.IsDuplicate(nil), false)
	must(t, try("INSERT INTO thing (id, name) VALUES (2, 'b')"))
	b, err := c.db.Backlog(t.Context())
	must(t, err)
	equal(t, "messages of the transactions", b.Started, 1)
}

func (c sqlCase) viewOneState(t *testing.T) {
	ctx := t.Context()
	c.exec(t, createThing, "INSERT INTO thing (id) VALUES (1)")
	must(t, c.db.View(ctx, func(q storage.Querier) error {
		var before, after int
		must(t, q.QueryRow(ctx, "SELECT count(*) FROM thing").Scan(&before))
		committed := make(chan error, 1)
		go func() {
			committed <- c.db.Update(ctx, func(tx storage.Tx) error { return insertThing(ctx, tx, 2) })
		}()
		must(t, receive(t, "a commit during a View", committed))
		must(t, q.QueryRow(ctx, "SELECT count(*) FROM thing").Scan(&after))
		equal(t, "rows seen after another's commit", after, before)
		return nil
	}))
	equal(t, "rows", c.count(t, "thing"), 2)
	if err := c.db.View(ctx, func(storage.Querier) error { return errOnPurpose }); !errors.Is(err, errOnPurpose) {
		t.Fatalf("View returned %v", err)
	}
}

func (c sqlCase) viewReadOnly(t *testing.T) {
	c.exec(t, createThing)
	err := c.db.View(t.Context(), func(q storage.Querier) error {
		_, err := q.Exec(t.Context(), "INSERT INTO thing (id) VALUES (1)")
		return err
	})
	if err == nil {
		t.Fatal("a View wrote")
	}
	equal(t, "rows", c.count(t, "thing"), 0)
}

func (c sqlCase) close(t *testing.T) {
	must(t, c.db.Ping(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.db.Ping(ctx); err == nil {
		t.Fatal("Ping with an ended context succeeded")
	}
	must(t, c.db.Close())
	must(t, c.db.Close())
	if err := c.db.Ping(t.Context()); err == nil {
		t.Fatal("Ping after Close succeeded")
	}
	err := c.db.Update(t.Context(), func(storage.Tx) error { return nil })
	if err == nil {
		t.Fatal("Update after Close succeeded")
	}
	equal(t, "the error of a closed database is transient", c.db.Transient(err), true)
}
