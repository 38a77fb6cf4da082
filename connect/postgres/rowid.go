package postgres

import "github.com/pabal-dev/pabal/connect/debezium/incremental"

// rowID is the same for all versions of a row. A table without a key is known by the column that a
// signal names as its surrogate-key.
func rowID(t *table, surrogate string, row []any) string {
	if len(t.key) > 0 {
		return incremental.RowID(row, t.key)
	}
	for i := range t.columns {
		if t.columns[i].name == surrogate {
			return incremental.RowID(row, []int{i})
		}
	}
	return ""
}
