package sqlite

import (
	"context"
	"sync"
)

// wakeups tells whoever listens that rows were committed.
type wakeups struct {
	mu sync.Mutex
	// listeners, and how each is ended.
	listeners map[chan struct{}]context.CancelFunc
	closed    bool
}

// Wake tells relay and projections of this process to look for what is new.
// Commits of Update do it; it is for transactions joined with Join, after their
// commit.
func (db *DB) Wake() { db.wake(true, true) }

func (db *DB) wake(messages, events bool) {
	if messages {
		db.wakeups.send()
	}
	if events {
		db.appends.send()
	}
}

// Wakeups implements outbox.Store.
func (db *DB) Wakeups(ctx context.Context) (wake <-chan struct{}, done <-chan struct{}) {
	return db.wakeups.listen(ctx)
}

// Appends implements journal.Reader: commits of this process. Others' are found
// by polling.
func (db *DB) Appends(ctx context.Context) (wake, done <-chan struct{}) {
	return db.appends.listen(ctx)
}

// listen until ctx ends, or close.
func (w *wakeups) listen(ctx context.Context) (wake, done <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	listener, ended := make(chan struct{}, 1), make(chan struct{})
	w.add(listener, cancel)
	context.AfterFunc(ctx, func() {
		w.remove(listener)
		cancel()
		close(ended)
	})
	return listener, ended
}

func (w *wakeups) send() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for listener := range w.listeners {
		select {
		case listener <- struct{}{}:
		default: // not taken yet: one is enough
		}
	}
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

func (w *wakeups) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, cancel := range w.listeners {
		cancel()
	}
}
