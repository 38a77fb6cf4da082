package sqlite

import (
	"context"
	"sync"
)

// wakeups tells whoever listens that rows were committed.
type wakeups struct {
	mu        sync.Mutex
	listeners map[chan struct{}]struct{}
}

// Wake tells the relay of this process to look for messages. Commits of Update
// do it; it is for transactions joined with Join, after their commit.
func (db *DB) Wake() { db.wakeups.send() }

// Wakeups implements outbox.Store.
func (db *DB) Wakeups(ctx context.Context) (wake <-chan struct{}, done <-chan struct{}) {
	listener, ended := make(chan struct{}, 1), make(chan struct{})
	db.wakeups.add(listener)
	context.AfterFunc(ctx, func() {
		db.wakeups.remove(listener)
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

func (w *wakeups) add(listener chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listeners == nil {
		w.listeners = map[chan struct{}]struct{}{}
	}
	w.listeners[listener] = struct{}{}
}

func (w *wakeups) remove(listener chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.listeners, listener)
}
