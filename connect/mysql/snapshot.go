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
	"github.com/pabal-dev/pabal/connect/plugin"
)

// snapshot reads all tables that were not read yet, as of one place of the log, which is returned.
func (r *run) snapshot(ctx context.Context) (*position, error) {
	if wait := r.options.Values.Millis("snapshot.delay.ms"); wait > 0 && r.from == nil {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
	done := &progress{seen: map[string]bool{}}
	if r.from != nil && r.from.snapshot != nil {
		done = r.from.snapshot
	}
	locker, err := connect(ctx, r.options.flavor, r.values)
	if err != nil {
		return nil, err
	}
	defer func() { locker.close() }()
	at, tables, err := r.consistent(locker)
	if err != nil {
		return nil, err
	}
	if len(done.seen) > 0 {
		if err := r.stream(ctx, r.from, &catchUp{until: at.place, progress: done}); err != nil {
			return nil, err
		}
	}
	w := &snapshotWriter{
		run: r, ctx: ctx, at: at, done: slices.Clone(done.Done), started: time.Now(),
		emitter: debezium.NewEmitter(r.options.Settings, r.headers, at),
		blocks:  debezium.NewSourceBlocks(sourceSchemas[r.options.flavor], string(r.options.flavor), r.options.Naming.Prefix),
	}
	if err := w.all(tables); err != nil {
		return nil, err
	}
	_, err = r.db.Execute("COMMIT")
	return at, cause(err)
}

// consistent begins a transaction, whose place in the log and tables are returned.
func (r *run) consistent(locker *database) (*position, []*tableDefinition, error) {
	names, err := r.snapshotNames()
	if err != nil {
		return nil, nil, err
	}
	if r.options.locking != "none" {
		if err := r.lock(locker, names); err != nil {
			return nil, nil, err
		}
	}
	at, executed, err := logPlace(locker)
	if err != nil {
		return nil, nil, err
	}
	for _, statement := range []string{"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT"} {
		if _, err := r.db.Execute(statement); err != nil {
			return nil, nil, cause(err)
		}
	}
	if exact, ok, err := ownPlace(r.db); err != nil {
		return nil, nil, err
	} else if ok {
		at = exact
	}
	var tables []*tableDefinition
	for _, id := range names {
		d, err := r.schemas.define(r.db, id)
		if err != nil {
			return nil, nil, err
		}
		if d != nil {
			tables = append(tables, d)
		}
	}
	p, err := r.positionAt(at, executed)
	if err == nil && r.options.locking != "none" && r.options.locking != "extended" {
		_, err = locker.Execute("UNLOCK TABLES")
	}
	return p, tables, cause(err)
}

// ownPlace is that of the transaction, which MariaDB tells.
func ownPlace(db *database) (p place, ok bool, err error) {
	rows, err := db.rows("SHOW STATUS LIKE 'binlog_snapshot_%'")
	if err != nil {
		return p, false, err
	}
	for _, row := range rows {
		switch strings.ToLower(textOf(row[0])) {
		case "binlog_snapshot_file":
			p.file = textOf(row[1])
		case "binlog_snapshot_position":
			if _, err := fmt.Sscan(textOf(row[1]), &p.pos); err != nil {
				return p, false, err
			}
		}
	}
	return p, p.file != "" && p.file != "none", nil
}

// lock keeps others from writing: all of them, or where that is not allowed, to the tables.
func (r *run) lock(db *database, names []debezium.TableID) error {
	seconds := max(int(r.options.lockTimeout/time.Second), 1)
	if _, err := db.Execute(fmt.Sprintf("SET SESSION lock_wait_timeout = %d", seconds)); err != nil {
		return cause(err)
	}
	_, err := db.Execute("FLUSH TABLES WITH READ LOCK")
	if err = cause(err); err == nil {
		return nil
	}
	switch refusal(err) {
	case driver.ER_SPECIFIC_ACCESS_DENIED_ERROR, driver.ER_ACCESS_DENIED_ERROR, driver.ER_DBACCESS_DENIED_ERROR:
	default:
		return fmt.Errorf("lock the tables for the begin of a snapshot: %w", err)
	}
	if len(names) == 0 {
		return nil
	}
	list := make([]string, len(names))
	for i, id := range names {
		list[i] = quote(id.Catalog) + "." + quote(id.Table) + " READ"
	}
	if _, err := db.Execute("LOCK TABLES " + strings.Join(list, ", ")); err != nil {
		return fmt.Errorf("%w: the snapshot may not lock tables: grant RELOAD, or LOCK TABLES, or set snapshot.locking.mode to none: %w", ErrSetup, cause(err))
	}
	return nil
}

// snapshotNames are the captured tables that snapshot.include.collection.list names.
func (r *run) snapshotNames() ([]debezium.TableID, error) {
	all, err := r.options.tableNames(r.db)
	if err != nil {
		return nil, err
	}
	text, _ := r.options.Values.Raw("snapshot.include.collection.list")
	if text == "" {
		return all, nil
	}
	m, err := debezium.ParseMatcher(text)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(id debezium.TableID) bool { return !m.Match(id.String()) }), nil
}

// snapshotWriter makes records of rows. The last one is kept back, to say of it that it is the last.
type snapshotWriter struct {
	*run
	ctx     context.Context
	at      *position
	done    []string
	emitter *debezium.Emitter
	blocks  *debezium.SourceBlocks
	started time.Time
	out     []plugin.SourceRecord

	pending *snapshotRow
	table   *table
	any     bool // a record was made
}

type snapshotRow struct {
	table       *table
	values      []any
	bytes       int
	begun       string
	first, last bool // in its table
	done        []string
}

func (w *snapshotWriter) all(tables []*tableDefinition) error {
	for _, d := range tables {
		name := d.id.String()
		if slices.Contains(w.done, name) {
			continue
		}
		if err := w.read(d); err != nil {
			return fmt.Errorf("read the table %s: %w", name, err)
		}
		w.done = append(slices.Clone(w.done), name)
		if w.pending != nil {
			w.pending.done = w.done
			if w.pending.begun == name {
				w.pending.last, w.pending.begun = true, ""
			}
		}
	}
	w.at.last = true
	if w.pending == nil && w.positions {
		end := *w.at
		w.out = append(w.out, plugin.SourceRecord{At: &end, End: true, Bytes: 100})
	} else if w.pending != nil {
		w.flush(true)
	}
	return w.push()
}

// read a table.
func (w *snapshotWriter) read(d *tableDefinition) error {
	t := w.schemas.build(d)
	list := make([]string, len(d.columns))
	for i := range d.columns {
		if list[i] = quote(d.columns[i].Name); t.columns[i].codec == nil {
			list[i] = "NULL"
		}
	}
	query := "SELECT " + strings.Join(list, ", ") + " FROM " + quote(d.id.Catalog) + "." + quote(d.id.Table)
	first := true
	var result driver.Result
	err := w.db.ExecuteSelectStreaming(query, &result, func(from []driver.FieldValue) error {
		row := &snapshotRow{table: t, begun: d.id.String(), first: first, done: w.done, bytes: 800}
		first = false
		if err := w.convert(row, from); err != nil {
			return err
		}
		w.flush(false)
		w.pending = row
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
	row.values = make([]any, len(from))
	for i := range from {
		c := &row.table.columns[i]
		if c.codec == nil {
			continue
		}
		if row.values[i] = c.null; from[i].Type == driver.FieldValueTypeNull {
			continue
		}
		given := from[i].Value()
		if b, ok := given.([]byte); ok {
			row.bytes += 2 * len(b)
		}
		v, err := c.codec.Query(given)
		if row.values[i], err = w.schemas.fit(row.table, c, v, err); err != nil {
			return err
		}
	}
	return nil
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
	p := *w.at
	if p.last = last; !last {
		p.snapshot = &progress{Done: row.done, Begun: row.begun}
		p.snapshot.see()
	}
	source := w.blocks.New(w.started, kind, row.table.database)
	v := source.Values
	v[sourceTable], v[sourceServer], v[sourceFile], v[sourcePos], v[sourceRow] = row.table.name, int64(0), w.at.file, int64(w.at.pos), int32(0)
	w.out = w.emitter.Append(w.out, &debezium.Change{
		Op: debezium.Read, Table: row.table.Table, After: row.values, Source: source, At: &p, End: last, Bytes: row.bytes,
	})
}

func (w *snapshotWriter) push() error {
	err := w.queue.put(w.ctx, w.out)
	w.out = w.out[:0]
	w.emitter.Now(time.Now())
	return err
}

// see makes the set of tables of which rows were read.
func (p *progress) see() {
	p.seen = map[string]bool{}
	for _, name := range append(slices.Clone(p.Done), p.Begun) {
		if name != "" {
			p.seen[name] = true
		}
	}
}

var errReached = errors.New("the stream has come as far as is wanted")
