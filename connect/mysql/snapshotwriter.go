package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	driver "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// snapshotWriter makes records of rows. The last one is kept back, to say of it that it is the last.
type snapshotWriter struct {
	*run
	ctx     context.Context
	at      *position
	done    []string
	defined int // of its progress
	emitter *debezium.Emitter
	blocks  *debezium.SourceBlocks
	started time.Time
	// blocking is what a blocking snapshot was asked for; nil is an initial one.
	blocking *incremental.Blocking
	out      []plugin.SourceRecord

	pending *snapshotRow
	any     bool      // a record was made
	passed  *position // of the last record, for notifications
	rows    int64     // of the table under way
}

type snapshotRow struct {
	table       *table
	values      []any
	bytes       int
	begun       string
	first, last bool // in its table
	done        []string
	key, after  []string // of a table that is read by its key
}

func (w *snapshotWriter) all(tables []*tableDefinition) error {
	w.passed = w.begun()
	w.tell(debezium.SnapshotNote(debezium.SnapshotStarted))
	if err := w.tables(tables); err != nil {
		if w.ctx.Err() == nil {
			w.tell(debezium.SnapshotNote(debezium.SnapshotAborted))
			err = errors.Join(err, w.push())
		}
		return err
	}
	w.at.last = true
	if w.pending == nil && w.positions {
		end := *w.within(nil)
		w.out = append(w.out, plugin.SourceRecord{At: &end, End: true, Bytes: 100})
	} else if w.pending != nil {
		w.flush(true)
	}
	w.passed = w.within(nil)
	w.tell(debezium.SnapshotNote(debezium.SnapshotCompleted))
	return w.push()
}

// define sends the definitions of the tables that were not sent yet.
func (w *snapshotWriter) define(names []debezium.TableID) error {
	records, err := w.firstDefinitions(w.at, names, &progress{Done: w.done, Defined: w.defined})
	if err != nil || len(records) == 0 {
		return err
	}
	records[len(records)-1].End = true
	w.defined = allDefined
	return w.queue.Put(w.ctx, records)
}

// begun is the position before the first record.
func (w *snapshotWriter) begun() *position {
	if w.blocking != nil {
		return w.within(w.at.blocked)
	}
	return w.within(&progress{Done: w.done, Defined: w.defined})
}

// tell what the snapshot does, at the place of the last record but the one that is kept back.
func (w *snapshotWriter) tell(note debezium.Notification) {
	w.out = w.notes.Append(w.out, time.Now(), w.passed, note)
}

func (w *snapshotWriter) tables(tables []*tableDefinition) error {
	var names []string
	for _, d := range tables {
		names = append(names, d.id.String())
	}
	w.tablesWanted.Store(int64(len(tables)))
	w.tablesRead.Store(0)
	for _, d := range tables {
		name := d.id.String()
		if slices.Contains(w.done, name) {
			w.tablesRead.Add(1)
			continue
		}
		w.tell(debezium.TableNote(name, names...))
		w.rows = 0
		if err := w.read(d); err != nil {
			return fmt.Errorf("read the table %s: %w", name, err)
		}
		w.tablesRead.Add(1)
		w.tell(debezium.TableDoneNote(name, w.rows, names...))
		w.done = append(slices.Clone(w.done), name)
		if w.pending != nil {
			w.pending.done = w.done
			if w.pending.begun == name {
				w.pending.last, w.pending.begun = true, ""
			}
		}
	}
	return nil
}

// read a table.
func (w *snapshotWriter) read(d *tableDefinition) error {
	if w.blocking != nil {
		return w.readByKey(d)
	}
	t := w.schemas.build(d)
	list := make([]string, len(d.columns))
	for i := range d.columns {
		if list[i] = quote(d.columns[i].Name); t.columns[i].codec == nil {
			list[i] = "NULL"
		}
	}
	query := "SELECT " + strings.Join(list, ", ") + " FROM " + quote(d.id.Catalog) + "." + quote(d.id.Table)
	first := true
	return w.query(query, func(from []driver.FieldValue) (*snapshotRow, error) {
		row := &snapshotRow{table: t, begun: d.id.String(), first: first, done: w.done, bytes: 800}
		first = false
		return row, w.convert(row, from)
	})
}

// query rows, and make records of them.
func (w *snapshotWriter) query(query string, convert func([]driver.FieldValue) (*snapshotRow, error)) error {
	var result driver.Result
	err := w.db.ExecuteSelectStreaming(query, &result, func(from []driver.FieldValue) error {
		row, err := convert(from)
		if err != nil {
			return err
		}
		w.flush(false)
		w.pending = row
		w.rows++
		if len(w.out) >= batchRecords {
			return w.push()
		}
		return nil
	}, nil)
	if err = cause(err); refusal(err) == driver.ER_TABLE_DEF_CHANGED {
		return fmt.Errorf("%w: it was altered during the snapshot: %w", plugin.ErrRetry, err)
	}
	return err
}

func (w *snapshotWriter) convert(row *snapshotRow, from []driver.FieldValue) (err error) {
	size := 0
	row.values, size, err = w.schemas.query(row.table, from)
	row.bytes += size
	return err
}

// flush makes a record of the row that was kept back.
func (w *snapshotWriter) flush(last bool) {
	row := w.pending
	if row == nil {
		return
	}
	w.pending = nil
	kind := debezium.InSnapshot
	switch {
	case last:
		kind = debezium.LastInSnapshot
	case !w.any:
		kind = debezium.FirstInSnapshot
	case row.last:
		kind = debezium.LastOfTable
	case row.first:
		kind = debezium.FirstOfTable
	}
	w.any = true
	p := w.within(nil)
	if p.last = last; !last {
		p = w.within(&progress{Done: row.done, Begun: row.begun, Key: row.key, After: row.after, Defined: w.defined})
	}
	w.passed = p
	source := w.blocks.New(w.started, kind, row.table.database)
	v := source.Values
	v[sourceTable], v[sourceServer], v[sourceFile], v[sourcePos], v[sourceRow] = row.table.name, int64(0), w.at.file, int64(w.at.pos), int32(0)
	w.out = w.emitter.Append(w.out, &debezium.Change{
		Op: debezium.Read, Table: row.table.Table, After: row.values, Source: source, At: p, End: last, Bytes: row.bytes,
	})
}

// within the snapshot is a position with its progress; nil is its end.
func (w *snapshotWriter) within(at *progress) *position {
	p := *w.at
	switch p.blocking, p.last = w.blocking != nil, at == nil; {
	case at == nil:
		p.snapshot, p.blocked, p.chunks = nil, nil, p.chunks.Unblocked()
	case w.blocking != nil:
		p.blocked = at
	default:
		p.snapshot = at
		at.see()
	}
	return &p
}

func (w *snapshotWriter) push() error {
	err := w.queue.Put(w.ctx, w.out)
	w.out = w.out[:0]
	w.emitter.Now(time.Now())
	return err
}
