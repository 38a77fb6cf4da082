package sqlite

import (
	"context"
	"errors"
	"sync"
	"time"
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
	// committed is called after a commit, with what its transactions wrote: messages,
	// events.
	committed func(messages, events bool)
	// failed is called where the transactions of n callers are gone.
	failed func(n int, err error)

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
