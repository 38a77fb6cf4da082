package sqlite

import (
	"context"
	"fmt"
	"time"
)

// What one commit takes at most. Whoever came first in a group waits for the
// last, so a group ends soon.
const groupSize = 128

// groupTime is a variable for tests, which must not depend on how fast a
// machine is.
var groupTime = 5 * time.Millisecond

// group is the closures that share a commit.
type group struct {
	size  int
	began time.Time
	// wake the relay, or (appended) who reads the journal.
	wake, appended bool
	// lost is why the transaction is gone before its commit.
	lost error
	done chan struct{} // closed once err is final
	err  error
}

// join begins a transaction, or a savepoint in that of the group. The first of
// a group needs none: where it fails there is nothing else to keep.
func (w *writer) join(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return interrupted{err}
	}
	if w.group != nil {
		_, err := w.conn.exec(context.Background(), "SAVEPOINT pabal", nil)
		if err != nil {
			w.group.lost = lost{err}
			return w.group.lost
		}
		return nil
	}
	if err := w.begin(ctx); err != nil {
		return err
	}
	w.group = &group{began: time.Now(), done: make(chan struct{})}
	return nil
}

// begin waits for other processes in steps, because the driver's own waiting
// would not notice that ctx ends.
func (w *writer) begin(ctx context.Context) error {
	for deadline := time.Now().Add(w.busyTimeout); ; {
		err := w.tryBegin(ctx)
		if err == nil || !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		if ctx.Err() != nil {
			return interrupted{fmt.Errorf("%w while another process held the file: %w", ctx.Err(), err)}
		}
	}
}

func (w *writer) tryBegin(ctx context.Context) error {
	if w.conn == nil {
		c, err := w.open(ctx)
		if err != nil {
			return err
		}
		w.conn = c
	}
	_, err := w.conn.exec(context.Background(), "BEGIN IMMEDIATE", nil)
	if err != nil && !isBusy(err) {
		w.drop() // whatever state it is in, a new one has none
	}
	return err
}

// keep makes the closure's work part of the group's.
func (w *writer) keep(tx *Tx) error {
	g := w.group
	if tx.broken != nil {
		return tx.broken // also where the closure did not mind
	}
	// Left to COMMIT, these would fail for everybody.
	switch owes, err := w.conn.owesRows(); {
	case err != nil:
		g.lost = lost{err}
		return g.lost
	case owes:
		return errForeignKey
	}
	if g.size > 0 {
		if _, err := w.conn.exec(context.Background(), "RELEASE pabal", nil); err != nil {
			g.lost = lost{err}
			return g.lost
		}
	}
	g.size++
	g.wake, g.appended = g.wake || tx.wake, g.appended || tx.appended
	return nil
}

// undo rolls back what one closure did.
func (w *writer) undo(tx *Tx) {
	g := w.group
	switch {
	case tx.broken != nil:
		g.lost = tx.broken
	case g.lost == nil && g.size > 0:
		for _, query := range []string{"ROLLBACK TO pabal", "RELEASE pabal"} {
			if _, err := w.conn.exec(context.Background(), query, nil); err != nil {
				g.lost = lost{err}
				return
			}
		}
	}
}

func (w *writer) mayGrow() bool {
	g := w.group
	return g != nil && g.lost == nil && 0 < g.size && g.size < groupSize && time.Since(g.began) < groupTime
}

// finish ends the group's transaction and tells its members.
func (w *writer) finish(g *group) {
	w.group = nil
	switch {
	case g.lost != nil:
		g.err = fmt.Errorf("sqlite: a transaction that shared the commit took it along: %w", g.lost)
		w.rollBack()
	case g.size == 0:
		w.rollBack()
	default:
		if _, err := w.conn.exec(context.Background(), "COMMIT", nil); err != nil {
			g.err = fmt.Errorf("commit: %w", lost{err})
			w.rollBack()
		}
	}
	close(g.done)
	if g.err != nil {
		w.failed(g.size, g.err)
	}
	if g.err == nil {
		w.committed(g.wake, g.appended)
	}
}

// rollBack leaves no transaction behind, at the price of the connection if
// need be. SQLite may have rolled back already.
func (w *writer) rollBack() {
	_, _ = w.conn.exec(context.Background(), "ROLLBACK", nil)
	if _, err := w.conn.exec(context.Background(), "BEGIN", nil); err != nil {
		w.drop()
		return
	}
	if _, err := w.conn.exec(context.Background(), "ROLLBACK", nil); err != nil {
		w.drop()
	}
}

func (w *writer) drop() {
	w.conn.discard()
	w.conn = nil
}
