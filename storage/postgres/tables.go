package postgres

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/projection"
)

var (
	tablesReasons = statementFile("tables_reasons")
	tablesDress   = statementFile("tables_dress")
	tablesOwned   = statementFile("tables_owned")
)

var _ projection.Tables = (*DB)(nil)

// CopyTables is described at projection.Tables. A copy has what LIKE INCLUDING ALL
// copies, and storage parameters, owner and privileges; serial columns draw from
// the live table's sequence, identity columns from their own, from 1. Refused is
// what cannot be swapped: tables with foreign keys, triggers, rules, row level
// security or views on them, partitioned and inherited ones, and ones that a
// publication names.
func (db *DB) CopyTables(ctx context.Context, tables []string, suffix string) error {
	pairs, err := db.pairs(tables, suffix)
	if err != nil {
		return err
	}
	err = db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		for _, p := range pairs {
			if err := db.copyTable(ctx, tx, p); err != nil {
				return fmt.Errorf("table %s: %w", p.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("copy the tables: %w", err)
	}
	return nil
}

// DropCopies is described at projection.Tables.
func (db *DB) DropCopies(ctx context.Context, tables []string, suffix string) error {
	pairs, err := db.pairs(tables, suffix)
	if err != nil {
		return err
	}
	return db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		for _, p := range pairs {
			if err := run(ctx, tx, "DROP TABLE IF EXISTS "+p.copy); err != nil {
				return err
			}
		}
		return nil
	})
}

// pair is a table and its copy.
type pair struct {
	name                  string // as it was given
	schema, table, copied string
	live, copy            string // in SQL
}

// plainName is a table's name for which a handler needs no quotes, perhaps with
// its schema: a suffix can be added to it.
var plainName = regexp.MustCompile(`^(?:([a-z_][a-z0-9_]*)\.)?([a-z_][a-z0-9_]*)$`)

// longestName of PostgreSQL, in bytes; it cuts off what is more.
const longestName = 63

func (db *DB) pairs(tables []string, suffix string) ([]pair, error) {
	if len(tables) == 0 || suffix == "" {
		return nil, fmt.Errorf("postgres: copies of tables %q with the suffix %q: neither may be empty", tables, suffix)
	}
	seen := map[string]bool{}
	var all []pair
	for _, name := range tables {
		parts := plainName.FindStringSubmatch(name)
		copied := plainName.FindStringSubmatch(name + suffix)
		if parts == nil || copied == nil || len(copied[2]) > longestName {
			return nil, fmt.Errorf("postgres: table %q with the suffix %q: the name must be of lower-case letters, digits and _, and at most %d bytes long with the suffix",
				name, suffix, longestName)
		}
		schema := parts[1]
		if schema == "" {
			schema = db.schema
		}
		p := pair{name, schema, parts[2], copied[2],
			pgx.Identifier{schema, parts[2]}.Sanitize(), pgx.Identifier{schema, copied[2]}.Sanitize()}
		if seen[p.live] {
			return nil, fmt.Errorf("postgres: table %q is named twice", name)
		}
		seen[p.live] = true
		all = append(all, p)
	}
	return all, nil
}

func (db *DB) copyTable(ctx context.Context, tx pgx.Tx, p pair) error {
	if err := db.refuse(ctx, tx, p.live); err != nil {
		return err
	}
	if err := run(ctx, tx, "DROP TABLE IF EXISTS "+p.copy); err != nil {
		return err
	}
	if err := run(ctx, tx, "CREATE TABLE "+p.copy+" (LIKE "+p.live+" INCLUDING ALL)"); err != nil {
		return err
	}
	if err := db.runAll(ctx, tx, tablesDress, p.live, p.copy); err != nil {
		return err
	}
	// Names are given at the swap; that they can be is known now.
	_, err := db.sharedNames(ctx, tx, p)
	return err
}

// refuse says why a table cannot be rebuilt beside itself.
func (db *DB) refuse(ctx context.Context, tx pgx.Tx, table string) error {
	reasons, err := db.texts(ctx, tx, tablesReasons, table)
	if err == nil && len(reasons) > 0 {
		err = fmt.Errorf("postgres: it cannot be rebuilt beside itself: %s", reasons[0])
	}
	return err
}

// runAll runs the statements that one makes.
func (db *DB) runAll(ctx context.Context, tx pgx.Tx, s statement, args ...any) error {
	statements, err := db.texts(ctx, tx, s, args...)
	if err != nil {
		return err
	}
	for _, text := range statements {
		if err := run(ctx, tx, text); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) texts(ctx context.Context, tx pgx.Tx, s statement, args ...any) ([]string, error) {
	rows, err := tx.Query(ctx, db.names.sql(s), args...)
	if err != nil {
		return nil, failed("look at the table", err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, failed("look at the table", err)
	}
	return texts, nil
}

// run changes a table.
func run(ctx context.Context, tx pgx.Tx, statement string) error {
	if _, err := tx.Exec(ctx, statement); err != nil {
		return failed(statement, err)
	}
	return nil
}
