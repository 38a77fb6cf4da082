package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	stateInsert = statementFile("state_insert")
	stateTwice  = statementFile("state_twice")
	stateUpdate = statementFile("state_update")
	stateDelete = statementFile("state_delete")
)

// WriteStateGroup is described at journal.Store.
func (db *DB) WriteStateGroup(ctx context.Context, writes []journal.StateWrite) ([]journal.Result, error) {
	results := make([]journal.Result, len(writes))
	valid := orderedStates(writes, func(place int, err error) { results[place].Err = err })
	if len(valid) == 0 {
		return results, nil
	}
	var stored map[string]time.Time
	err := db.repeat(ctx, func() error {
		return db.Update(ctx, func(tx *Tx) (err error) {
			stored, err = tx.writeStates(ctx, writes, valid)
			return err
		})
	})
	if endures(err) && len(valid) > 1 {
		return db.writeEachState(ctx, writes)
	}
	if err != nil && len(valid) != 1 || db.Transient(err) {
		return nil, err
	}
	for _, place := range valid {
		results[place] = stateResult(&writes[place], stored, err)
	}
	return results, nil
}

func (db *DB) writeEachState(ctx context.Context, writes []journal.StateWrite) ([]journal.Result, error) {
	results := make([]journal.Result, 0, len(writes))
	for i := range writes {
		one, err := db.WriteStateGroup(ctx, writes[i:i+1])
		if err != nil {
			return nil, err
		}
		results = append(results, one...)
	}
	return results, nil
}

// WriteStates is described at journal.Tx.
func (tx *Tx) WriteStates(ctx context.Context, writes []journal.StateWrite) ([]journal.Appended, error) {
	var refused error
	valid := orderedStates(writes, func(_ int, err error) { refused = err })
	if refused != nil || len(writes) == 0 {
		return nil, refused
	}
	stored, err := tx.writeStates(ctx, writes, valid)
	if err != nil {
		return nil, err
	}
	appended := make([]journal.Appended, len(writes))
	for i := range writes {
		r := stateResult(&writes[i], stored, nil)
		if r.Err != nil {
			return nil, r.Err
		}
		appended[i] = r.Appended
	}
	return appended, nil
}

func stateResult(w *journal.StateWrite, stored map[string]time.Time, err error) journal.Result {
	at, ok := stored[w.PersistenceID]
	switch {
	case err != nil:
		return journal.Result{Err: err}
	case !ok:
		return journal.Result{Err: &journal.ConflictError{PersistenceID: w.PersistenceID, Expected: w.Revision - 1}}
	}
	return journal.Result{Appended: journal.Appended{SeqNr: w.Revision, Time: at}}
}

// orderedStates are the places of the valid writes, by persistence id, so that
// groups with common ids wait for each other and do not deadlock.
func orderedStates(writes []journal.StateWrite, report func(place int, err error)) []int {
	var places []int
	for i := range writes {
		if err := writes[i].Validate(); err != nil {
			report(i, err)
			continue
		}
		places = append(places, i)
	}
	slices.SortStableFunc(places, func(a, b int) int { return strings.Compare(writes[a].PersistenceID, writes[b].PersistenceID) })
	return places
}

// writeStates returns the times of what was stored, with its messages; others are
// conflicts.
func (tx *Tx) writeStates(ctx context.Context, writes []journal.StateWrite, places []int) (map[string]time.Time, error) {
	stored := map[string]time.Time{}
	var inserts, updates, deletes stateColumns
	for _, place := range places {
		w := &writes[place]
		switch {
		case w.Delete && w.Hard:
			deletes.add(w)
		case w.Revision == 1:
			inserts.add(w)
		default:
			updates.add(w)
		}
	}
	for _, step := range []struct {
		s    statement
		args []any
		ids  []string
	}{
		{stateInsert, inserts.insertArgs(), inserts.id},
		{stateUpdate, updates.updateArgs(), updates.id},
		{stateDelete, deletes.deleteArgs(), deletes.id},
	} {
		if len(step.ids) == 0 {
			continue
		}
		if err := tx.collectTimes(ctx, stored, step.s, step.args); err != nil {
			return nil, failed("write states", err)
		}
	}
	if err := tx.takeBackStates(ctx, stored, inserts.id); err != nil {
		return nil, failed("take back what conflicts", err)
	}
	return stored, tx.afterStates(ctx, writes, places, stored)
}

func (tx *Tx) collectTimes(ctx context.Context, into map[string]time.Time, s statement, args []any) error {
	rows, err := tx.Query(ctx, tx.names.sql(s), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var at time.Time
		if err := rows.Scan(&id, &at); err != nil {
			return err
		}
		into[id] = at.UTC()
	}
	return errors.Join(rows.Err(), rows.Close())
}

// takeBackStates removes what was inserted beside a later revision.
func (tx *Tx) takeBackStates(ctx context.Context, stored map[string]time.Time, ids []string) error {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return stored[id].IsZero() })
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, tx.names.sql(stateTwice), ids)
	if err != nil {
		return err
	}
	defer rows.Close()
	var twice []string
	var revisions []int64
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		delete(stored, id)
		twice, revisions = append(twice, id), append(revisions, 2) // deletes what is before it
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(twice) == 0 {
		return err
	}
	return tx.collectTimes(ctx, map[string]time.Time{}, stateDelete, []any{twice, revisions})
}

func (tx *Tx) afterStates(ctx context.Context, writes []journal.StateWrite, places []int, stored map[string]time.Time) error {
	if len(stored) == 0 {
		return nil
	}
	var messages []outbox.Message
	for _, place := range places {
		if w := &writes[place]; !stored[w.PersistenceID].IsZero() {
			messages = append(messages, w.Messages...)
		}
	}
	if err := tx.InsertOutbox(ctx, messages); err != nil {
		return err
	}
	if err := tx.appendedAtCommit(ctx); err != nil {
		return failed("notify readers", err)
	}
	return nil
}

// stateColumns are states as one array per column.
type stateColumns struct {
	slice      []int32
	entityType []string
	id         []string
	revision   []int64
	serializer []int32
	manifest   []string
	payload    [][]byte
	tags       []string
}

func (c *stateColumns) add(w *journal.StateWrite) {
	p, tags := w.Payload, w.Tags
	if w.Delete {
		p, tags = journal.Payload{}, nil
	}
	c.slice, c.entityType = append(c.slice, int32(journal.SliceOf(w.PersistenceID))), append(c.entityType, journal.EntityType(w.PersistenceID))
	c.id, c.revision = append(c.id, w.PersistenceID), append(c.revision, w.Revision)
	c.serializer, c.manifest = append(c.serializer, p.Serializer), append(c.manifest, p.Manifest)
	c.payload, c.tags = append(c.payload, notNull(p.Data)), append(c.tags, tagsLiteral(tags))
}

func (c *stateColumns) insertArgs() []any {
	return []any{c.slice, c.entityType, c.id, c.serializer, c.manifest, c.payload, c.tags}
}

func (c *stateColumns) updateArgs() []any {
	return []any{c.id, c.revision, c.serializer, c.manifest, c.payload, c.tags}
}

func (c *stateColumns) deleteArgs() []any { return []any{c.id, c.revision} }
