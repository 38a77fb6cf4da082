package sqlite

import (
	"context"
	"strings"
)

// bulk inserts rows many to a statement: a statement costs more than a row.
type bulk struct {
	width int
	// texts are the statements for as many rows as bulkSizes says.
	texts [len(bulkSizes)]string
}

// bulkSizes ends with 1. Few sizes, since each is prepared once per connection.
var bulkSizes = [...]int{64, 8, 1}

// newBulk of "INSERT INTO t (a, b)", as many columns, and what follows the rows.
func newBulk(insert string, width int, tail string) bulk {
	row := "(?" + strings.Repeat(", ?", width-1) + ")"
	b := bulk{width: width}
	for i, n := range bulkSizes {
		b.texts[i] = insert + " VALUES " + row + strings.Repeat(", "+row, n-1) + tail
	}
	return b
}

// run inserts rows, whose values follow one another.
func (b bulk) run(ctx context.Context, tx *Tx, values []any) error {
	for i, n := range bulkSizes {
		for step := n * b.width; len(values) >= step; values = values[step:] {
			if _, err := tx.Exec(ctx, b.texts[i], values[:step]...); err != nil {
				return err
			}
		}
	}
	return nil
}
