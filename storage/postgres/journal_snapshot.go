package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

var (
	snapshotLoad   = statementFile("snapshot_load")
	snapshotSave   = statementFile("snapshot_save")
	snapshotDelete = statementFile("snapshot_delete")
)

// missing says whether err is that of no row, on pgx and on database/sql.
func missing(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// LoadSnapshot is described at journal.Loader.
func (db *DB) LoadSnapshot(ctx context.Context, persistenceID string, max int64) (journal.Snapshot, bool, error) {
	return db.loader().loadSnapshot(ctx, persistenceID, max)
}

// LoadSnapshot is described at journal.Loader.
func (tx *Tx) LoadSnapshot(ctx context.Context, persistenceID string, max int64) (journal.Snapshot, bool, error) {
	return tx.loader().loadSnapshot(ctx, persistenceID, max)
}

func (l loader) loadSnapshot(ctx context.Context, persistenceID string, max int64) (journal.Snapshot, bool, error) {
	if !storable(persistenceID) {
		return journal.Snapshot{}, false, nil
	}
	s := journal.Snapshot{PersistenceID: persistenceID}
	var at int64
	var metaSerializer *int32
	var metaManifest *string
	var meta []byte
	err := l.q.QueryRow(ctx, l.n.sql(snapshotLoad), persistenceID, max).Scan(&s.SeqNr, &at, &s.Payload.Serializer,
		&s.Payload.Manifest, &s.Payload.Data, &metaSerializer, &metaManifest, &meta)
	if missing(err) {
		return journal.Snapshot{}, false, nil
	}
	if err != nil {
		return journal.Snapshot{}, false, failed("load a snapshot", err)
	}
	s.Time, s.Metadata = time.UnixMilli(at).UTC(), metadata(metaSerializer, metaManifest, meta)
	return s, true, nil
}

// SaveSnapshot is described at journal.Store.
func (db *DB) SaveSnapshot(ctx context.Context, s journal.Snapshot) error {
	return db.loader().saveSnapshot(ctx, s)
}

// SaveSnapshot is described at journal.Tx.
func (tx *Tx) SaveSnapshot(ctx context.Context, s journal.Snapshot) error {
	return tx.loader().saveSnapshot(ctx, s)
}

func (l loader) saveSnapshot(ctx context.Context, s journal.Snapshot) error {
	if err := s.Validate(); err != nil {
		return err
	}
	var at *int64
	if !s.Time.IsZero() {
		millis := s.Time.UnixMilli()
		at = &millis
	}
	var metaSerializer *int32
	var metaManifest *string
	var meta []byte
	if m := s.Metadata; m != nil {
		metaSerializer, metaManifest, meta = &m.Serializer, &m.Manifest, notNull(m.Data)
	}
	_, err := l.q.Exec(ctx, l.n.sql(snapshotSave), journal.SliceOf(s.PersistenceID), journal.EntityType(s.PersistenceID),
		s.PersistenceID, s.SeqNr, at, s.Payload.Serializer, s.Payload.Manifest, notNull(s.Payload.Data),
		metaSerializer, metaManifest, meta)
	if err != nil {
		return failed("save a snapshot", err)
	}
	return nil
}

// DeleteSnapshot is described at journal.Store.
func (db *DB) DeleteSnapshot(ctx context.Context, persistenceID string, max int64) error {
	if !storable(persistenceID) {
		return nil
	}
	_, err := db.exec(ctx, "delete a snapshot", snapshotDelete, persistenceID, max)
	return err
}
