package postgres

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	outboxLastID   = statementFile("outbox_last_id")
	outboxWriters  = statementFile("outbox_writers")
	outboxFlushIDs = statementFile("outbox_flush_ids")
)

// durableIDs remembers up to which id the sequence is on disk. What a
// transaction took from it and rolled back need not be: after a crash the server
// would give those ids again, below a mark the relay believes final.
type durableIDs struct {
	mu sync.Mutex
	up int64
}

func (d *durableIDs) reach(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up = max(d.up, id)
}

func (d *durableIDs) covers(id int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return id <= d.up
}

// Horizon is described at outbox.Store. The writers are the holders of the lock
// that outbox_insert.sql takes, read after the last id.
func (db *DB) Horizon(ctx context.Context) (outbox.Horizon, error) {
	h, end, flushed, err := db.lookAtWriters(ctx)
	if err != nil {
		return outbox.Horizon{}, failed("look at the outbox's writers", err)
	}
	if flushed < end && !db.ids.covers(h.LastID) {
		if _, err := db.pool.Exec(ctx, db.names.sql(outboxFlushIDs), h.LastID); err != nil {
			return outbox.Horizon{}, failed("flush the outbox's ids", err)
		}
	}
	db.ids.reach(h.LastID)
	return h, nil
}

// lookAtWriters also returns the ends of the write-ahead log as inserted after
// the last id was read, and as on disk after that.
func (db *DB) lookAtWriters(ctx context.Context) (h outbox.Horizon, end, flushed int64, err error) {
	batch := &pgx.Batch{} // statements run in order
	batch.Queue(db.names.sql(outboxLastID)).QueryRow(func(row pgx.Row) error { return row.Scan(&h.LastID, &end) })
	batch.Queue(db.names.sql(outboxWriters)).Query(func(rows pgx.Rows) error {
		var name *string
		var prepared bool
		_, err := pgx.ForEachRow(rows, []any{&name, &prepared, &flushed}, func() error {
			if name != nil {
				h.Writers = append(h.Writers, *name)
				h.Prepared = h.Prepared || prepared
			}
			return nil
		})
		return err
	})
	err = db.pool.SendBatch(ctx, batch).Close()
	return h, end, flushed, err
}
