package sqlite

import (
	"context"
	"errors"
)

// readers is a small pool of read-only connections, each with its prepared
// statements, opened when needed.
type readers struct {
	open func(context.Context) (*conn, error)
	// slots has a connection, or nil for one not opened yet, for each View
	// that may begin.
	slots chan *conn

	closed chan struct{}
}

func newReaders(open func(context.Context) (*conn, error), n int) *readers {
	r := &readers{open: open, slots: make(chan *conn, n), closed: make(chan struct{})}
	for range n {
		r.slots <- nil
	}
	return r
}

// view runs fn in a read-only transaction.
func (r *readers) view(ctx context.Context, fn func(*querier) error) error {
	c, err := r.take(ctx)
	if err != nil {
		return err
	}
	usable := false
	defer func() { r.put(c, usable) }()
	if c == nil {
		if c, err = r.open(ctx); err != nil {
			return err
		}
	}
	if _, err := c.exec(context.Background(), "BEGIN", nil); err != nil {
		return err
	}
	q := &querier{on: c}
	defer func() { // also where fn panics
		q.end()
		_, failed := c.exec(context.Background(), "ROLLBACK", nil)
		usable = failed == nil
	}()
	return fn(q)
}

func (r *readers) take(ctx context.Context) (*conn, error) {
	select {
	case <-r.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case c := <-r.slots:
		return c, nil
	case <-r.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, interrupted{ctx.Err()}
	}
}

func (r *readers) put(c *conn, usable bool) {
	if c != nil && !usable {
		c.discard()
		c = nil
	}
	r.slots <- c
}

// close waits for the Views under way.
func (r *readers) close() error {
	var failed []error
	close(r.closed)
	for range cap(r.slots) {
		if c := <-r.slots; c != nil {
			failed = append(failed, c.close())
		}
	}
	return errors.Join(failed...)
}
