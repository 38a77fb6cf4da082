package sagas

import (
	"context"
	"sync"

	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// notifyingDB tells who waits for a saga when the transaction that ended it has
// committed.
type notifyingDB struct {
	*postgres.DB

	mu      sync.Mutex
	waiting map[string]chan<- struct{}
	ended   sync.Map // *postgres.Tx -> []string
}

// await returns a channel that is closed when the saga has ended.
func (db *notifyingDB) await(id string) <-chan struct{} {
	done := make(chan struct{})
	db.mu.Lock()
	defer db.mu.Unlock()
	db.waiting[id] = done
	return done
}

// noteEnds is a saga.Config.Changed.
func (db *notifyingDB) noteEnds(_ context.Context, tx *postgres.Tx, changes []saga.Change[input]) ([]outbox.Message, error) {
	var ids []string
	for _, c := range changes {
		if c.After.Status.Ended() {
			ids = append(ids, c.After.ID)
		}
	}
	if len(ids) > 0 {
		db.ended.Store(tx, ids)
	}
	return nil, nil
}

func (db *notifyingDB) Update(ctx context.Context, fn func(*postgres.Tx) error) error {
	var used *postgres.Tx
	err := db.DB.Update(ctx, func(tx *postgres.Tx) error {
		used = tx
		return fn(tx)
	})
	ids, ok := db.ended.LoadAndDelete(used)
	if err != nil || !ok {
		return err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, id := range ids.([]string) {
		if done := db.waiting[id]; done != nil {
			close(done)
			delete(db.waiting, id)
		}
	}
	return nil
}
