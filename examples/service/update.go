package service

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

const (
	updateTries = 5
	updatePause = 10 * time.Millisecond
)

// Update runs fn in a transaction, again where the database gives it up for
// reasons of its own (a deadlock, a lost connection). fn may run after a commit
// whose answer was lost: what it inserts has ids made outside of it.
func (e Env) Update(ctx context.Context, fn func(storage.Tx) error) error {
	return Update(ctx, e.DB, fn)
}

// Update is Env.Update on a database of any type.
func Update[T saga.Tx](ctx context.Context, db saga.Store[T], fn func(T) error) error {
	for try := 1; ; try++ {
		err := db.Update(ctx, fn)
		if err == nil || try == updateTries || !db.Transient(err) {
			return err
		}
		pause := time.NewTimer(rand.N(updatePause << try))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return err
		}
	}
}
