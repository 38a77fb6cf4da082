package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

var outboxInsert = statementFile("outbox_insert")

// InsertOutbox is described at outbox.Tx; one round trip for all messages, two where the outbox has begun
// or ceased to be without rows since the last time.
func (tx *Tx) InsertOutbox(ctx context.Context, messages []outbox.Message) error {
	if len(messages) == 0 {
		return nil
	}
	emitted, err := tx.insertOrEmit(ctx, messages)
	switch {
	case err != nil:
		return failed("insert into the outbox", err)
	case emitted:
		return nil
	}
	if err := tx.wakeAtCommit(ctx); err != nil {
		return failed("notify relays", err)
	}
	return nil
}

// insertOrEmit does as the last time first. Either statement holds the outbox's lock to the end of the
// transaction, so that the other one finds the way out that the first one found.
func (tx *Tx) insertOrEmit(ctx context.Context, messages []outbox.Message) (emitted bool, err error) {
	emitted = tx.names.emits.Load()
	for range 2 {
		do := tx.insertRows
		if emitted {
			do = tx.emitMessages
		}
		n, err := do(ctx, messages)
		switch {
		case err != nil:
			return emitted, err
		case n > 0:
			tx.names.emits.Store(emitted)
			return emitted, nil
		}
		emitted = !emitted
	}
	return emitted, errors.New("the outbox's way out cannot be told")
}

func (tx *Tx) insertRows(ctx context.Context, messages []outbox.Message) (int64, error) {
	args, err := insertArgs(messages, tx.source)
	if err != nil {
		return 0, err
	}
	return tx.Exec(ctx, tx.names.sql(outboxInsert), args...)
}

// insertArgs has one array per column; standard is the source of events that have none.
func insertArgs(messages []outbox.Message, standard string) ([]any, error) {
	const texts = 10
	n := len(messages)
	cells := make([]string, texts*n)
	column := func(i int) []string { return cells[i*n : (i+1)*n : (i+1)*n] }
	topic, key, id, typ, source := column(0), column(1), column(2), column(3), column(4)
	correlation, causation, trace, content, headers := column(5), column(6), column(7), column(8), column(9)
	at, payload := make([]time.Time, n), make([][]byte, n)
	for i := range messages {
		m := &messages[i]
		var err error
		if headers[i], err = encodeHeaders(&m.Event); err != nil {
			return nil, err
		}
		topic[i], key[i], id[i], typ[i], source[i] = m.Topic, columnKey(m.Key), m.ID, m.Type, cmp.Or(m.Source, standard)
		correlation[i], causation[i], trace[i], content[i] = m.CorrelationID, m.CausationID, m.Traceparent, m.ContentType
		at[i], payload[i] = m.Time, m.Payload
	}
	return []any{topic, key, id, typ, source, at, correlation, causation, trace, content, headers, payload}, nil
}

// exactKey is the member of the headers' JSON with a key that a text column
// cannot hold. No header has an empty name.
const exactKey = ""

// columnKey replaces NUL, the one character PostgreSQL's text has no room for.
func columnKey(key string) string { return strings.ReplaceAll(key, "\x00", "\u2400") }

// encodeHeaders is "" where there are none. The column is json, not jsonb, which
// would refuse NUL.
func encodeHeaders(e *event.Event) (string, error) {
	fields := e.Headers
	if strings.Contains(e.Key, "\x00") {
		fields = e.WithHeader(exactKey, e.Key).Headers
	}
	if len(fields) == 0 {
		return "", nil
	}
	text, err := json.Marshal(fields)
	return string(text), err
}

// decodeHeaders undoes encodeHeaders.
func decodeHeaders(text []byte, e *event.Event) error {
	if len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, &e.Headers); err != nil {
		return err
	}
	if key, ok := e.Headers[exactKey]; ok {
		e.Key = key
		delete(e.Headers, exactKey)
	}
	if len(e.Headers) == 0 {
		e.Headers = nil
	}
	return nil
}
