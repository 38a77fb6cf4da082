package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
)

var (
	insertEvents = newBulk("INSERT OR FAIL INTO event_journal (slice, entity_type, persistence_id, seq_nr, db_timestamp, "+
		"event_ser_id, event_ser_manifest, event_payload, writer)", 9, "")
	insertRichEvents = newBulk("INSERT OR FAIL INTO event_journal (slice, entity_type, persistence_id, seq_nr, db_timestamp, "+
		"event_ser_id, event_ser_manifest, event_payload, writer, tags, meta_ser_id, meta_ser_manifest, meta_payload)", 13, "")
)

// eventRows are the values of rows to be inserted. Most events have neither
// tags nor metadata, which makes a statement without them worth while.
type eventRows struct {
	values []any
	rich   bool
}

func (r *eventRows) add(w journal.Write, at int64) error {
	slice, entityType := journal.SliceOf(w.PersistenceID), journal.EntityType(w.PersistenceID)
	for i, e := range w.Events {
		tags, err := encodeTags(e.Tags)
		if err != nil {
			return err
		}
		r.rich = r.rich || tags != nil || e.Metadata != nil
		r.values = append(r.values, slice, entityType, w.PersistenceID, w.After+1+int64(i), at,
			e.Payload.Serializer, e.Payload.Manifest, notNull(e.Payload.Data), w.Writer, tags)
		r.values = append(r.values, optional(e.Metadata)...)
	}
	return nil
}

// insert in the order in which they were added.
func (r *eventRows) insert(ctx context.Context, tx *Tx) error {
	if len(r.values) == 0 {
		return nil
	}
	tx.appended = true
	if r.rich {
		return insertRichEvents.run(ctx, tx, r.values)
	}
	plain := r.values[:0]
	for row := range len(r.values) / insertRichEvents.width {
		from := row * insertRichEvents.width
		plain = append(plain, r.values[from:from+insertEvents.width]...)
	}
	return insertEvents.run(ctx, tx, plain)
}

// notNull is a parameter that is never NULL.
func notNull(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// optional is the parameters of a payload that may be missing.
func optional(p *journal.Payload) []any {
	if p == nil {
		return []any{nil, nil, nil}
	}
	return []any{p.Serializer, p.Manifest, notNull(p.Data)}
}

func encodeTags(tags []string) (any, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(tags)
	return string(text), err
}

// columns of a SELECT that scanEvent reads.
const (
	eventColumns = "SELECT ordering, persistence_id, seq_nr, db_timestamp, event_ser_id, event_ser_manifest, event_payload, deleted, " +
		"writer, adapter_manifest, tags, meta_ser_id, meta_ser_manifest, meta_payload FROM event_journal "
	stateColumns = "SELECT ordering, persistence_id, revision, db_timestamp, state_ser_id, state_ser_manifest, state_payload, " +
		"state_ser_id = 0 AND state_ser_manifest = '' AND state_payload = x'', '', '', tags, NULL, NULL, NULL FROM durable_state "
)

func scanEvent(row storage.Row) (e journal.Event, ordering int64, err error) {
	var at int64
	var tags []byte
	var serializer sql.NullInt32
	var manifest sql.NullString
	var meta []byte
	err = row.Scan(&ordering, &e.PersistenceID, &e.SeqNr, &at, &e.Payload.Serializer, &e.Payload.Manifest, &e.Payload.Data, &e.Deleted,
		&e.Writer, &e.AdapterManifest, &tags, &serializer, &manifest, &meta)
	if err != nil {
		return e, 0, err
	}
	e.Time, e.Metadata = time.UnixMicro(at).UTC(), metadata(serializer, manifest, meta)
	if e.Tags, err = decodeTags(tags); err != nil {
		err = fmt.Errorf("sqlite: %s, sequence number %d: %w", e.PersistenceID, e.SeqNr, err)
	}
	return e, ordering, err
}

func metadata(serializer sql.NullInt32, manifest sql.NullString, data []byte) *journal.Payload {
	if !serializer.Valid {
		return nil
	}
	return &journal.Payload{Serializer: serializer.Int32, Manifest: manifest.String, Data: notNull(data)}
}

func decodeTags(text []byte) (tags []string, err error) {
	if text == nil {
		return nil, nil
	}
	if err := json.Unmarshal(text, &tags); err != nil {
		return nil, fmt.Errorf("tags %q: %w", text, err)
	}
	return tags, nil
}
