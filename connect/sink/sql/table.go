package sql

import (
	"context"
	"fmt"
	"strings"
)

// table as the database has it.
type table struct {
	name    tableName
	dialect dialect
	columns map[string]column
	// anyCase is where the names of columns are the same in capital letters; they are in small ones in
	// columns.
	anyCase bool
}

// column of a name.
func (t *table) column(name string) (column, bool) {
	if t.anyCase {
		name = strings.ToLower(name)
	}
	c, ok := t.columns[name]
	return c, ok
}

// column of a table.
type column struct {
	name string
	kind columnType
	// generated columns are computed by the server; always says that of an identity.
	generated, always bool
}

func fieldError(name string, err error) error { return fmt.Errorf("field %s: %w", name, err) }

// tableFor a change, made fit where that is allowed. It is nil where there is nothing to do.
func (t *task) tableFor(ctx context.Context, c *change) (*table, error) {
	known := t.tables[c.table]
	if known == nil {
		var err error
		if known, err = t.load(ctx, c.table); err != nil {
			return nil, err
		}
	}
	switch {
	case known != nil:
	case !t.create:
		return nil, fmt.Errorf("there is no table %s: create it, or allow the sink to", c.table.quoted())
	case c.kind != write:
		return nil, nil // what is not there needs no deletion
	default:
		var err error
		if known, err = t.define(ctx, c, t.dialect.creation(c)); err != nil {
			return nil, err
		}
	}
	missing := known.missing(c)
	if len(missing) == 0 {
		return known, nil
	}
	if !t.evolve || c.kind != write {
		return nil, &refused{fmt.Errorf("table %s has no column %s: add it, or allow the sink to", c.table.quoted(), missing[0].name)}
	}
	return t.define(ctx, c, t.dialect.alterations(c.table, missing)...)
}

func (t *table) missing(c *change) (out []field) {
	for _, fields := range [][]field{c.keys, c.rest} {
		for _, f := range fields {
			if _, ok := t.column(f.name); !ok {
				out = append(out, f)
			}
		}
	}
	return out
}

// define changes a table's definition. That it fails does not matter where another task was faster.
func (t *task) define(ctx context.Context, c *change, statements ...string) (*table, error) {
	var failed error
	for _, statement := range statements {
		err := t.session.define(ctx, statement)
		if err != nil && t.dialect.passing(err) {
			return nil, err
		}
		if err != nil {
			failed = fmt.Errorf("%s: %w", statement, err)
		}
	}
	now, err := t.load(ctx, c.table)
	if err != nil {
		return nil, err
	}
	if now == nil || len(now.missing(c)) > 0 {
		if failed == nil {
			failed = fmt.Errorf("table %s is not there, though it was made: is it hidden by the search_path?", c.table.quoted())
		}
		return nil, failed
	}
	return now, nil
}

// load a table's columns, and keep them; nil is no table.
func (t *task) load(ctx context.Context, name tableName) (*table, error) {
	found, err := t.session.load(ctx, name)
	if found != nil {
		found.dialect = t.dialect
		t.tables[name] = found
	}
	return found, err
}

func creation(c *change, postgis string) string {
	var parts, names []string
	for _, f := range c.keys {
		parts = append(parts, columnText(f, postgis)+" NOT NULL")
		names = append(names, quote(f.name))
	}
	for _, f := range c.rest {
		text := columnText(f, postgis)
		if !f.schema.Optional {
			text += " NOT NULL"
		}
		parts = append(parts, text)
	}
	if len(names) > 0 {
		parts = append(parts, "PRIMARY KEY ("+strings.Join(names, ", ")+")")
	}
	return "CREATE TABLE IF NOT EXISTS " + c.table.quoted() + " (" + strings.Join(parts, ", ") + ")"
}

func alteration(name tableName, missing []field, postgis string) string {
	parts := make([]string, len(missing))
	for i, f := range missing {
		parts[i] = "ADD COLUMN IF NOT EXISTS " + columnText(f, postgis)
		if !f.schema.Optional && f.schema.Default != nil {
			parts[i] += " NOT NULL"
		}
	}
	return "ALTER TABLE " + name.quoted() + " " + strings.Join(parts, ", ")
}

func columnText(f field, postgis string) string {
	kind := natural(f.schema, postgis)
	text := quote(f.name) + " " + kind
	if f.schema.Default == nil {
		return text
	}
	value, err := textOf(f.schema, f.schema.Default, kind)
	if err != nil {
		return text // records have their values anyway
	}
	return text + " DEFAULT " + literal(value) + "::" + kind
}
