package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestNoRowAppearsBelowAFinalMark has many writers that dawdle between
// statements, roll back, lose their connection, are terminated by the server, or
// prepare their transaction; and a relay's look at the horizon, which must never
// call an id final whose row is still to come.
func TestNoRowAppearsBelowAFinalMark(t *testing.T) {
	url := testenv.Postgres(t)
	db := open(t, url, postgres.Config{MaxConns: 4})
	twoPhase := canPrepare(t, connect(t, url))
	random := testenv.Rand(t)
	writers := 24
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	var committed atomic.Int64
	for n := range writers {
		seed := random.Uint64()
		work.Go(func() {
			w := writer{db: db, url: url, name: fmt.Sprint(n), random: rand.New(rand.NewPCG(seed, 0)), twoPhase: twoPhase}
			for ctx.Err() == nil {
				if w.once(context.WithoutCancel(ctx)) {
					committed.Add(1)
				}
			}
			if w.conn != nil {
				_ = w.conn.Close(context.Background())
			}
		})
	}
	const wanted = 40
	marks := watchMarks(t, db, ctx, wanted)
	cancel()
	work.Wait()
	t.Logf("%d transactions committed, %d marks", committed.Load(), marks)
	if marks < wanted {
		t.Error("too little happened to show anything")
	}
	eventually(t, "the last mark", func() error {
		h, err := db.Horizon(t.Context())
		if err == nil && !h.Settles(h) {
			err = fmt.Errorf("writers left: %v", h)
		}
		return err
	})
}

// watchMarks reads everything at each new mark: what it has not seen then must
// never appear.
func watchMarks(t *testing.T, db *postgres.DB, ctx context.Context, wanted int) (marks int) {
	t.Helper()
	candidate, err := db.Horizon(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mark, seen := int64(0), []int64{}
	for ctx.Err() == nil && marks < wanted {
		now, err := db.Horizon(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !now.Settles(candidate) {
			continue
		}
		if mark < candidate.LastID {
			marks++
		}
		below := idsUpTo(t, db, candidate.LastID)
		known := idsBelow(below, mark)
		if !slices.Equal(known, seen) {
			t.Fatalf("rows appeared at or below the final mark %d: had %d, now %d", mark, len(seen), len(known))
		}
		seen, mark, candidate = below, candidate.LastID, now
	}
	return marks
}

func idsUpTo(t *testing.T, db *postgres.DB, last int64) []int64 {
	rows, err := db.Pool().Query(t.Context(), "SELECT id FROM pabal_outbox WHERE id <= $1 ORDER BY id", last)
	if err != nil {
		t.Fatal(err)
	}
	return must[[]int64](t)(pgx.CollectRows(rows, pgx.RowTo[int64]))
}

func idsBelow(ids []int64, mark int64) []int64 {
	n, _ := slices.BinarySearch(ids, mark+1)
	return ids[:n]
}

// writer enqueues in a transaction of its own connection, and ends it somehow.
type writer struct {
	db       *postgres.DB
	url      string
	name     string
	random   *rand.Rand
	twoPhase bool
	conn     *pgx.Conn
	count    int
}

func (w *writer) dawdle() { time.Sleep(time.Duration(w.random.IntN(20)) * time.Millisecond) }

// once says whether its rows were committed.
func (w *writer) once(ctx context.Context) bool {
	if w.conn == nil || w.conn.IsClosed() {
		var err error
		if w.conn, err = pgx.Connect(ctx, w.url); err != nil {
			return false
		}
	}
	w.count++
	tx, err := w.conn.Begin(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = tx.Rollback(ctx) }()
	w.dawdle()
	for range 1 + w.random.IntN(3) {
		messages := []outbox.Message{}
		for range 1 + w.random.IntN(5) {
			messages = append(messages, message("t", w.name, w.count))
		}
		if err := w.db.Join(tx, postgres.WithoutNotify()).InsertOutbox(ctx, messages); err != nil {
			return false
		}
		w.dawdle()
	}
	return w.end(ctx, tx) == nil
}

var errNotCommitted = errors.New("not committed")

func (w *writer) end(ctx context.Context, tx pgx.Tx) error {
	switch n := w.random.IntN(20); {
	case n < 4:
		return errors.Join(tx.Rollback(ctx), errNotCommitted)
	case n == 4: // by the server
		_, err := w.db.Pool().Exec(ctx, "SELECT pg_terminate_backend($1)", w.conn.PgConn().PID())
		return errors.Join(err, errNotCommitted)
	case n == 5: // by the network
		return errors.Join(w.conn.PgConn().Conn().Close(), errNotCommitted)
	case n < 9 && w.twoPhase:
		return w.prepare(ctx, n == 6)
	}
	return tx.Commit(ctx)
}

// prepare ends the transaction on another connection than it began on.
func (w *writer) prepare(ctx context.Context, rollback bool) error {
	name := fmt.Sprintf("'writer-%s-%d'", w.name, w.count)
	if _, err := w.conn.Exec(ctx, "PREPARE TRANSACTION "+name); err != nil {
		return err
	}
	w.dawdle()
	if rollback {
		_, err := w.db.Pool().Exec(ctx, "ROLLBACK PREPARED "+name)
		return errors.Join(err, errNotCommitted)
	}
	_, err := w.db.Pool().Exec(ctx, "COMMIT PREPARED "+name)
	return err
}

func canPrepare(t *testing.T, conn *pgx.Conn) bool {
	t.Helper()
	var most int
	if err := conn.QueryRow(t.Context(), "SELECT current_setting('max_prepared_transactions')::int").Scan(&most); err != nil {
		t.Fatal(err)
	}
	if most == 0 {
		t.Log("NOT TESTED: prepared transactions, because the server's max_prepared_transactions is 0")
	}
	return most > 0
}
