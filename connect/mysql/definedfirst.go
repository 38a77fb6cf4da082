package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// allDefined is of progress whose snapshot has sent all definitions.
const allDefined = -1

// firstDefinitions are the statements by which the captured tables can be made anew, with what they
// define. done says which of them were sent before.
func (r *run) firstDefinitions(at *position, names []debezium.TableID, done *progress) (out []plugin.SourceRecord, err error) {
	if r.definitions == nil || done.Defined == allDefined {
		return nil, nil
	}
	all, err := r.recreating(names)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for i := done.Defined; i < len(all); i++ {
		var changes []debezium.TableChange
		for _, id := range all[i].tables {
			change, err := r.schemas.tableChange(r.db, all[i].kind, id)
			if err != nil {
				return nil, err
			}
			changes = append(changes, change)
		}
		p, within := *at, *done
		if within.Defined = i + 1; i == len(all)-1 {
			within.Defined = allDefined
		}
		p.snapshot = &within
		out = append(out, r.definitions.record(all[i], changes, origin{time: now, snapshot: debezium.InSnapshot, place: at.place}, &p))
	}
	return out, nil
}

// recreating tables and their databases, in the order of their names' bytes.
func (r *run) recreating(names []debezium.TableID) (all []effect, err error) {
	names = slices.SortedFunc(slices.Values(names), func(a, b debezium.TableID) int { return strings.Compare(a.String(), b.String()) })
	rows, err := r.db.rows("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('character_set_server', 'collation_server')")
	if err != nil {
		return nil, fmt.Errorf("read the server's character set: %w", err)
	}
	var set []string
	for _, row := range rows {
		set = append(set, textOf(row[0])+"="+textOf(row[1]))
	}
	slices.Sort(set)
	all = append(all, effect{statement: "SET " + strings.Join(set, ", ")})
	var databases []string
	for _, id := range names {
		all = append(all, effect{dropped, id.Catalog, []debezium.TableID{id}, "DROP TABLE IF EXISTS " + quote(id.Catalog) + "." + quote(id.Table)})
		if !slices.Contains(databases, id.Catalog) {
			databases = append(databases, id.Catalog)
		}
	}
	for _, database := range databases {
		more, err := r.recreatingDatabase(database, names)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func (r *run) recreatingDatabase(database string, names []debezium.TableID) ([]effect, error) {
	rows, err := r.db.rows("SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", database)
	if err != nil {
		return nil, fmt.Errorf("read the definition of the database %s: %w", database, err)
	}
	create := "CREATE DATABASE " + quote(database)
	if len(rows) > 0 {
		create += " CHARSET " + textOf(rows[0][0]) + " COLLATE " + textOf(rows[0][1])
	}
	all := []effect{
		{database: database, statement: "DROP DATABASE IF EXISTS " + quote(database)},
		{database: database, statement: create},
		{database: database, statement: "USE " + quote(database)},
	}
	for _, id := range names {
		if id.Catalog != database {
			continue
		}
		rows, err := r.db.rows("SHOW CREATE TABLE " + quote(id.Catalog) + "." + quote(id.Table))
		if err != nil {
			return nil, fmt.Errorf("read the definition of %s: %w", id, err)
		}
		if len(rows) > 0 && len(rows[0]) > 1 {
			all = append(all, effect{created, id.Catalog, []debezium.TableID{id}, textOf(rows[0][1])})
		}
	}
	return all, nil
}

// schemasOnly is a snapshot of no rows, as Debezium tells of it, from definitions that were not sent yet.
func (r *run) schemasOnly(ctx context.Context) error {
	done := r.from.snapshot
	if done == nil {
		done = &progress{}
	}
	names, err := r.snapshotNames()
	if err != nil {
		return err
	}
	records, err := r.firstDefinitions(r.from, names, done)
	if err != nil {
		return err
	}
	out := r.notes.Append(nil, time.Now(), r.from, debezium.SnapshotNote(debezium.SnapshotStarted))
	after := *r.from
	if after.snapshot = nil; len(records) > 0 {
		records[len(records)-1].At, records[len(records)-1].End = &after, true
	}
	r.from, out = &after, append(out, records...)
	return r.queue.Put(ctx, r.notes.Append(out, time.Now(), r.from, debezium.SnapshotNote(debezium.SnapshotCompleted)))
}
