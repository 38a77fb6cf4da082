package postgres

import (
	"context"
	"math"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
)

var (
	journalHighest = statementFile("journal_highest")
	journalIDs     = statementFile("journal_ids")
	stateLoad      = statementFile("state_load")
)

// loader is what DB and Tx have in common of journal.Loader.
type loader struct {
	q      storage.Querier
	n      *names
	onPool bool // losing the connection is no harm
}

func (db *DB) loader() loader { return loader{db.querier(), db.names, true} }
func (tx *Tx) loader() loader { return loader{tx.Querier, tx.names, false} }

// Events is described at journal.Loader. No connection is held while fn runs.
func (db *DB) Events(ctx context.Context, persistenceID string, from, to int64, fn func(journal.Event) error) error {
	return db.loader().events(ctx, persistenceID, from, to, fn)
}

// Events is described at journal.Loader; fn can use the transaction.
func (tx *Tx) Events(ctx context.Context, persistenceID string, from, to int64, fn func(journal.Event) error) error {
	return tx.loader().events(ctx, persistenceID, from, to, fn)
}

func (l loader) events(ctx context.Context, persistenceID string, from, to int64, fn func(journal.Event) error) error {
	if !storable(persistenceID) {
		return nil
	}
	if to == 0 {
		to = math.MaxInt64
	}
	p := page{loader: l, id: persistenceID}
	for from <= to {
		if err := p.read(ctx, from, to); err != nil {
			return failed("read events", err)
		}
		for i := range p.events {
			if err := fn(p.events[i]); err != nil {
				return err
			}
		}
		if len(p.events) == 0 || p.last == math.MaxInt64 {
			return nil
		}
		from = p.last + 1
	}
	return nil
}

// HighestSeqNrs is described at journal.Loader; one round trip for all.
func (db *DB) HighestSeqNrs(ctx context.Context, persistenceIDs []string) ([]int64, error) {
	return db.loader().highestSeqNrs(ctx, persistenceIDs)
}

// HighestSeqNrs is described at journal.Loader.
func (tx *Tx) HighestSeqNrs(ctx context.Context, persistenceIDs []string) ([]int64, error) {
	return tx.loader().highestSeqNrs(ctx, persistenceIDs)
}

func (l loader) highestSeqNrs(ctx context.Context, persistenceIDs []string) ([]int64, error) {
	if len(persistenceIDs) == 0 {
		return nil, nil
	}
	ids := make([]string, len(persistenceIDs))
	for i, id := range persistenceIDs {
		if storable(id) {
			ids[i] = id
		}
	}
	rows, err := l.q.Query(ctx, l.n.sql(journalHighest), ids)
	if err != nil {
		return nil, failed("read sequence numbers", err)
	}
	defer rows.Close()
	highest := make([]int64, 0, len(ids))
	for rows.Next() {
		var seqNr int64
		if err := rows.Scan(&seqNr); err != nil {
			return nil, failed("read sequence numbers", err)
		}
		highest = append(highest, seqNr)
	}
	if err := rows.Err(); err != nil {
		return nil, failed("read sequence numbers", err)
	}
	return highest, nil
}

// storable: nothing is stored under other ids, and PostgreSQL refuses to be asked.
func storable(persistenceID string) bool {
	return persistenceID == "" || journal.CheckPersistenceID(persistenceID) == nil
}

// PersistenceIDs is described at journal.Store. The order is that of the database's
// collation.
func (db *DB) PersistenceIDs(ctx context.Context, entityType, after string, limit int) ([]string, error) {
	if !storable(entityType) || !storable(after) || limit <= 0 {
		return nil, nil
	}
	rows, err := db.querier().Query(ctx, db.names.sql(journalIDs), entityType, after, limit)
	if err != nil {
		return nil, failed("list persistence ids", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, failed("list persistence ids", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, failed("list persistence ids", err)
	}
	return ids, nil
}

// LoadState is described at journal.Loader.
func (db *DB) LoadState(ctx context.Context, persistenceID string) (journal.Event, bool, error) {
	return db.loader().loadState(ctx, persistenceID)
}

// LoadState is described at journal.Loader.
func (tx *Tx) LoadState(ctx context.Context, persistenceID string) (journal.Event, bool, error) {
	return tx.loader().loadState(ctx, persistenceID)
}

func (l loader) loadState(ctx context.Context, persistenceID string) (journal.Event, bool, error) {
	if !storable(persistenceID) {
		return journal.Event{}, false, nil
	}
	e := journal.Event{PersistenceID: persistenceID}
	var manifest, tags *string
	var at time.Time
	err := l.q.QueryRow(ctx, l.n.sql(stateLoad), persistenceID).
		Scan(&e.SeqNr, &at, &e.Payload.Serializer, &manifest, &e.Payload.Data, &tags)
	if missing(err) {
		return journal.Event{}, false, nil
	}
	if err == nil {
		e.Tags, err = readTags(tags)
	}
	if err != nil {
		return journal.Event{}, false, failed("load a state", err)
	}
	e.Time = at.UTC()
	if manifest != nil {
		e.Payload.Manifest = *manifest
	}
	if e.Deleted = isStateMarker(e.Payload); e.Deleted {
		e.Payload = journal.Payload{}
	}
	return e, true, nil
}

// isStateMarker: Pekko's way to tell a deleted state.
func isStateMarker(p journal.Payload) bool { return p.Serializer == 0 && len(p.Data) == 0 }
