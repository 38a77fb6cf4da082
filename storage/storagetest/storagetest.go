// Package storagetest says in tests what a database must do for Pabal. Every
// backend runs it; so can a backend of your own.
package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// Run tests everything. open returns an empty database of its own at each call,
// and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T) storage.DB) {
	t.Run("SQL", func(t *testing.T) { SQL(t, open) })
	t.Run("Outbox", func(t *testing.T) {
		Outbox(t, func(t *testing.T) OutboxDB[storage.Tx] { return open(t) })
	})
	t.Run("Inbox", func(t *testing.T) {
		Inbox(t, func(t *testing.T) inbox.Store[storage.Tx] { return open(t) })
	})
	t.Run("Saga", func(t *testing.T) {
		Saga(t, func(t *testing.T) saga.Store[storage.Tx] { return open(t) })
	})
	t.Run("Journal", func(t *testing.T) {
		Journal(t, func(t *testing.T) JournalDB[storage.Tx] { return open(t) })
	})
	t.Run("Slices", func(t *testing.T) {
		Slices(t, func(t *testing.T) JournalDB[storage.Tx] { return open(t) })
	})
	t.Run("Projection", func(t *testing.T) {
		Projection(t, func(t *testing.T) ProjectionDB[storage.Tx] { return open(t) })
	})
}

// OutboxDB is what Outbox needs of a database.
type OutboxDB[T outbox.Tx] interface {
	outbox.Store
	Update(ctx context.Context, fn func(T) error) error
}

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// eventually polls until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// receive waits for a value.
func receive[V any](t *testing.T, what string, from <-chan V) V {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[V comparable](t *testing.T, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
