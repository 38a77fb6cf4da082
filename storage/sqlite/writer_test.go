package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

const patience = 30 * time.Second

// What waits for its turn shares a commit, however slow the machine is.
func init() { groupTime = time.Minute }

func openTest(t testing.TB, config Config) *DB {
	t.Helper()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func exec(t testing.TB, db *DB, queries ...string) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *Tx) error {
		for _, query := range queries {
			if _, err := tx.Exec(t.Context(), query); err != nil {
				return fmt.Errorf("%s: %w", query, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// numbers reads the ids of table n.
func numbers(t testing.TB, db *DB) (out []int) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT id FROM n ORDER BY id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int
			if err := rows.Scan(&id); err != nil {
				return err
			}
			out = append(out, id)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const createNumbers = "CREATE TABLE n (id INTEGER PRIMARY KEY, other INTEGER REFERENCES n DEFERRABLE INITIALLY DEFERRED)"

func insertNumber(ctx context.Context, tx *Tx, id int) error {
	_, err := tx.Exec(ctx, "INSERT INTO n (id) VALUES ($1)", id)
	return err
}

// group is closures that queue up behind one that waits, so that they share a
// commit.
type closures struct {
	db   *DB
	hold chan struct{}
	all  sync.WaitGroup
	errs []error
}

// together runs closures as one group, in order; the first is a fence that
// stores nothing and is rolled back. It returns the error, or the panic, of each.
func together(t *testing.T, db *DB, fns ...func(*Tx) error) []error {
	t.Helper()
	g := closures{db: db, hold: make(chan struct{}), errs: make([]error, len(fns))}
	holding := make(chan struct{})
	g.all.Go(func() {
		_ = db.Update(context.Background(), func(*Tx) error {
			close(holding)
			<-g.hold
			return errors.New("only held the others up")
		})
	})
	<-holding
	for i, fn := range fns {
		g.all.Go(func() { g.errs[i] = g.run(fn) })
		waitForQueue(t, db, i+1)
	}
	close(g.hold)
	g.all.Wait()
	return g.errs
}

func (g *closures) run(fn func(*Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return g.db.Update(context.Background(), fn)
}

func waitForQueue(t *testing.T, db *DB, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		db.writer.mu.Lock()
		queued := len(db.writer.queue)
		db.writer.mu.Unlock()
		if queued == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d in the queue, want %d", queued, n)
		}
		time.Sleep(time.Millisecond) // between two looks
	}
}

// countCommits counts commits of closures that enqueue.
func countCommits(db *DB) *atomic.Int64 {
	var n atomic.Int64
	committed := db.writer.committed
	db.writer.committed = func(messages, events bool) {
		if messages {
			n.Add(1)
		}
		committed(messages, events)
	}
	return &n
}

func number(id int) func(*Tx) error {
	return func(tx *Tx) error { return insertNumber(context.Background(), tx, id) }
}

func TestGroupSharesACommit(t *testing.T) {
	db := openTest(t, Config{})
	commits := countCommits(db)
	enqueue := func(tx *Tx) error { return outbox.Enqueue(context.Background(), tx, event.New("t", "k", 1)) }
	if errs := together(t, db, slices.Repeat([]func(*Tx) error{enqueue}, 20)...); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	// The time bound may cut a group where the machine is slow.
	if n := commits.Load(); n > 10 {
		t.Fatalf("%d commits for 20 closures that had queued up", n)
	}
	rows, err := db.Pending(t.Context(), 0, outbox.Exclusion{}, 100, 1<<20)
	if err != nil || len(rows) != 20 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
}

func TestGroupIsBounded(t *testing.T) {
	db := openTest(t, Config{})
	commits := countCommits(db)
	enqueue := func(tx *Tx) error { return outbox.Enqueue(context.Background(), tx, event.New("t", "k", 1)) }
	if errs := together(t, db, slices.Repeat([]func(*Tx) error{enqueue}, 2*groupSize+1)...); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	if n := commits.Load(); n < 3 {
		t.Fatalf("%d commits for %d closures", n, 2*groupSize+1)
	}
}

// TestGroupIsolatesFailures: whatever goes wrong in one closure, the others
// commit.
func TestGroupIsolatesFailures(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, createNumbers, "INSERT INTO n (id) VALUES (100)")
	ctx := context.Background()
	failure := errors.New("no")
	errs := together(t, db,
		func(tx *Tx) error { return errors.Join(insertNumber(ctx, tx, 1), failure) }, // the first of a group
		number(2),
		func(tx *Tx) error { return errors.Join(insertNumber(ctx, tx, 3), failure) },
		number(4),
		func(tx *Tx) error { _ = insertNumber(ctx, tx, 5); panic("panicked") },
		number(6),
		number(100), // a duplicate
		func(tx *Tx) error { // a deferred foreign key
			_, err := tx.Exec(ctx, "INSERT INTO n (id, other) VALUES (7, 777)")
			return err
		},
		func(tx *Tx) error { // caught, and gone on
			if insertNumber(ctx, tx, 100) == nil {
				return errors.New("a duplicate was stored")
			}
			return insertNumber(ctx, tx, 8)
		},
		func(tx *Tx) error { // rows left open
			if _, err := tx.Query(ctx, "SELECT id FROM n"); err != nil {
				return err
			}
			return insertNumber(ctx, tx, 9)
		},
		func(tx *Tx) error { // a savepoint of its own, left open
			_, err := tx.Exec(ctx, "SAVEPOINT mine")
			return errors.Join(err, insertNumber(ctx, tx, 10))
		},
		number(11),
	)
	for i, want := range []string{"no", "", "no", "", "panic: panicked", "", "UNIQUE", "foreign key", "", "", "", ""} {
		switch {
		case want == "" && errs[i] != nil:
			t.Errorf("closure %d: %v", i, errs[i])
		case want != "" && (errs[i] == nil || !strings.Contains(errs[i].Error(), want)):
			t.Errorf("closure %d: got %v, want %q", i, errs[i], want)
		case want != "" && db.Transient(errs[i]):
			t.Errorf("closure %d: %v is transient", i, errs[i])
		}
	}
	if got, want := numbers(t, db), []int{2, 4, 6, 8, 9, 10, 11, 100}; !slices.Equal(got, want) {
		t.Fatalf("stored %v, want %v", got, want)
	}
}

// TestGroupLost: where SQLite rolls everything back by itself, nobody is told
// that he committed, and nothing is half there.
func TestGroupLost(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, createNumbers, "INSERT INTO n (id) VALUES (100)")
	ctx := context.Background()
	takesAll := func(tx *Tx) error {
		if err := insertNumber(ctx, tx, 3); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT OR ROLLBACK INTO n (id) VALUES (100)"); err == nil {
			return errors.New("a duplicate was stored")
		}
		if err := insertNumber(ctx, tx, 4); err == nil {
			return errors.New("a statement ran outside of the transaction")
		}
		return nil // does not mind
	}
	errs := together(t, db, number(1), number(2), takesAll, number(5))
	for i := range 3 {
		if errs[i] == nil || !db.Transient(errs[i]) {
			t.Errorf("closure %d: %v, want a transient error", i, errs[i])
		}
	}
	if errs[3] != nil {
		t.Errorf("the closure after: %v", errs[3])
	}
	if got, want := numbers(t, db), []int{5, 100}; !slices.Equal(got, want) {
		t.Fatalf("stored %v, want %v", got, want)
	}
	// Alone it is the same.
	if err := db.Update(ctx, takesAll); err == nil {
		t.Fatal("a closure whose transaction was rolled back committed")
	}
	// So is ending the transaction by hand.
	if err := db.Update(ctx, func(tx *Tx) error { _, err := tx.Exec(ctx, "ROLLBACK"); return err }); err == nil {
		t.Fatal("a closure that rolled back by itself committed")
	}
	exec(t, db, "INSERT INTO n (id) VALUES (6)")
}

// TestFailedCommit fails all of a group.
func TestFailedCommit(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, createNumbers)
	errs := together(t, db, number(1), number(2), func(tx *Tx) error {
		err := insertNumber(context.Background(), tx, 3)
		// Behind the writer's back, as a connection breaks.
		tx.on.(*conn).discard()
		return err
	})
	for i, err := range errs {
		if err == nil || !db.Transient(err) {
			t.Errorf("closure %d: %v, want a transient error", i, err)
		}
	}
	if got := numbers(t, db); len(got) != 0 {
		t.Fatalf("stored %v", got)
	}
	exec(t, db, "INSERT INTO n (id) VALUES (1)")
}

func TestContextEndsInQueue(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, createNumbers)
	holding, release := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- db.Update(context.Background(), func(tx *Tx) error {
			close(holding)
			<-release
			return insertNumber(context.Background(), tx, 1)
		})
	}()
	<-holding
	ctx, cancel := context.WithCancel(t.Context())
	queued := make(chan error, 1)
	ran := false
	go func() { queued <- db.Update(ctx, func(*Tx) error { ran = true; return nil }) }()
	waitForQueue(t, db, 1)
	cancel()
	select {
	case err := <-queued: // while the first still holds its turn
		if !errors.Is(err, context.Canceled) || !db.Transient(err) {
			t.Fatalf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the end of the context was not noticed in the queue")
	}
	close(release)
	if err := <-first; err != nil || ran {
		t.Fatalf("first: %v, the cancelled one ran: %v", err, ran)
	}
	exec(t, db, "INSERT INTO n (id) VALUES (2)")
}

// TestCancelledCallers: callers that give up at random leave a writer that works.
func TestCancelledCallers(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, createNumbers)
	var all sync.WaitGroup
	var stored atomic.Int64
	for c := range 8 {
		all.Go(func() {
			for i := range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration((c*i)%7)*100*time.Microsecond)
				err := db.Update(ctx, func(tx *Tx) error { return insertNumber(ctx, tx, c*1000+i) })
				if err == nil {
					stored.Add(1)
				} else if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	if got := len(numbers(t, db)); int64(got) != stored.Load() {
		t.Fatalf("%d stored, %d acknowledged", got, stored.Load())
	}
}

func TestCloseDrains(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := Open(t.Context(), path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, createNumbers)
	closed := make(chan error, 1)
	ended := make(chan struct{})
	errs := together(t, db, number(1), func(tx *Tx) error {
		go func() { closed <- db.Close() }()
		go func() { // Close waits for this transaction, and refuses others
			defer close(ended)
			for !errors.Is(db.Update(context.Background(), func(*Tx) error { return nil }), ErrClosed) {
				continue
			}
		}()
		<-db.readers.closed
		return insertNumber(context.Background(), tx, 2)
	}, number(3))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	<-ended
	again, err := Open(t.Context(), path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got, want := numbers(t, again), []int{1, 2, 3}; !slices.Equal(got, want) {
		t.Fatalf("stored %v, want %v", got, want)
	}
}
