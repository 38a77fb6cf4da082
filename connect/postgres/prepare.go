package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
)

// ErrSetup is wrapped by errors about a database that is not set up for change data capture.
var ErrSetup = errors.New("the database is not ready for change data capture")

// prepare what the database must have: its level of logging, the publication, replica identities.
func (r *run) prepare(ctx context.Context) (err error) {
	var level string
	if err := r.db.QueryRow(ctx, "SHOW wal_level").Scan(&level); err != nil {
		return err
	}
	if level != "logical" {
		return fmt.Errorf("%w: its wal_level is %s: set it to logical and restart the server", ErrSetup, level)
	}
	if err := r.failoverReady(); err != nil {
		return err
	}
	if err := r.pace(ctx); err != nil {
		return err
	}
	if r.history, err = r.currentHistory(ctx); err != nil {
		return err
	}
	if r.schemas, err = newSchemas(ctx, r.db, r.options, r.log); err != nil {
		return err
	}
	if err := r.publish(ctx); err != nil {
		return err
	}
	return r.identities(ctx)
}

// failoverReady says what slot.failover needs, before the server refuses the slot for its syntax.
func (r *run) failoverReady() error {
	return failoverNeeds(r.options.failover, r.db.PgConn().ParameterStatus("server_version"))
}

func failoverNeeds(wanted bool, version string) error {
	const first = 17
	var major int
	if _, err := fmt.Sscanf(version, "%d", &major); !wanted || err != nil || major >= first {
		return nil // a version that says nothing is left to the server
	}
	return fmt.Errorf("%w: slot.failover=true needs PostgreSQL %d or later, and the server is %s: leave the option out, and make the slot on each new primary anew", ErrSetup, first, version)
}

// pace is the status interval, or half of the time after which the server gives us up.
func (r *run) pace(ctx context.Context) error {
	var millis int64
	if err := r.db.QueryRow(ctx, "SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'").Scan(&millis); err != nil {
		return err
	}
	r.interval = r.options.status
	if millis > 0 {
		r.interval = min(r.interval, max(time.Duration(millis)*time.Millisecond/2, time.Millisecond))
	}
	return nil
}

// captured tables, without columns.
func (r *run) captured(ctx context.Context) ([]catalog.Table, error) {
	all, err := catalog.Names(ctx, r.db)
	if err != nil {
		return nil, fmt.Errorf("read the names of tables: %w", err)
	}
	return slices.DeleteFunc(all, func(t catalog.Table) bool {
		return !r.options.Tables.Captured(debezium.TableID{Schema: t.Schema, Table: t.Name})
	}), nil
}

// publish makes the publication that is missing, or tells what is wrong with the one there is. What
// was told by another one is left as it is.
func (r *run) publish(ctx context.Context) (err error) {
	r.unpublished = ""
	if r.from != nil {
		if r.unpublished, err = r.missed(ctx, r.from.published); err != nil || r.unpublished != "" {
			return err
		}
	}
	if r.published, err = r.readPublished(ctx); err != nil {
		return err
	}
	statement, err := r.publication(ctx)
	if err != nil || statement == "" {
		return err
	}
	r.log.Info("postgres: change the publication", "statement", statement)
	if _, err := r.db.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrSetup, statement, err)
	}
	r.published, err = r.readPublished(ctx)
	return err
}

// publication is the statement that makes or alters it; "" where it is as it should be.
func (r *run) publication(ctx context.Context) (string, error) {
	name, there := r.options.publication, r.published != nil
	quoted := pgx.Identifier{name}.Sanitize()
	switch mode := r.options.autocreate; {
	case !there && (mode == "disabled" || r.options.readOnly):
		return "", fmt.Errorf("%w: there is no publication %q: create it, or set publication.autocreate.mode", ErrSetup, name)
	case !there && mode == "all_tables":
		return "CREATE PUBLICATION " + quoted + " FOR ALL TABLES" + r.publishOptions(), nil
	case !there && mode == "no_tables":
		return "CREATE PUBLICATION " + quoted + r.publishOptions(), nil
	case mode != "filtered" || r.options.readOnly:
		return "", nil
	case there && r.published.all:
		return "", fmt.Errorf("%w: the publication %q is for all tables and cannot be filtered: drop it, or set publication.autocreate.mode to all_tables", ErrSetup, name)
	}
	return r.filtered(ctx, quoted, there)
}

// filtered is the statement that gives the publication the captured tables; "" where it has them.
func (r *run) filtered(ctx context.Context, quoted string, there bool) (string, error) {
	tables, err := r.captured(ctx)
	if err != nil {
		return "", err
	}
	if len(tables) == 0 {
		return "", fmt.Errorf("%w: no table is captured, so there is none to publish: look at table.include.list and schema.include.list", ErrSetup)
	}
	var wanted []string
	for _, t := range tables {
		wanted = append(wanted, pgx.Identifier{t.Schema, t.Name}.Sanitize())
	}
	list := strings.Join(wanted, ", ")
	if !there {
		return "CREATE PUBLICATION " + quoted + " FOR TABLE " + list + r.publishOptions(), nil
	}
	rows, err := r.db.Query(ctx, `SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_publication_rel p
		JOIN pg_catalog.pg_publication b ON b.oid = p.prpubid JOIN pg_catalog.pg_class c ON c.oid = p.prrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE b.pubname = $1`, r.options.publication)
	if err != nil {
		return "", err
	}
	has, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var schema, name string
		err := row.Scan(&schema, &name)
		return pgx.Identifier{schema, name}.Sanitize(), err
	})
	slices.Sort(has)
	slices.Sort(wanted)
	if err != nil || slices.Equal(has, wanted) {
		return "", err
	}
	return "ALTER PUBLICATION " + quoted + " SET TABLE " + list, nil
}

func (r *run) publishOptions() string {
	var with []string
	if r.options.viaRoot {
		with = append(with, "publish_via_partition_root = true")
	}
	if r.options.Values.Set("skipped.operations") && len(r.options.Skipped) > 0 {
		var kept []string
		for _, op := range []struct {
			op   debezium.Op
			name string
		}{{debezium.Create, "insert"}, {debezium.Update, "update"}, {debezium.Delete, "delete"}, {debezium.Truncate, "truncate"}} {
			if !r.options.Skipped[op.op] {
				kept = append(kept, op.name)
			}
		}
		with = append(with, "publish = '"+strings.Join(kept, ",")+"'")
	}
	if len(with) == 0 {
		return ""
	}
	return " WITH (" + strings.Join(with, ", ") + ")"
}
