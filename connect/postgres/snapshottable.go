package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
)

// snapshotTable is a table that a snapshot reads.
type snapshotTable struct {
	*table
	statement   string   // that selects the columns in use
	place       []int    // of each selected column in a row
	key         []string // quoted columns of the primary key; nil is none
	types       []string // of these, as SQL
	keyAt       []int    // where they are among the selected columns
	overridden  bool     // by snapshot.select.statement.overrides
	first, last bool     // of all tables
}

func (n *snapshotRun) table(ctx context.Context, t *catalog.Table) (*snapshotTable, error) {
	if err := catalog.Fill(ctx, n.db, t); err != nil {
		return nil, fmt.Errorf("read the columns of %s.%s: %w", t.Schema, t.Name, err)
	}
	out := &snapshotTable{table: n.schemas.snapshotTable(t)}
	var columns []string
	at := map[string]int{}
	for i, c := range t.Columns {
		if out.Uses(i) || t.Primary && containsText(t.Key, c.Name) {
			at[c.Name] = len(columns)
			columns = append(columns, pgx.Identifier{c.Name}.Sanitize())
			out.place = append(out.place, i)
		}
	}
	from := pgx.Identifier{t.Schema, t.Name}.Sanitize()
	if override := n.override(t); override != "" {
		from, out.overridden = "("+override+") AS overridden", true
	}
	out.statement = "SELECT " + strings.Join(columns, ", ") + " FROM " + from
	if !t.Primary {
		return out, nil
	}
	for _, name := range t.Key {
		c := t.Column(name)
		typ, _ := n.schemas.types.Get(c.Type)
		out.key = append(out.key, pgx.Identifier{name}.Sanitize())
		out.types = append(out.types, pgx.Identifier{typ.Schema, typ.Name}.Sanitize())
		out.keyAt = append(out.keyAt, at[name])
	}
	return out, nil
}

// override is the statement that snapshot.select.statement.overrides has for a table.
func (n *snapshotRun) override(t *catalog.Table) string {
	for _, name := range strings.Split(n.options.Values.String("snapshot.select.statement.overrides"), ",") {
		if name = strings.TrimSpace(name); name == t.Schema+"."+t.Name || name == n.options.database+"."+t.Schema+"."+t.Name {
			return strings.TrimSuffix(strings.TrimSpace(rawOf(n.options, "snapshot.select.statement.overrides."+name)), ";")
		}
	}
	return ""
}

// literal of a key, to compare with others.
func (t *snapshotTable) literal(key []string) string {
	var parts []string
	for i, text := range key {
		parts = append(parts, "'"+strings.ReplaceAll(text, "'", "''")+"'::"+t.types[i])
	}
	return "ROW(" + strings.Join(parts, ", ") + ")"
}

// text of a key's value that is neither text nor a small number.
func (*snapshotTable) text(_ *table, _ int, v any) (string, bool) {
	switch v := v.(type) {
	case []byte:
		return `\x` + hex.EncodeToString(v), true
	case data.Decimal:
		return v.String(), true
	}
	return "", false
}

// rest is the statement for the rows after one.
func (t *snapshotTable) rest(after *rowAt) string {
	statement := t.statement
	if len(t.key) == 0 {
		return statement
	}
	if after != nil {
		statement += " WHERE ROW(" + strings.Join(t.key, ", ") + ") > " + t.literal(keyOf(after.key))
	}
	return statement + " ORDER BY " + strings.Join(t.key, ", ")
}

func containsText(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
