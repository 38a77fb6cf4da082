package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// Complete implements outbox.Store.
func (db *DB) Complete(ctx context.Context, lease outbox.Lease, ids []int64, position []byte, keepHistory bool) error {
	ranges := contiguous(ids)
	return db.Update(ctx, func(tx *Tx) error {
		if err := tx.setPosition(ctx, lease, position); err != nil {
			return err
		}
		now := time.Now().UnixMicro()
		for _, r := range ranges {
			if keepHistory {
				if _, err := tx.Exec(ctx, outboxToHistory, now, r.First, r.Last); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, "DELETE FROM pabal_outbox WHERE id BETWEEN $1 AND $2", r.First, r.Last); err != nil {
				return err
			}
		}
		return nil
	})
}

// Refuse implements outbox.Store.
func (db *DB) Refuse(ctx context.Context, lease outbox.Lease, refusals []outbox.Refusal) error {
	return db.Update(ctx, func(tx *Tx) error {
		if err := tx.checkLease(ctx, lease); err != nil {
			return err
		}
		for _, r := range refusals {
			_, err := tx.Exec(ctx, "UPDATE pabal_outbox SET attempts = $2, next_attempt = $3, reason = $4 WHERE id = $1 AND status = 'STARTED'",
				r.ID, r.Attempts, micros(r.Next), r.Reason)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Fail implements outbox.Store.
func (db *DB) Fail(ctx context.Context, lease outbox.Lease, ids []int64, upToReplay int64, position []byte) error {
	failed, err := list(ids)
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		if err := tx.setPosition(ctx, lease, position); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE pabal_outbox SET status = 'FAILED', next_attempt = NULL "+
			"WHERE id IN (SELECT value FROM json_each($1)) AND status = 'STARTED' AND replay <= $2", failed, upToReplay)
		return err
	})
}

func (tx *Tx) setPosition(ctx context.Context, lease outbox.Lease, position []byte) error {
	return tx.underLease(ctx, lease, "UPDATE pabal_outbox_state SET position = $3 WHERE lease_token = $1 AND lease_holder = $2", blob(position))
}

// contiguous turns ids into ranges.
func contiguous(ids []int64) []outbox.Range {
	if !slices.IsSorted(ids) {
		ids = slices.Sorted(slices.Values(ids))
	}
	var out []outbox.Range
	for _, id := range ids {
		if last := len(out) - 1; last >= 0 && id <= out[last].Last+1 {
			out[last].Last = id
			continue
		}
		out = append(out, outbox.Range{First: id, Last: id})
	}
	return out
}
