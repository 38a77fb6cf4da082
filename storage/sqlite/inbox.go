package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/inbox"
)

const wherePartition = " WHERE consumer = $1 AND cluster = $2 AND topic_id = $3 AND partition = $4"

func partitionOf(c inbox.Claim) []any {
	return []any{c.Consumer, c.Cluster, c.TopicID, c.Partition.Partition}
}

// AdvanceInbox implements inbox.Tx. Other claims wait because one transaction
// writes at a time.
func (tx *Tx) AdvanceInbox(ctx context.Context, claim inbox.Claim, lane int, next int64) error {
	if next < 0 {
		return tx.checkClaim(ctx, claim, lane)
	}
	n, err := tx.Exec(ctx, "UPDATE pabal_inbox_lane SET next_offset = $7"+wherePartition+" AND lane = $5 AND epoch = $6",
		append(partitionOf(claim), lane, claim.Epoch, next)...)
	if err == nil && n == 0 {
		return inbox.ErrFenced
	}
	return err
}

func (tx *Tx) checkClaim(ctx context.Context, claim inbox.Claim, lane int) error {
	var found int
	err := tx.QueryRow(ctx, "SELECT 1 FROM pabal_inbox_lane"+wherePartition+" AND lane = $5 AND epoch = $6",
		append(partitionOf(claim), lane, claim.Epoch)...).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return inbox.ErrFenced
	}
	return err
}

// MarkInbox implements inbox.Tx.
func (tx *Tx) MarkInbox(ctx context.Context, consumer string, marks []inbox.Mark) (unseen []bool, err error) {
	now := time.Now().UnixMicro()
	unseen = make([]bool, len(marks))
	met := make(map[string]struct{}, len(marks))
	for i, m := range marks {
		if _, twice := met[m.ID]; twice {
			continue
		}
		met[m.ID] = struct{}{}
		n, err := tx.Exec(ctx, inboxMark, consumer, m.ID, now, m.Generation, string(m.Outcome), m.Redriven)
		if err != nil {
			return nil, err
		}
		unseen[i] = n > 0
	}
	return unseen, nil
}

// TrimInbox implements inbox.Admin.
func (db *DB) TrimInbox(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		n, err = tx.Exec(ctx, "DELETE FROM pabal_inbox WHERE (consumer, id) IN "+
			"(SELECT consumer, id FROM pabal_inbox WHERE marked_at < $1 ORDER BY marked_at LIMIT $2)", before.UnixMicro(), limit)
		return err
	})
	return n, err
}
