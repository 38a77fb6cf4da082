package systemtest

import (
	"context"
	"testing"

	"github.com/pabal-dev/pabal/storage"
)

// Count runs a query that returns one number.
func Count(t testing.TB, db storage.DB, query string, args ...any) (n int64) {
	t.Helper()
	err := db.View(context.Background(), func(q storage.Querier) error {
		return q.QueryRow(context.Background(), query, args...).Scan(&n)
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Table is the rows of a query whose columns are text, by the first one.
func Table(t testing.TB, db storage.DB, columns int, query string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := db.View(context.Background(), func(q storage.Querier) error {
		rows, err := q.Query(context.Background(), query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			values := make([]string, columns)
			dest := make([]any, columns)
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			all[values[0]] = values[1:]
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}
