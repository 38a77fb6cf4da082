package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// PutWaiting implements inbox.Tx.
func (tx *Tx) PutWaiting(ctx context.Context, claim inbox.Claim, rows []inbox.Waiting) error {
	for _, w := range rows {
		_, err := tx.Exec(ctx, inboxWaitingPut, append(partitionOf(claim), w.Offset, w.Attempts, w.Parked, micros(w.Next), micros(w.Timestamp),
			w.Size, claim.Topic, w.Key, w.Reason, encodeRecordHeaders(w.Headers), blob(w.Value))...)
		if err != nil {
			return err
		}
	}
	return nil
}

// DeleteWaiting implements inbox.Tx.
func (tx *Tx) DeleteWaiting(ctx context.Context, claim inbox.Claim, offset int64) (bool, error) {
	n, err := tx.Exec(ctx, "DELETE FROM pabal_inbox_waiting"+wherePartition+" AND offset = $5", append(partitionOf(claim), offset)...)
	return n > 0, err
}

const waitingColumns = "SELECT offset, attempts, parked, next, timestamp, size, key, reason, "

// WaitingKeys implements inbox.Admin.
func (db *DB) WaitingKeys(ctx context.Context, claim inbox.Claim) (out []inbox.Waiting, err error) {
	err = db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, waitingColumns+"NULL, NULL, 1 FROM pabal_inbox_waiting"+wherePartition+" ORDER BY offset", partitionOf(claim)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			w, err := scanWaiting(rows)
			if err != nil {
				return err
			}
			out = append(out, w)
		}
		return rows.Err()
	})
	return out, err
}

// LoadWaiting implements inbox.Admin.
func (db *DB) LoadWaiting(ctx context.Context, claim inbox.Claim, offset int64) (w inbox.Waiting, ok bool, err error) {
	err = db.View(ctx, func(q storage.Querier) error {
		w, err = scanWaiting(q.QueryRow(ctx, waitingColumns+"headers, value, value IS NULL FROM pabal_inbox_waiting"+wherePartition+" AND offset = $5",
			append(partitionOf(claim), offset)...))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return inbox.Waiting{}, false, nil
	}
	return w, err == nil, err
}

func scanWaiting(row storage.Row) (inbox.Waiting, error) {
	var (
		w               inbox.Waiting
		next, timestamp sql.NullInt64
		headers         []byte
		noValue         bool
	)
	err := row.Scan(&w.Offset, &w.Attempts, &w.Parked, &next, &timestamp, &w.Size, &w.Key, &w.Reason, &headers, &w.Value, &noValue)
	if err != nil {
		return w, err
	}
	w.Next, w.Timestamp = fromMicros(next), fromMicros(timestamp)
	if w.Value == nil && !noValue {
		w.Value = []byte{}
	}
	if w.Headers, err = decodeRecordHeaders(headers); err != nil {
		return w, fmt.Errorf("waiting row of offset %d: %w", w.Offset, err)
	}
	return w, nil
}

// encodeRecordHeaders writes each key and value with its length before it; 0
// is a nil value, else it is one more.
func encodeRecordHeaders(headers []event.Header) any {
	if headers == nil {
		return nil
	}
	out := binary.AppendUvarint(nil, uint64(len(headers)))
	for _, h := range headers {
		out = append(binary.AppendUvarint(out, uint64(len(h.Key))), h.Key...)
		if h.Value == nil {
			out = append(out, 0)
			continue
		}
		out = append(binary.AppendUvarint(out, uint64(len(h.Value))+1), h.Value...)
	}
	return out
}

var errDamagedHeaders = errors.New("headers are damaged")

func decodeRecordHeaders(data []byte) ([]event.Header, error) {
	if data == nil {
		return nil, nil
	}
	n, data, err := cutLength(data)
	if err != nil || n > uint64(len(data)) {
		return nil, errDamagedHeaders
	}
	headers := make([]event.Header, n)
	for i := range headers {
		var key, value []byte
		if key, data, err = cut(data, 0); err != nil {
			return nil, err
		}
		if value, data, err = cut(data, 1); err != nil {
			return nil, err
		}
		headers[i] = event.Header{Key: string(key), Value: value}
	}
	return headers, nil
}

// cut takes bytes with their length before them; a length below the bias is
// nil.
func cut(data []byte, bias uint64) (head, rest []byte, err error) {
	n, data, err := cutLength(data)
	switch {
	case err != nil:
		return nil, nil, err
	case n < bias:
		return nil, data, nil
	case n-bias > uint64(len(data)):
		return nil, nil, errDamagedHeaders
	}
	return data[: n-bias : n-bias], data[n-bias:], nil
}

func cutLength(data []byte) (uint64, []byte, error) {
	n, used := binary.Uvarint(data)
	if used <= 0 {
		return 0, nil, errDamagedHeaders
	}
	return n, data[used:], nil
}

// Release implements inbox.Admin. The dead letter's own place goes.
func (db *DB) Release(ctx context.Context, consumer, topic, key string) (touched int64, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, inboxFenceParked, consumer, topic, key); err != nil {
			return err
		}
		places, err := tx.Exec(ctx, "DELETE FROM pabal_inbox_waiting WHERE parked AND consumer = $1 AND topic = $2 AND key = $3 AND attempts > 0 AND value IS NULL",
			consumer, topic, key)
		if err != nil {
			return err
		}
		followers, err := tx.Exec(ctx, inboxRelease, consumer, topic, key)
		touched = places + followers
		return err
	})
	return touched, err
}
