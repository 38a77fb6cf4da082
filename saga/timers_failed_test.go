package saga_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

var errDenied = errors.New("permission denied")

// deniedTx may not look for what is due; nothing says that it will be better soon.
type deniedTx struct {
	storage.Tx
	looks *atomic.Int64
}

func (tx deniedTx) DueSagas(context.Context, string, time.Time, int) ([]saga.Record, error) {
	tx.looks.Add(1)
	return nil, errDenied
}

type deniedStore struct {
	storage.DB
	looks *atomic.Int64
}

func (s deniedStore) Update(ctx context.Context, fn func(deniedTx) error) error {
	return s.DB.Update(ctx, func(tx storage.Tx) error { return fn(deniedTx{tx, s.looks}) })
}

// TestLookThatFailsForGoodIsReported: it is no saga's fault, so that none is postponed,
// and is neither hidden nor repeated without a pause.
func TestLookThatFailsForGoodIsReported(t *testing.T) {
	w := onSQLite(t)
	store := deniedStore{w.db, &atomic.Int64{}}
	m, err := saga.New[deniedTx](store, saga.Config[deniedTx, trip]{Definitions: []saga.Definition[trip]{journey(1)}, Clock: w.clock.Now, Logger: testLogger()})
	if err != nil {
		t.Fatal(err)
	}
	w.start(w.manager(w.config(journey(1))), "t1")
	w.clock.move(10 * time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if err := m.FireDue(ctx); !errors.Is(err, errDenied) {
		t.Errorf("FireDue: %v after %d looks", err, store.looks.Load())
	}
	if err := m.Service().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.await("a report", func() bool { return errors.Is(m.Health(), errDenied) })
	if err := m.Service().Stop(ctx); err != nil {
		t.Error(err)
	}
	if n := store.looks.Load(); n > 10 {
		t.Errorf("%d looks", n)
	}
}
