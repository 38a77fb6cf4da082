package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	driver "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// snapshot reads all tables that were not read yet, as of one place of the log, which is returned.
func (r *run) snapshot(ctx context.Context) (*position, error) {
	if r.from == nil {
		if err := pause(ctx, r.options.Values.Millis("snapshot.delay.ms")); err != nil {
			return nil, err
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
	names, err := r.snapshotNames()
	if err != nil {
		return nil, err
	}
	at, tables, err := r.consistent(locker, names)
	if err != nil {
		return nil, err
	}
	if len(done.seen) > 0 || r.definitions != nil && done.Defined == allDefined {
		if err := r.stream(ctx, r.from, &catchUp{until: at.place, progress: done}); err != nil {
			return nil, err
		}
	}
	w := &snapshotWriter{
		run: r, ctx: ctx, at: at, done: slices.Clone(done.Done), defined: done.Defined, started: time.Now(),
		emitter: debezium.NewEmitter(r.options.Settings, r.headers, at),
		blocks:  debezium.NewSourceBlocks(sourceSchemas[r.options.flavor], string(r.options.flavor), r.options.Naming.Prefix),
	}
	if err := w.define(names); err != nil {
		return nil, err
	}
	if err := w.all(tables); err != nil {
		return nil, err
	}
	if _, err = r.db.Execute("COMMIT"); err != nil {
		return nil, cause(err)
	}
	return at, pause(ctx, r.options.Values.Millis("streaming.delay.ms"))
}

func pause(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// consistent begins a transaction, whose place in the log and tables are returned.
func (r *run) consistent(locker *database, names []debezium.TableID) (*position, []*tableDefinition, error) {
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
