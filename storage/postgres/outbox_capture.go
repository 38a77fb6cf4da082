package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	outboxCapture    = statementFile("outbox_capture")
	outboxCaptureIDs = statementFile("outbox_capture_ids")
)

var _ outbox.CaptureStore = (*DB)(nil)

// Capture is described at outbox.CaptureStore; the log is the write-ahead log, which
// connectors decode where wal_level is logical.
func (db *DB) Capture(ctx context.Context, slot string, limit int) (c outbox.Capture, err error) {
	batch := &pgx.Batch{} // statements run in order, each with a snapshot of its own
	batch.Queue(db.names.sql(outboxPlan))
	batch.Queue(db.names.sql(outboxCaptureIDs), limit).Query(func(rows pgx.Rows) (err error) {
		c.IDs, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	var end, confirmed int64
	batch.Queue(db.names.sql(outboxCapture), slot).QueryRow(func(row pgx.Row) error {
		return row.Scan(&end, &c.Slot, &c.Published, &c.Reader, &confirmed)
	})
	if err := db.pool.SendBatch(ctx, batch).Close(); err != nil {
		return outbox.Capture{}, failed("look at change data capture", err)
	}
	c.End, c.Confirmed = uint64(end), uint64(confirmed)
	return c, nil
}
