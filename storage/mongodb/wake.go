package mongodb

import (
	"context"
	"sync"
)

// wakeups tells who listens in this process that rows were committed.
type wakeups struct {
	mu        sync.Mutex
	listeners map[chan struct{}]context.CancelFunc
	closed    bool
}

// Wake tells the relay of this process to look for rows. Commits of Update do it; it
// is for transactions joined with Join, after their commit.
func (db *DB) Wake() {
	db.wakeups.mu.Lock()
	defer db.wakeups.mu.Unlock()
	for listener := range db.wakeups.listeners {
		select {
		case listener <- struct{}{}:
		default: // not taken yet: one is enough
		}
	}
}

// Wakeups implements outbox.Store: commits of this process. Others' are found by
// polling. It also ends with Close.
func (db *DB) Wakeups(ctx context.Context) (wake, done <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	listener, ended := make(chan struct{}, 1), make(chan struct{})
	db.wakeups.add(listener, cancel)
	context.AfterFunc(ctx, func() {
		db.wakeups.remove(listener)
		cancel()
		close(ended)
	})
	return listener, ended
}

func (w *wakeups) add(listener chan struct{}, cancel context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		cancel()
	}
	if w.listeners == nil {
		w.listeners = map[chan struct{}]context.CancelFunc{}
	}
	w.listeners[listener] = cancel
}

func (w *wakeups) remove(listener chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.listeners, listener)
}

// close returns false where it was closed already.
func (w *wakeups) close() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := !w.closed
	w.closed = true
	for _, cancel := range w.listeners {
		cancel()
	}
	return first
}
