package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// InsertOutbox implements outbox.Tx.
func (tx *Tx) InsertOutbox(ctx context.Context, messages []outbox.Message) error {
	now := time.Now().UnixMicro()
	for _, m := range messages {
		headers, err := encodeHeaders(m.Headers)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, outboxInsert, now, m.Time.UnixMicro(), m.Topic, m.Key, m.ID, m.Type, m.Source,
			m.CorrelationID, m.CausationID, m.Traceparent, m.ContentType, headers, blob(m.Payload))
		if err != nil {
			return err
		}
	}
	tx.wake = tx.wake || len(messages) > 0
	return nil
}

func encodeHeaders(headers map[string]string) (any, error) {
	if len(headers) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(headers)
	return string(text), err
}

// blob is a parameter that keeps nil and empty apart.
func blob(data []byte) any {
	if data == nil {
		return nil
	}
	return data
}

// scanRow reads the columns of the outbox's SELECTs.
func scanRow(rows storage.Rows) (outbox.Row, error) {
	var (
		r           outbox.Row
		at          int64
		next        sql.NullInt64
		headers     []byte
		nullPayload bool
	)
	err := rows.Scan(&r.ID, &at, &next, &r.Replay, &r.Attempts, &r.Reason, &r.Topic, &r.Key, &r.Event.ID, &r.Type, &r.Source,
		&r.CorrelationID, &r.CausationID, &r.Traceparent, &r.ContentType, &headers, &r.Payload, &nullPayload)
	if err != nil {
		return r, err
	}
	r.Time, r.NextAttempt = time.UnixMicro(at).UTC(), fromMicros(next)
	if r.Payload == nil && !nullPayload {
		r.Payload = []byte{}
	}
	if headers != nil {
		if err := json.Unmarshal(headers, &r.Headers); err != nil {
			return r, fmt.Errorf("headers of outbox row %d: %w", r.ID, err)
		}
	}
	return r, nil
}

// collect reads rows up to limit, and not more than maxBytes of payload unless
// the first alone exceeds it.
func collect(into []outbox.Row, rows storage.Rows, room *int64) (out []outbox.Row, full bool, err error) {
	defer rows.Close()
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, false, err
		}
		size := int64(len(r.Payload))
		if size > *room && len(into) > 0 {
			return into, true, nil
		}
		*room -= size
		into = append(into, r)
	}
	return into, false, rows.Err()
}
