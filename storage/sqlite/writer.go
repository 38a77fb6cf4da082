package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// What one commit takes at most. Whoever came first in a group waits for the
// last, so a group ends soon.
const (
	groupSize = 128
	groupTime = 5 * time.Millisecond
)

// writer runs closures one at a time on the writing connection, in the order
// they came, and commits those together that had queued up. There is no
// goroutine of its own: each caller runs its closure when its turn comes and
// passes the turn on; the last of a group commits for all. The queue holds
// callers that are blocked, so it needs no bound of its own.
type writer struct {
	open func(context.Context) (*conn, error)
	// busyTimeout is how long another process may hold the file.
	busyTimeout time.Duration
	// committed is called after a commit in which a transaction asked for it.
	committed func()

	mu     sync.Mutex
	taken  bool // somebody has the turn
	queue  []*turn
	closed bool
	idle   chan struct{} // closed when closed and the last turn has ended

	// Only whoever has the turn touches these.
	conn  *conn
	group *group
}

// turn is a place in the queue.
type turn struct{ granted chan struct{} }

// group is the closures that share a commit.
type group struct {
	size  int
	began time.Time
	wake  bool
	// lost is why the transaction is gone before its commit.
	lost error
	done chan struct{} // closed once err is final
	err  error
}

func newWriter(open func(context.Context) (*conn, error), busyTimeout time.Duration, committed func()) *writer {
	return &writer{open: open, busyTimeout: busyTimeout, committed: committed, idle: make(chan struct{})}
}

// update runs fn in a transaction. A panic, or a call of runtime.Goexit, in fn
// rolls back.
func (w *writer) update(ctx context.Context, fn func(*Tx) error) error {
	if err := w.takeTurn(ctx); err != nil {
		return err
	}
	if err := w.join(ctx); err != nil {
		w.endTurn()
		return err
	}
	g := w.group
	tx := newTx(w.conn)
	returned := false
	defer func() {
		if !returned { // panicking, or ending the goroutine
			tx.end()
			w.undo(tx)
			w.endTurn()
		}
	}()
	err := fn(tx)
	returned = true
	tx.end()
	if err == nil {
		err = w.keep(tx)
	}
	if err != nil {
		w.undo(tx)
		w.endTurn()
		return err
	}
	w.endTurn()
	<-g.done
	return g.err
}

// takeTurn waits for it; without an error, endTurn must be called.
func (w *writer) takeTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return interrupted{err}
	}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	if !w.taken {
		w.taken = true
		w.mu.Unlock()
		return nil
	}
	t := &turn{make(chan struct{}, 1)}
	w.queue = append(w.queue, t)
	w.mu.Unlock()
	select {
	case <-t.granted:
		return nil
	case <-ctx.Done():
		if w.leave(t) {
			return interrupted{ctx.Err()}
		}
		return nil // granted at the same time; join sees that ctx ended
	}
}

// leave takes t out of the queue; false where it was granted already.
func (w *writer) leave(t *turn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, queued := range w.queue {
		if queued == t {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			return true
		}
	}
	return false
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
	g.wake = g.wake || tx.wake
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

// endTurn passes the turn on within the group, or commits first where the group
// is full or nobody is left.
func (w *writer) endTurn() {
	if w.mayGrow() && w.passOn() {
		return
	}
	if w.group != nil {
		w.finish(w.group)
	}
	w.passOnOrRest()
}

func (w *writer) mayGrow() bool {
	g := w.group
	return g != nil && g.lost == nil && 0 < g.size && g.size < groupSize && time.Since(g.began) < groupTime
}

// passOn gives the turn to the next in the queue; false where there is none.
func (w *writer) passOn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.grantNext()
}

func (w *writer) passOnOrRest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.grantNext() {
		return
	}
	w.taken = false
	if w.closed {
		close(w.idle)
	}
}

func (w *writer) grantNext() bool {
	if len(w.queue) == 0 {
		return false
	}
	next := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	next.granted <- struct{}{}
	return true
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
	if g.wake && g.err == nil {
		w.committed()
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

// close refuses new closures, waits for those queued and closes the
// connection. It is called once.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	if !w.taken {
		close(w.idle)
	}
	w.mu.Unlock()
	<-w.idle
	if w.conn == nil {
		return nil
	}
	_, err := w.conn.exec(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)", nil)
	if isBusy(err) {
		err = nil // another process reads; it will do it
	}
	return errors.Join(err, w.conn.close())
}
