package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/inbox"
)

var (
	waitingKeys    = statementFile("waiting_keys")
	waitingLoad    = statementFile("waiting_load")
	waitingFence   = statementFile("waiting_fence")
	waitingRelease = statementFile("waiting_release")
)

// WaitingKeys is described at inbox.Admin.
func (db *DB) WaitingKeys(ctx context.Context, claim inbox.Claim) ([]inbox.Waiting, error) {
	rows, err := db.pool.Query(ctx, db.names.sql(waitingKeys), partitionArgs(claim.Consumer, claim.Partition)...)
	if err != nil {
		return nil, failed("read what waits", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (inbox.Waiting, error) { return scanWaiting(row) })
	if err != nil {
		return nil, failed("read what waits", err)
	}
	return all, nil
}

// LoadWaiting is described at inbox.Admin.
func (db *DB) LoadWaiting(ctx context.Context, claim inbox.Claim, offset int64) (inbox.Waiting, bool, error) {
	var headers, value []byte
	row := db.pool.QueryRow(ctx, db.names.sql(waitingLoad), partitionArgs(claim.Consumer, claim.Partition, offset)...)
	w, err := scanWaiting(row, &headers, &value)
	if errors.Is(err, pgx.ErrNoRows) {
		return inbox.Waiting{}, false, nil
	}
	if err == nil {
		w.Value = value
		w.Headers, err = unpackHeaders(headers)
	}
	if err != nil {
		return inbox.Waiting{}, false, failed("load a waiting message", err)
	}
	return w, true, nil
}

func scanWaiting(row pgx.Row, more ...any) (inbox.Waiting, error) {
	var w inbox.Waiting
	var key []byte
	var next, stamp *time.Time
	err := row.Scan(append([]any{&w.Offset, &key, &w.Attempts, &next, &w.Parked, &stamp, &w.Size, &w.Reason}, more...)...)
	w.Key = string(key)
	if next != nil {
		w.Next = next.UTC()
	}
	if stamp != nil {
		w.Timestamp = stamp.UTC()
	}
	return w, err
}

// Release is described at inbox.Admin. The dead letter's place goes, what waited
// behind it becomes an ordinary waiting row.
func (db *DB) Release(ctx context.Context, consumer, topic, key string) (touched int64, err error) {
	err = db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		// Fencing first waits for what the owners are parking just now; the next
		// statement sees it.
		fenced, err := tx.Exec(ctx, db.names.sql(waitingFence), consumer, topic, []byte(key))
		if err != nil || fenced.RowsAffected() == 0 {
			return err
		}
		return tx.QueryRow(ctx, db.names.sql(waitingRelease), consumer, topic, []byte(key)).Scan(&touched)
	})
	if err != nil {
		return 0, failed("release a parked key", err)
	}
	return touched, nil
}
