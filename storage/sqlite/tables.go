package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/storage"
)

// CopyTables implements projection.Tables. A copy is made with the statement that
// made the table. Refused is what could not be swapped: tables with triggers or
// foreign keys, and ones that views, triggers or foreign keys of others name. The
// names of a copy's indexes have the suffix too.
func (db *DB) CopyTables(ctx context.Context, tables []string, suffix string) error {
	return db.withCopies(ctx, "copy the tables", tables, suffix, func(tx *Tx, p pair) error {
		if err := tx.dropTable(ctx, p.copy); err != nil {
			return err
		}
		return tx.copyTable(ctx, p, suffix)
	})
}

// DropCopies implements projection.Tables.
func (db *DB) DropCopies(ctx context.Context, tables []string, suffix string) error {
	return db.withCopies(ctx, "drop the copies", tables, suffix, func(tx *Tx, p pair) error { return tx.dropTable(ctx, p.copy) })
}

func (db *DB) withCopies(ctx context.Context, what string, tables []string, suffix string, do func(*Tx, pair) error) error {
	pairs, err := pairsOf(tables, suffix)
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		for _, p := range pairs {
			if err := do(tx, p); err != nil {
				return fmt.Errorf("%s: table %s: %w", what, p.live, err)
			}
		}
		return nil
	})
}

// pair is the names of a table and its copy.
type pair struct{ live, copy string }

func pairsOf(tables []string, suffix string) ([]pair, error) {
	if len(tables) == 0 || suffix == "" {
		return nil, fmt.Errorf("sqlite: copies of tables %q with the suffix %q: neither may be empty", tables, suffix)
	}
	seen := map[string]bool{}
	pairs := make([]pair, len(tables))
	for i, name := range tables {
		if name == "" || seen[strings.ToLower(name)] {
			return nil, fmt.Errorf("sqlite: tables %q: a name is empty, or there twice", tables)
		}
		seen[strings.ToLower(name)] = true
		pairs[i] = pair{name, name + suffix}
	}
	return pairs, nil
}

// meanwhile is the name that a table has while another takes its own.
const meanwhile = "pabal_meanwhile"

// copyTable lets SQLite itself put the copy's name into the statement: the table
// steps aside, is made again, and the new one is renamed.
func (tx *Tx) copyTable(ctx context.Context, p pair, suffix string) error {
	text, err := tx.tableText(ctx, p.live)
	if err != nil {
		return err
	}
	indexes, err := tx.indexes(ctx, p.live)
	if err != nil {
		return err
	}
	if err := tx.stepAside(ctx, p.live); err != nil {
		return err
	}
	if err := tx.script(ctx, text); err != nil {
		return err
	}
	if err := tx.rename(ctx, p.live, p.copy); err != nil {
		return err
	}
	if err := tx.rename(ctx, meanwhile, p.live); err != nil {
		return err
	}
	return tx.copyIndexes(ctx, indexes, p.copy, suffix)
}

// tableText is the statement that makes a table.
func (tx *Tx) tableText(ctx context.Context, table string) (text string, err error) {
	var kind string
	err = tx.QueryRow(ctx, "SELECT l.type, s.sql FROM pragma_table_list($1) AS l JOIN sqlite_schema AS s ON s.name = l.name "+
		"WHERE l.schema = 'main' AND s.type IN ('table', 'view')", table).Scan(&kind, &text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", errors.New("sqlite: there is no such table")
	case err == nil && kind != "table":
		return "", fmt.Errorf("sqlite: it is a %s, not an ordinary table", kind)
	}
	return text, err
}

// stepAside renames a table to meanwhile, and refuses where anything else would
// follow it, or stays behind.
func (tx *Tx) stepAside(ctx context.Context, table string) error {
	var keys, triggers int
	err := tx.QueryRow(ctx, "SELECT (SELECT count(*) FROM pragma_foreign_key_list($1)), "+
		"(SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = $1 COLLATE NOCASE)", table).Scan(&keys, &triggers)
	if err != nil {
		return err
	}
	if keys+triggers > 0 {
		return fmt.Errorf("sqlite: it has %d foreign keys and %d triggers: such a table cannot be rebuilt beside itself", keys, triggers)
	}
	before, err := tx.others(ctx, table)
	if err != nil {
		return err
	}
	if err := tx.rename(ctx, table, meanwhile); err != nil {
		return err
	}
	after, err := tx.others(ctx, meanwhile)
	if err != nil {
		return err
	}
	for name, text := range before {
		if after[name] != text {
			return fmt.Errorf("sqlite: %s refers to it: such a table cannot be rebuilt beside itself", name)
		}
	}
	return nil
}

// others are the statements of what is no part of the table. A renaming changes
// those that refer to it.
func (tx *Tx) others(ctx context.Context, table string) (map[string]string, error) {
	rows, err := tx.query(ctx, "SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name <> $1 COLLATE NOCASE", []any{table})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		found[name] = text
	}
	return found, rows.Err()
}

func (tx *Tx) rename(ctx context.Context, table, to string) error {
	return tx.script(ctx, "ALTER TABLE "+quoted(table)+" RENAME TO "+quoted(to))
}

func (tx *Tx) dropTable(ctx context.Context, table string) error {
	return tx.script(ctx, "DROP TABLE IF EXISTS "+quoted(table))
}

// quoted is a name in SQL.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// columns of a table by name, with all that is declared of them.
func columnsOf(ctx context.Context, q storage.Querier, table string) (names, declared []string, err error) {
	rows, err := q.Query(ctx, "SELECT name, json_array(name, type, \"notnull\", dflt_value, pk, hidden) FROM pragma_table_xinfo($1) ORDER BY cid", table)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name, all string
		if err := rows.Scan(&name, &all); err != nil {
			return nil, nil, err
		}
		names, declared = append(names, name), append(declared, all)
	}
	return names, declared, rows.Err()
}
