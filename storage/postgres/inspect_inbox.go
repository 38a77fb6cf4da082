package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
)

var (
	inspectPositions = statementFile("inspect_positions")
	inspectMarks     = statementFile("inspect_marks")
	inspectWaiting   = statementFile("inspect_waiting")
)

// Positions is described at inbox.Inspector.
func (db *DB) Positions(ctx context.Context, consumer string) ([]inbox.Position, error) {
	return inspectAll(ctx, db, "read positions", inspectPositions, []any{columnText(consumer)}, func(row pgx.CollectableRow) (p inbox.Position, err error) {
		return p, row.Scan(&p.Cluster, &p.TopicID, &p.Topic, &p.Partition.Partition, &p.Next, &p.Epoch,
			&p.Replay.Generation, &p.Replay.From, &p.Replay.To)
	})
}

// Marks is described at inbox.Inspector.
func (db *DB) Marks(ctx context.Context, consumer string, ids []string) ([]inbox.StoredMark, error) {
	if err := inbox.CheckMarkIDs(ids); err != nil {
		return nil, fmt.Errorf("postgres: read marks: %w", err)
	}
	wanted := make([]string, len(ids))
	for i, id := range ids {
		wanted[i] = columnText(id)
	}
	args := []any{columnText(consumer), wanted}
	return inspectAll(ctx, db, "read marks", inspectMarks, args, func(row pgx.CollectableRow) (m inbox.StoredMark, err error) {
		err = row.Scan(&m.ID, &m.Outcome, &m.Generation, &m.MarkedAt)
		m.MarkedAt = m.MarkedAt.UTC()
		return m, err
	})
}

// WaitingRows is described at inbox.Inspector.
func (db *DB) WaitingRows(ctx context.Context, q inbox.WaitingQuery) ([]inbox.StoredWaiting, error) {
	q, err := q.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("postgres: read waiting messages: %w", err)
	}
	var key []byte // NULL for all
	if q.Key != "" {
		key = []byte(q.Key)
	}
	var topic *string
	var after inbox.Place
	if q.After != nil {
		after = *q.After
		after.Topic = columnText(after.Topic)
		topic = &after.Topic
	}
	args := []any{columnText(q.Consumer), columnText(q.Topic), key, q.Partition, q.Offset, topic, after.Partition, after.Offset, q.Limit, inbox.MaxInspectHeaders}
	return inspectAll(ctx, db, "read waiting messages", inspectWaiting, args, scanStoredWaiting)
}

func scanStoredWaiting(row pgx.CollectableRow) (inbox.StoredWaiting, error) {
	var w inbox.StoredWaiting
	var key, packed []byte
	var next *time.Time
	err := row.Scan(&w.Topic, &w.Partition, &w.Offset, &key, &w.Attempts, &next, &w.Parked, &w.Size, &w.Reason, &packed)
	if err != nil {
		return w, err
	}
	w.Key, w.Next = string(key), timeOrZero(next)
	headers, err := unpackHeaders(packed)
	w.Describe(headers)
	return w, err
}

// inspectAll reads what a statement returns; it is never nil.
func inspectAll[T any](ctx context.Context, db *DB, what string, s statement, args []any, scan pgx.RowToFunc[T]) ([]T, error) {
	all := []T{}
	err := db.inspect(ctx, what, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, db.names.sql(s), args...)
		if err != nil {
			return err
		}
		all, err = pgx.AppendRows(all, rows, scan)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// readHeaders is decodeHeaders for a StoredRow: headers by name.
func readHeaders(text []byte, key string) (string, []event.Header, error) {
	if len(text) == 0 {
		return key, nil, nil
	}
	var fields map[string]string
	if err := json.Unmarshal(text, &fields); err != nil {
		return key, nil, err
	}
	if exact, ok := fields[exactKey]; ok {
		key = exact
		delete(fields, exactKey)
	}
	var headers []event.Header
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		headers = append(headers, event.Header{Key: name, Value: []byte(fields[name])})
	}
	return key, headers, nil
}
