package sqlite

import (
	"context"
	"database/sql"
	_ "embed" // for the SQL
	"encoding/json"
	"fmt"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed sql/inspect_positions.sql
var inspectPositions string

//go:embed sql/inspect_waiting.sql
var inspectWaiting string

// Positions implements inbox.Inspector.
func (db *DB) Positions(ctx context.Context, consumer string) ([]inbox.Position, error) {
	return inspectAll(ctx, db, "read positions", inspectPositions, []any{consumer}, func(row storage.Row) (inbox.Position, error) {
		var p inbox.Position
		var next string
		err := row.Scan(&p.Cluster, &p.TopicID, &p.Topic, &p.Partition.Partition, &next, &p.Epoch,
			&p.Replay.Generation, &p.Replay.From, &p.Replay.To)
		if err != nil {
			return p, err
		}
		return p, json.Unmarshal([]byte(next), &p.Next)
	})
}

// Marks implements inbox.Inspector.
func (db *DB) Marks(ctx context.Context, consumer string, ids []string) ([]inbox.StoredMark, error) {
	if err := inbox.CheckMarkIDs(ids); err != nil {
		return nil, fmt.Errorf("sqlite: read marks: %w", err)
	}
	wanted, err := list(ids)
	if err != nil {
		return nil, err
	}
	const query = "SELECT id, outcome, generation, marked_at FROM pabal_inbox " +
		"WHERE consumer = $1 AND id IN (SELECT value FROM json_each($2)) ORDER BY id"
	return inspectAll(ctx, db, "read marks", query, []any{consumer, wanted}, func(row storage.Row) (inbox.StoredMark, error) {
		var m inbox.StoredMark
		var at sql.NullInt64
		err := row.Scan(&m.ID, &m.Outcome, &m.Generation, &at)
		m.MarkedAt = fromMicros(at)
		return m, err
	})
}

// WaitingRows implements inbox.Inspector.
func (db *DB) WaitingRows(ctx context.Context, q inbox.WaitingQuery) ([]inbox.StoredWaiting, error) {
	q, err := q.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("sqlite: read waiting messages: %w", err)
	}
	var topic any
	var after inbox.Place
	if q.After != nil {
		topic, after = q.After.Topic, *q.After
	}
	args := []any{q.Consumer, q.Topic, q.Key, orNull(q.Partition), orNull(q.Offset), topic, after.Partition, after.Offset,
		q.Limit, inbox.MaxInspectHeaders}
	return inspectAll(ctx, db, "read waiting messages", inspectWaiting, args, func(row storage.Row) (inbox.StoredWaiting, error) {
		var w inbox.StoredWaiting
		var next sql.NullInt64
		var packed []byte
		err := row.Scan(&w.Topic, &w.Partition, &w.Offset, &w.Key, &w.Attempts, &next, &w.Parked, &w.Size, &w.Reason, &packed)
		if err != nil {
			return w, err
		}
		w.Next = fromMicros(next)
		headers, err := decodeRecordHeaders(packed)
		w.Describe(headers)
		return w, err
	})
}

func orNull[T any](v *T) any {
	if v == nil {
		return nil
	}
	return *v
}

// inspectAll reads what a statement returns; it is never nil.
func inspectAll[T any](ctx context.Context, db *DB, what, query string, args []any, scan func(storage.Row) (T, error)) ([]T, error) {
	all := []T{}
	err := db.inspect(ctx, what, func(ctx context.Context, q storage.Querier) error {
		rows, err := q.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			one, err := scan(rows)
			if err != nil {
				return err
			}
			all = append(all, one)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
