package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
)

// snapshotTable is a table that a snapshot reads.
type snapshotTable struct {
	*table
	statement   string   // that selects the columns in use
	place       []int    // of each selected column in a row
	key         []string // quoted columns of the primary key; nil is none
	types       []string // of these with their collations, as SQL
	keyNames    []string // of these
	keyAt       []int    // where they are among the selected columns
	overridden  bool     // by snapshot.select.statement.overrides
	first, last bool     // of all tables
	oid         uint32
	replica     byte // its replica identity, as catalog.Table has it
}

func (n *snapshotRun) table(ctx context.Context, t *catalog.Table) (*snapshotTable, error) {
	if err := catalog.Fill(ctx, n.db, t); err != nil {
		return nil, fmt.Errorf("read the columns of %s.%s: %w", t.Schema, t.Name, err)
	}
	out := &snapshotTable{table: n.schemas.snapshotTable(t), oid: t.OID, replica: t.Identity}
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
		out.orderedBy(*c, n.schemas, at[name])
	}
	return out, nil
}

// orderedBy another column, which is the so-many-th of those selected.
func (t *snapshotTable) orderedBy(c catalog.Column, s *schemas, at int) {
	typ, _ := s.types.Get(c.Type)
	name := pgx.Identifier{typ.Schema, typ.Name}.Sanitize()
	if c.Collation != "" {
		name += " COLLATE " + c.Collation
	}
	t.key = append(t.key, pgx.Identifier{c.Name}.Sanitize())
	t.types, t.keyNames, t.keyAt = append(t.types, name), append(t.keyNames, c.Name), append(t.keyAt, at)
}

// definition of the key: rows of tables where it differs have another order.
func (t *snapshotTable) definition() (out []string) {
	for i, name := range t.key {
		out = append(out, name+" "+t.types[i])
	}
	return out
}

// override is the statement that snapshot.select.statement.overrides, or the signal of a blocking
// snapshot, has for a table.
func (n *snapshotRun) override(t *catalog.Table) string {
	if n.blocking != nil {
		return strings.TrimSuffix(strings.TrimSpace(n.blocking.Filter(t.Schema+"."+t.Name)), ";")
	}
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
