package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/projection"
)

var (
	tablesColumns = statementFile("tables_columns")
	tablesCompare = statementFile("tables_compare")
)

// CompareTables is described at projection.Tables. All tables are seen at one
// moment.
func (db *DB) CompareTables(ctx context.Context, tables []string, suffix string, ignore []string, limit int) ([]projection.Difference, error) {
	pairs, err := db.pairs(tables, suffix)
	if err != nil {
		return nil, err
	}
	var found []projection.Difference
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = db.transact(ctx, options, func(tx pgx.Tx) error {
		for _, p := range pairs {
			d, err := db.compareTable(ctx, tx, p, ignore, limit)
			if err != nil {
				return fmt.Errorf("table %s: %w", p.name, err)
			}
			found = append(found, d)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("compare the tables: %w", err)
	}
	return found, nil
}

func (db *DB) compareTable(ctx context.Context, tx pgx.Tx, p pair, ignore []string, limit int) (projection.Difference, error) {
	d := projection.Difference{Table: p.name}
	columns, err := db.comparison(ctx, tx, p.live, ignore)
	if err != nil {
		return d, err
	}
	query := strings.NewReplacer("%columns", columns, "%live", p.live, "%copy", p.copy).Replace(db.names.sql(tablesCompare))
	err = tx.QueryRow(ctx, query, max(limit, 0)).Scan(&d.Live, &d.Copy, &d.OnlyLive, &d.OnlyCopy, &d.LiveRows, &d.CopyRows)
	if err != nil {
		return d, failed("compare", err)
	}
	return d, nil
}

// comparison is the list of columns, without the ignored ones.
func (db *DB) comparison(ctx context.Context, tx pgx.Tx, table string, ignore []string) (string, error) {
	rows, err := tx.Query(ctx, db.names.sql(tablesColumns), table)
	if err != nil {
		return "", failed("look at the table", err)
	}
	var columns []string
	var name, expression string
	_, err = pgx.ForEachRow(rows, []any{&name, &expression}, func() error {
		if !slices.Contains(ignore, name) {
			columns = append(columns, expression)
		}
		return nil
	})
	if err != nil {
		return "", failed("look at the table", err)
	}
	if len(columns) == 0 {
		return "", fmt.Errorf("postgres: no column is left to compare without %q", ignore)
	}
	return strings.Join(columns, ", "), nil
}
