package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

var (
	projectionOffsets   = statementFile("projection_offsets")
	projectionOffsetsOf = statementFile("projection_offsets_of")
	projectionTrim      = statementFile("projection_trim")
)

// Offsets is described at projection.Admin. The key that a row was stored with
// is ignored, since ranges are cut anew.
func (db *DB) Offsets(ctx context.Context, claim projection.Claim, limit int) ([]projection.Offset, error) {
	rows, err := db.pool.Query(ctx, db.names.sql(projectionOffsets), claim.Projection, claim.Slices.Min, claim.Slices.Max, limit)
	if err != nil {
		return nil, failed("load offsets", err)
	}
	offsets, err := pgx.CollectRows(rows, scanOffset)
	if err != nil {
		return nil, failed("load offsets", err)
	}
	return offsets, nil
}

// OffsetsOf is described at projection.Admin.
func (db *DB) OffsetsOf(ctx context.Context, claim projection.Claim, persistenceIDs []string) ([]projection.Offset, error) {
	out := make([]projection.Offset, len(persistenceIDs))
	if len(out) == 0 {
		return out, nil
	}
	rows, err := db.pool.Query(ctx, db.names.sql(projectionOffsetsOf), claim.Projection, persistenceIDs)
	if err != nil {
		return nil, failed("look offsets up", err)
	}
	found, err := pgx.CollectRows(rows, scanOffset)
	if err != nil {
		return nil, failed("look offsets up", err)
	}
	byID := make(map[string]projection.Offset, len(found))
	for _, o := range found {
		byID[o.PersistenceID] = o
	}
	for i, id := range persistenceIDs {
		o, ok := byID[id]
		if !ok {
			o = projection.Offset{PersistenceID: id, Slice: journal.SliceOf(id)}
		}
		out[i] = o
	}
	return out, nil
}

func scanOffset(row pgx.CollectableRow) (o projection.Offset, err error) {
	err = row.Scan(&o.PersistenceID, &o.Slice, &o.SeqNr, &o.Time, &o.Consumed)
	o.Time, o.Consumed = o.Time.UTC(), o.Consumed.UTC()
	return o, err
}

// trimBacklog is how many rows the readers may have still to read for the last
// offset of an entity to be deleted.
const trimBacklog = 10_000

// TrimOffsets is described at projection.Admin. Kept is also what would be read again
// after a failover or a restore (rereads), so that it is not handled again.
func (db *DB) TrimOffsets(ctx context.Context, claim projection.Claim, before time.Time) (deleted int64, err error) {
	err = db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		ranges, err := db.queryRanges(ctx, tx, projectionRangesOf, claim.Projection)
		if err != nil {
			return err
		}
		u, err := db.unreadOf(ctx, tx, ranges)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, db.names.sql(projectionTrim), claim.Projection, claim.Slices.Min, claim.Slices.Max, before,
			u.xid, u.open, u.known, trimBacklog, u.again)
		if err != nil {
			return failed("delete", err)
		}
		deleted = tag.RowsAffected()
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("trim the offsets of projection %s: %w", claim.Projection, err)
	}
	return deleted, nil
}
