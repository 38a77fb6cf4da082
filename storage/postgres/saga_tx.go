package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

var (
	sagaLoad   = statementFile("saga_load")
	sagaInsert = statementFile("saga_insert")
	sagaSave   = statementFile("saga_save")
	sagaDue    = statementFile("saga_due")
)

// LoadSagas is described at saga.Tx.
func (tx *Tx) LoadSagas(ctx context.Context, name string, ids []string) ([]saga.Record, error) {
	wanted := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return saga.CheckID("id", id) != nil })
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	if len(wanted) == 0 || saga.CheckID("name", name) != nil {
		return nil, nil
	}
	records, err := tx.sagas(ctx, sagaLoad, name, wanted)
	if err != nil {
		return nil, failed("load sagas", err)
	}
	return records, nil
}

// DueSagas is described at saga.Tx.
func (tx *Tx) DueSagas(ctx context.Context, name string, now time.Time, limit int) ([]saga.Record, error) {
	if limit <= 0 || saga.CheckID("name", name) != nil {
		return nil, nil
	}
	records, err := tx.sagas(ctx, sagaDue, name, now, limit)
	if err != nil {
		return nil, failed("look for sagas that are due", err)
	}
	slices.SortStableFunc(records, func(a, b saga.Record) int { return a.Due.Compare(b.Due) })
	return records, nil
}

func (tx *Tx) sagas(ctx context.Context, s statement, args ...any) ([]saga.Record, error) {
	rows, err := tx.Query(ctx, tx.names.sql(s), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var records []saga.Record
	for rows.Next() {
		r, err := scanSaga(rows)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

func scanSaga(row storage.Row, more ...any) (saga.Record, error) {
	var r saga.Record
	var ended, due *time.Time
	err := row.Scan(append([]any{&r.Name, &r.ID, &r.Version, &r.Revision, &r.Status, (*[]byte)(&r.State), (*[]byte)(&r.Progress),
		&r.Current, &r.CorrelationID, &r.Reason, &r.Started, &r.Changed, &ended, &due}, more...)...)
	r.Started, r.Changed, r.Ended, r.Due = r.Started.UTC(), r.Changed.UTC(), timeOrZero(ended), timeOrZero(due)
	return r, err
}

// InsertSagas is described at saga.Tx.
func (tx *Tx) InsertSagas(ctx context.Context, records []saga.Record) ([]bool, error) {
	inserted := make([]bool, len(records))
	places, err := sagaPlaces(records)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	places = slices.CompactFunc(places, func(a, b int) bool { return compareSagas(&records[a], &records[b]) == 0 })
	columns, err := newSagaColumns(records, places)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, tx.names.sql(sagaInsert), columns.args()...)
	if err != nil {
		return nil, failed("insert sagas", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r saga.Record
		if err := rows.Scan(&r.Name, &r.ID); err != nil {
			return nil, failed("insert sagas", err)
		}
		n, _ := slices.BinarySearchFunc(places, &r, func(place int, r *saga.Record) int { return compareSagas(&records[place], r) })
		inserted[places[n]] = true
	}
	if err := rows.Err(); err != nil {
		return nil, failed("insert sagas", err)
	}
	return inserted, nil
}

// SaveSagas is described at saga.Tx.
func (tx *Tx) SaveSagas(ctx context.Context, records []saga.Record) error {
	places, err := sagaPlaces(records)
	if err != nil || len(records) == 0 {
		return err
	}
	for i, place := range places {
		if i > 0 && compareSagas(&records[places[i-1]], &records[place]) == 0 {
			return fmt.Errorf("postgres: save sagas: saga %s/%s comes twice", records[place].Name, records[place].ID)
		}
	}
	columns, err := newSagaColumns(records, places)
	if err != nil {
		return err
	}
	var missed int
	if err := tx.QueryRow(ctx, tx.names.sql(sagaSave), columns.args()...).Scan(&missed); err != nil {
		return failed("save sagas", err)
	}
	if missed > 0 {
		r := &records[places[missed-1]]
		return fmt.Errorf("postgres: save saga %s/%s, revision %d: %w", r.Name, r.ID, r.Revision, saga.ErrChanged)
	}
	return nil
}

// sagaPlaces are the indexes of valid records in the order of names and ids, so that
// transactions with common ones wait for each other and do not deadlock.
func sagaPlaces(records []saga.Record) ([]int, error) {
	places := make([]int, len(records))
	for i := range records {
		if err := records[i].Validate(); err != nil {
			return nil, fmt.Errorf("postgres: %w", err)
		}
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return compareSagas(&records[a], &records[b]) })
	return places, nil
}

func compareSagas(a, b *saga.Record) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
}

// sagaColumns are records as one array per column.
type sagaColumns struct {
	name, id                     []string
	revision                     []int64
	version                      []int32
	status, state, progress      []string
	current, correlation, reason []string
	started, changed             []time.Time
	ended, due                   []*time.Time
	entries                      []string
}

func newSagaColumns(records []saga.Record, places []int) (*sagaColumns, error) {
	c := &sagaColumns{}
	for _, place := range places {
		r := &records[place]
		entries, err := sagaEntriesText(r)
		if err != nil {
			return nil, err
		}
		c.name, c.id = append(c.name, r.Name), append(c.id, r.ID)
		c.revision, c.version = append(c.revision, r.Revision), append(c.version, int32(r.Version))
		c.status, c.state, c.progress = append(c.status, string(r.Status)), append(c.state, string(r.State)), append(c.progress, string(r.Progress))
		c.current, c.reason = append(c.current, columnText(r.Current)), append(c.reason, columnText(r.Reason))
		c.correlation, c.entries = append(c.correlation, r.CorrelationID), append(c.entries, entries)
		c.started, c.changed = append(c.started, r.Started), append(c.changed, r.Changed)
		c.ended, c.due = append(c.ended, timeOrNull(r.Ended)), append(c.due, timeOrNull(r.Due))
	}
	return c, nil
}

func (c *sagaColumns) args() []any {
	return []any{c.name, c.id, c.revision, c.version, c.status, c.state, c.progress, c.current, c.correlation, c.reason,
		c.started, c.changed, c.ended, c.due, c.entries}
}

// sagaEntriesText is "" for none.
func sagaEntriesText(r *saga.Record) (string, error) {
	if len(r.Entries) == 0 {
		return "", nil
	}
	text, err := json.Marshal(r.Entries)
	if err != nil {
		return "", fmt.Errorf("postgres: the timeline of saga %s/%s: %w", r.Name, r.ID, err)
	}
	return string(text), nil
}
