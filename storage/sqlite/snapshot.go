package sqlite

import (
	"context"
	"database/sql"
	_ "embed" // for the SQL
	"errors"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed sql/snapshot_save.sql
var snapshotSave string

const snapshotLoad = "SELECT seq_nr, write_timestamp, ser_id, ser_manifest, snapshot, meta_ser_id, meta_ser_manifest, meta_payload " +
	"FROM snapshot WHERE persistence_id = $1 AND ($2 <= 0 OR seq_nr <= $2)"

// LoadSnapshot implements journal.Loader.
func (db *DB) LoadSnapshot(ctx context.Context, persistenceID string, highest int64) (journal.Snapshot, bool, error) {
	return loadSnapshot(ctx, db.View, persistenceID, highest)
}

// LoadSnapshot implements journal.Loader.
func (tx *Tx) LoadSnapshot(ctx context.Context, persistenceID string, highest int64) (journal.Snapshot, bool, error) {
	return loadSnapshot(ctx, tx.view, persistenceID, highest)
}

func loadSnapshot(ctx context.Context, in view, persistenceID string, highest int64) (s journal.Snapshot, ok bool, err error) {
	s.PersistenceID = persistenceID
	var (
		written    int64
		meta       []byte
		serializer sql.NullInt32
		manifest   sql.NullString
	)
	err = in(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, snapshotLoad, persistenceID, highest).Scan(&s.SeqNr, &written, &s.Payload.Serializer, &s.Payload.Manifest,
			&s.Payload.Data, &serializer, &manifest, &meta)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return journal.Snapshot{}, false, nil
	case err != nil:
		return journal.Snapshot{}, false, err
	}
	s.Time, s.Metadata = time.UnixMilli(written).UTC(), metadata(serializer, manifest, meta)
	return s, true, nil
}

// SaveSnapshot implements journal.Store.
func (db *DB) SaveSnapshot(ctx context.Context, s journal.Snapshot) error {
	return db.Update(ctx, func(tx *Tx) error { return tx.SaveSnapshot(ctx, s) })
}

// SaveSnapshot implements journal.Tx. A snapshot without a time is of now.
func (tx *Tx) SaveSnapshot(ctx context.Context, s journal.Snapshot) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if s.Time.IsZero() {
		s.Time = time.Now()
	}
	_, err := tx.Exec(ctx, snapshotSave, append([]any{journal.SliceOf(s.PersistenceID), journal.EntityType(s.PersistenceID), s.PersistenceID,
		s.SeqNr, s.Time.UnixMilli(), s.Payload.Serializer, s.Payload.Manifest, notNull(s.Payload.Data)}, optional(s.Metadata)...)...)
	return err
}

// DeleteSnapshot implements journal.Store.
func (db *DB) DeleteSnapshot(ctx context.Context, persistenceID string, highest int64) error {
	return db.Update(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM snapshot WHERE persistence_id = $1 AND ($2 <= 0 OR seq_nr <= $2)", persistenceID, highest)
		return err
	})
}
