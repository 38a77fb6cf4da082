package redrive

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// portion are the next letters of a job: first those that were perhaps sent before
// a crash.
func (x *index) portion(ctx context.Context, job string, most int) (all []letter, err error) {
	err = x.db.View(ctx, func(q storage.Querier) error {
		for _, state := range []string{"sending", "pending"} {
			some, err := someLetters(ctx, q, `SELECT `+letterColumns+` FROM redrive_letter r JOIN dead_letter d ON d.seq = r.letter
				WHERE r.job = $1 AND r.state = $2 ORDER BY r.letter LIMIT $3`, job, state, most-len(all))
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		return nil
	})
	return all, err
}

// left are letters of a job to be sent, and those that were and wait for their
// outcome.
func (x *index) left(ctx context.Context, job string) (unsent, waiting int64, err error) {
	err = x.db.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, `SELECT count(*) FILTER (WHERE state IN ('pending', 'sending')), count(*) FILTER (WHERE state = 'sent')
			FROM redrive_letter WHERE job = $1 AND state IN ('pending', 'sending', 'sent')`, job).Scan(&unsent, &waiting)
	})
	return unsent, waiting, err
}

// intend notes that letters are about to be sent, and returns those that still are
// to be: of a job that was not cancelled, neither handled nor given up again.
func (x *index) intend(ctx context.Context, job string, letters []letter, now time.Time) (still []letter, err error) {
	err = x.update(ctx, func(tx *sqlite.Tx) error {
		still = nil
		for _, l := range letters {
			n, err := tx.Exec(ctx, `UPDATE redrive_letter SET state = 'sending' WHERE job = $1 AND letter = $2 AND state IN ('pending', 'sending')
				AND EXISTS (SELECT 1 FROM redrive_job WHERE id = $1 AND state = 'running')
				AND EXISTS (SELECT 1 FROM dead_letter WHERE seq = $2 AND state IN ('open', 'redriven'))`, job, l.seq)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if _, err := tx.Exec(ctx, "UPDATE dead_letter SET state = 'redriven', since = $1, due = $1 WHERE seq = $2", now.UnixMicro(), l.seq); err != nil {
				return err
			}
			still = append(still, l)
		}
		return nil
	})
	return still, err
}

// result is how the sending of a letter ended: "sent", or "skipped" for a reason.
type result struct{ state, reason string }

// confirm notes how sending ended. Where the outcome was known before, it stays.
func (x *index) confirm(ctx context.Context, job string, results map[int64]result, now time.Time) error {
	if len(results) == 0 {
		return nil
	}
	return x.update(ctx, func(tx *sqlite.Tx) error {
		for seq, r := range results {
			_, err := tx.Exec(ctx, "UPDATE redrive_letter SET state = $1, reason = $2 WHERE job = $3 AND letter = $4 AND state IN ('pending', 'sending')", r.state, r.reason, job, seq)
			if err != nil {
				return err
			}
			if r.state == "skipped" {
				_, err = tx.Exec(ctx, "UPDATE dead_letter SET state = 'open', since = $1, due = $1 WHERE seq = $2 AND state = 'redriven'", now.UnixMicro(), seq)
			} else {
				_, err = tx.Exec(ctx, "UPDATE dead_letter SET due = $1 WHERE seq = $2 AND state = 'redriven'", now.UnixMicro(), seq)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// drop skips the letters of a job that the index lost.
func (x *index) drop(ctx context.Context, job string) (dropped int64, err error) {
	err = x.update(ctx, func(tx *sqlite.Tx) error {
		dropped, err = tx.Exec(ctx, `UPDATE redrive_letter SET state = 'skipped', reason = 'the index does not have it any more'
			WHERE job = $1 AND state IN ('pending', 'sending') AND letter NOT IN (SELECT seq FROM dead_letter)`, job)
		return err
	})
	return dropped, err
}
