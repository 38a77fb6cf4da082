// Package catalog reads what PostgreSQL's catalogs say about tables and types.
package catalog

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/postgres/internal/values"
)

// Table of the database.
type Table struct {
	OID, SchemaOID uint32
	Schema, Name   string
	// Partitioned tables have their rows in others.
	Partitioned bool
	// Identity is REPLICA IDENTITY: d default, n nothing, f full, i an index.
	Identity byte
	Columns  []Column
	// Key is the columns of the primary key, or of the first unique index where there is none.
	Key []string
	// Primary says that Key is a primary key: its columns are never null and rows have an order.
	Primary bool
}

// Column of a table.
type Column struct {
	Name     string
	Type     uint32
	TypeName string
	Modifier int32
	NotNull  bool
	// Default is the expression; "" is none.
	Default string
	// Generated columns are calculated from others.
	Generated bool
	Comment   string
	// Collation of its own, as SQL; "" is the database's, or that the type has none.
	Collation string
}

// Column by name; nil where there is none.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

//go:embed tables.sql
var tablesSQL string

//go:embed columns.sql
var columnsSQL string

//go:embed keys.sql
var keysSQL string

//go:embed identity.sql
var identitySQL string

//go:embed types.sql
var typesSQL string

// Names are all tables of the database but its own, without columns and keys, by schema and name.
func Names(ctx context.Context, db *pgx.Conn) ([]Table, error) {
	rows, err := db.Query(ctx, tablesSQL)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Table, err error) {
		var identity string
		err = row.Scan(&t.OID, &t.SchemaOID, &t.Schema, &t.Name, &t.Partitioned, &identity)
		if identity != "" {
			t.Identity = identity[0]
		}
		return t, err
	})
}

// Fill in a table's columns and key. A table that is gone has no columns.
func Fill(ctx context.Context, db *pgx.Conn, t *Table) error {
	rows, err := db.Query(ctx, columnsSQL, t.OID)
	if err != nil {
		return err
	}
	t.Columns, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Column, err error) {
		err = row.Scan(&c.Name, &c.Type, &c.TypeName, &c.Modifier, &c.NotNull, &c.Default, &c.Generated, &c.Comment, &c.Collation)
		return c, err
	})
	if err != nil {
		return err
	}
	rows, err = db.Query(ctx, keysSQL, t.OID)
	if err != nil {
		return err
	}
	t.Key, t.Primary = nil, false
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		var column string
		err := row.Scan(&column, &t.Primary)
		t.Key = append(t.Key, column)
		return struct{}{}, err
	})
	return err
}

// IdentityIndex are the columns of the index that REPLICA IDENTITY names; none where it names none.
func IdentityIndex(ctx context.Context, db *pgx.Conn, table uint32) ([]string, error) {
	rows, err := db.Query(ctx, identitySQL, table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Types of the database.
func Types(ctx context.Context, db *pgx.Conn) ([]values.Type, error) {
	rows, err := db.Query(ctx, typesSQL)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t values.Type, err error) {
		err = row.Scan(&t.OID, &t.Schema, &t.Name, &t.Element, &t.Base, &t.BaseModifier, &t.Enum)
		return t, err
	})
}
