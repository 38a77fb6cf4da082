package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

// CompareTables implements projection.Tables. All tables are seen at one moment;
// of rows that are there several times, each counts.
func (db *DB) CompareTables(ctx context.Context, tables []string, suffix string, ignore []string, limit int) ([]projection.Difference, error) {
	pairs, err := pairsOf(tables, suffix)
	if err != nil {
		return nil, err
	}
	found := make([]projection.Difference, len(pairs))
	err = db.View(ctx, func(q storage.Querier) error {
		for i, p := range pairs {
			if found[i], err = compare(ctx, q, p, ignore, limit); err != nil {
				return fmt.Errorf("compare the tables: table %s: %w", p.live, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func compare(ctx context.Context, q storage.Querier, p pair, ignore []string, limit int) (projection.Difference, error) {
	d := projection.Difference{Table: p.live}
	names, _, err := columnsOf(ctx, q, p.live)
	if err != nil {
		return d, err
	}
	known := len(names)
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(ignore, name) })
	switch {
	case known == 0:
		return d, fmt.Errorf("sqlite: there is no such table")
	case len(names) == 0:
		return d, fmt.Errorf("sqlite: no column is left to compare without %q", ignore)
	}
	if err := q.QueryRow(ctx, "SELECT (SELECT count(*) FROM "+quoted(p.live)+"), (SELECT count(*) FROM "+quoted(p.copy)+")").
		Scan(&d.Live, &d.Copy); err != nil {
		return d, err
	}
	if d.OnlyLive, d.LiveRows, err = onlyIn(ctx, q, p.live, p.copy, names, limit); err != nil {
		return d, err
	}
	d.OnlyCopy, d.CopyRows, err = onlyIn(ctx, q, p.copy, p.live, names, limit)
	return d, err
}

// onlyIn counts rows of a table that another does not have, and shows some. Equal
// rows are numbered, so that EXCEPT tells two from three of them.
func onlyIn(ctx context.Context, q storage.Querier, table, other string, columns []string, limit int) (n int64, shown []string, err error) {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = quoted(c)
	}
	of := strings.Join(list, ", ")
	each := "SELECT " + of + ", row_number() OVER (PARTITION BY " + of + ") FROM "
	rows, err := q.Query(ctx, each+quoted(table)+" EXCEPT "+each+quoted(other))
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		if n >= int64(limit) {
			continue
		}
		text, err := rowText(rows, columns)
		if err != nil {
			return 0, nil, err
		}
		shown = append(shown, text)
	}
	return n, shown, rows.Err()
}

// rowText is the columns as a JSON object in their order; a BLOB is in base64.
func rowText(row storage.Row, columns []string) (string, error) {
	values := make([]any, len(columns)+1)
	dest := make([]any, len(values))
	for i := range values {
		dest[i] = &values[i]
	}
	if err := row.Scan(dest...); err != nil {
		return "", err
	}
	pairs := make([]string, len(columns))
	for i, name := range columns {
		key, err := json.Marshal(name)
		if err != nil {
			return "", err
		}
		value, err := json.Marshal(values[i])
		if err != nil {
			value, err = json.Marshal(fmt.Sprint(values[i])) // an infinite number
		}
		if err != nil {
			return "", err
		}
		pairs[i] = string(key) + ":" + string(value)
	}
	return "{" + strings.Join(pairs, ",") + "}", nil
}
