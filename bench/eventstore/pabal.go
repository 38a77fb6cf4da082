package eventstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// ours appends through a journal.Writer.
type ours struct {
	db     storage.Backend
	writer *journal.Writer
	id     string
	last   []time.Time // of each entity's last event
	after  func() error
}

func openPabal(ctx context.Context, url string, a appending) (store, error) {
	db, err := postgres.Open(ctx, url, postgres.Config{MaxConns: int32(a.connections), Logger: measure.Quiet})
	if err != nil {
		return nil, err
	}
	return newOurs(ctx, db, a, db.Close)
}

func openSQLite(ctx context.Context, _ string, a appending) (store, error) {
	folder, err := os.MkdirTemp("", "pabal-bench-")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, filepath.Join(folder, "journal.db"), sqlite.Config{Logger: measure.Quiet})
	if err != nil {
		return nil, err
	}
	return newOurs(ctx, db, a, func() error { return errors.Join(db.Close(), os.RemoveAll(folder)) })
}

func newOurs(ctx context.Context, db interface {
	storage.Backend
	journal.Store
}, a appending, after func() error) (store, error) {
	o := &ours{db: db, writer: journal.NewWriter(db, journal.WriterConfig{Logger: measure.Quiet}), id: event.NewID(),
		last: make([]time.Time, a.entities), after: after}
	return o, o.writer.Start(ctx)
}

func (o *ours) append(ctx context.Context, entity int, seqNr int64, payload []byte) error {
	appended, err := o.writer.Append(ctx, journal.Write{
		PersistenceID: fmt.Sprintf("Cart|%d", entity), After: seqNr - 1, AfterTime: o.last[entity], Writer: o.id,
		Events: []journal.NewEvent{{Payload: journal.Payload{Serializer: 4, Data: payload}}},
	})
	o.last[entity] = appended.Time // one goroutine per entity
	return err
}

func (o *ours) count(ctx context.Context) (n int64, err error) {
	err = o.db.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, "SELECT count(*) FROM event_journal").Scan(&n)
	})
	return n, err
}

func (o *ours) close() error { return errors.Join(o.writer.Stop(context.Background()), o.after()) }
