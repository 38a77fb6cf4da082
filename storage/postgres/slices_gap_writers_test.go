//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/postgres"
)

func dawdle(r *rand.Rand, most time.Duration) { time.Sleep(time.Duration(r.Int64N(int64(most)))) }

// write appends in transactions of an own connection until ctx ends.
func (g *gapTest) write(ctx context.Context, r *rand.Rand) {
	var conn *pgx.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close(context.Background())
		}
	}()
	for ctx.Err() == nil {
		if conn == nil || conn.IsClosed() {
			var err error
			if conn, err = pgx.Connect(context.WithoutCancel(ctx), g.server.URL); err != nil {
				dawdle(r, 100*time.Millisecond)
				continue
			}
		}
		g.writeOnce(context.WithoutCancel(ctx), r, conn)
		dawdle(r, 100*time.Millisecond)
	}
}

// writeOnce appends to some entities, whose last number it looks up where the
// transaction's end is not known.
func (g *gapTest) writeOnce(ctx context.Context, r *rand.Rand, conn *pgx.Conn) {
	var held []*entity
	for range 1 + r.IntN(3) {
		if e := g.entities[r.IntN(len(g.entities))]; e.mu.TryLock() {
			held = append(held, e)
		}
	}
	appended, err := g.transact(ctx, r, conn, held)
	for _, e := range held {
		switch {
		case err == nil:
			e.last += appended[e.id]
			g.committed.Add(appended[e.id])
		default:
			if last, err := g.db.HighestSeqNrs(ctx, []string{e.id}); err == nil {
				e.last = last[0]
			}
		}
		e.mu.Unlock()
	}
	switch {
	case errors.Is(err, journal.ErrConflict):
		g.conflicts.Add(1)
	case err != nil:
		g.rolledBack.Add(1)
	}
}

func (g *gapTest) transact(ctx context.Context, r *rand.Rand, conn *pgx.Conn, held []*entity) (map[string]int64, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if r.IntN(3) == 0 { // a number long before the events
		if _, err := tx.Exec(ctx, "SELECT pg_current_xact_id()"); err != nil {
			return nil, err
		}
	}
	dawdle(r, 50*time.Millisecond)
	appended := map[string]int64{}
	for _, e := range held {
		for range 1 + r.IntN(2) {
			n, err := g.append(ctx, r, tx, e.id, e.last+appended[e.id])
			if err != nil {
				return nil, err
			}
			appended[e.id] += n
			dawdle(r, 20*time.Millisecond)
		}
	}
	if r.IntN(50) == 0 {
		time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond) // a long one
	}
	return appended, g.end(ctx, r, tx, conn)
}

// append uses our statements or Pekko's, in a savepoint or not.
func (g *gapTest) append(ctx context.Context, r *rand.Rand, tx pgx.Tx, id string, after int64) (int64, error) {
	n := 1 + r.IntN(4)
	if r.IntN(100) == 0 { // somebody who does not know
		return int64(n), g.appendOurs(ctx, tx, id, max(0, after+int64(r.IntN(3))-1), n)
	}
	switch r.IntN(4) {
	case 0:
		for i := range n {
			if err := insertAsPekko(ctx, tx, id, after+int64(i)+1); err != nil {
				return 0, errors.Join(err, journal.ErrConflict)
			}
		}
		return int64(n), nil
	case 1:
		nested, err := tx.Begin(ctx)
		if err != nil {
			return 0, err
		}
		if err := g.appendOurs(ctx, nested, id, after, n); err != nil {
			return 0, err
		}
		if r.IntN(2) == 0 {
			return 0, nested.Rollback(ctx)
		}
		return int64(n), nested.Commit(ctx)
	}
	return int64(n), g.appendOurs(ctx, tx, id, after, n)
}

func (g *gapTest) appendOurs(ctx context.Context, tx pgx.Tx, id string, after int64, n int) error {
	w := journal.Write{PersistenceID: id, After: after, Writer: gapWriter}
	for range n {
		w.Events = append(w.Events, journal.NewEvent{Payload: journal.Payload{Serializer: 20, Data: []byte("event")}})
	}
	_, err := g.db.Join(tx, postgres.WithoutNotify()).AppendEvents(ctx, []journal.Write{w})
	return err
}

func (g *gapTest) end(ctx context.Context, r *rand.Rand, tx pgx.Tx, conn *pgx.Conn) error {
	switch n := r.IntN(40); {
	case n < 5:
		return errors.Join(tx.Rollback(ctx), errNotCommitted)
	case n == 5: // the server ends it, maybe during the commit
		g.terminated.Add(1)
		go func() { _, _ = g.db.Pool().Exec(ctx, "SELECT pg_terminate_backend($1)", conn.PgConn().PID()) }()
	case n == 6: // the network does
		return errors.Join(conn.PgConn().Conn().Close(), errNotCommitted)
	case n == 7 && g.twoPhase:
		return g.prepare(ctx, r, conn)
	case n == 8: // it stands still, maybe during the commit
		g.stopAWhile(int(conn.PgConn().PID()), time.Duration(r.IntN(300))*time.Millisecond)
	}
	return tx.Commit(ctx)
}

func (g *gapTest) prepare(ctx context.Context, r *rand.Rand, conn *pgx.Conn) error {
	name := fmt.Sprintf("'gap-%d'", g.names.Add(1))
	if _, err := conn.Exec(ctx, "PREPARE TRANSACTION "+name); err != nil {
		return err
	}
	dawdle(r, 200*time.Millisecond)
	_, err := g.db.Pool().Exec(ctx, "COMMIT PREPARED "+name)
	return err
}

// stopAWhile does not wait: the process stands still at whatever it comes to.
func (g *gapTest) stopAWhile(pid int, d time.Duration) {
	if syscall.Kill(pid, syscall.SIGSTOP) != nil {
		return
	}
	g.stopped.Add(1)
	time.AfterFunc(d, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
}

// disturb adds what is not a writer of the journal.
func (g *gapTest) disturb(ctx context.Context, work *sync.WaitGroup, source func() *rand.Rand) {
	if _, err := g.db.Pool().Exec(ctx, "CREATE DATABASE busy TEMPLATE template0"); err != nil {
		g.t.Fatal(err)
	}
	if _, err := connectTo(g.t, g.server.URL, "busy").Exec(ctx, "CREATE TABLE busy (n int)"); err != nil {
		g.t.Fatal(err)
	}
	for range 4 {
		r := source()
		conn := connectTo(g.t, g.server.URL, "busy")
		work.Go(func() { g.busy(ctx, r, conn, "INSERT INTO busy VALUES (1)", 20*time.Millisecond) })
	}
	for n, sql := range []string{"INSERT INTO busy VALUES (2)", "SELECT count(*) FROM busy"} {
		r := source()
		conn := connectTo(g.t, g.server.URL, "busy")
		work.Go(func() { g.busy(ctx, r, conn, sql, time.Duration(n+4)*time.Second) })
	}
	reader := connect(g.t, g.server.URL)
	r := source()
	work.Go(func() { g.busy(ctx, r, reader, "SELECT count(*) FROM event_journal", 3*time.Second) })
}

// busy holds transactions with a statement open.
func (g *gapTest) busy(ctx context.Context, r *rand.Rand, conn *pgx.Conn, sql string, most time.Duration) {
	for ctx.Err() == nil {
		err := pgx.BeginFunc(context.WithoutCancel(ctx), conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(context.WithoutCancel(ctx), sql)
			time.Sleep(time.Duration(r.Int64N(int64(most))))
			return err
		})
		if err != nil {
			g.t.Error(err)
			return
		}
	}
}
