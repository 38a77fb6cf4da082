package mysql

import (
	"context"
	"fmt"
	"strings"

	driver "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/pabal-dev/pabal/connect/debezium/incremental"
)

// chunks reads chunks of incremental snapshots, on a connection of its own, which the worker's
// context ends.
type chunks struct {
	run *run
	db  *database
	// schemas are its own, as another goroutine uses them.
	schemas *schemas
}

var _ incremental.Database = (*chunks)(nil)

// chunkRow is a row of a chunk, with the table as it was when the row was read.
type chunkRow struct {
	table  *table
	values []any
}

// do something on the connection, which is made anew where it is broken.
func (c *chunks) do(ctx context.Context, f func() error) (err error) {
	if c.db == nil {
		if c.db, err = connect(ctx, c.run.options.flavor, c.run.values); err != nil {
			return err
		}
		if c.schemas, err = newSchemas(c.db, c.run.options, c.run.log); err != nil {
			c.close()
			return err
		}
	}
	err = cause(f())
	if err != nil && refusal(err) == 0 { // not the server's answer
		c.close()
	}
	return err
}

// close the connection.
func (c *chunks) close() {
	if c.db != nil {
		c.db.close()
		c.db = nil
	}
}

func (c *chunks) signals() string {
	id := c.run.options.Signals[0]
	return quote(id.Catalog) + "." + quote(id.Table)
}

// Mark writes a row into the table of signals.
func (c *chunks) Mark(ctx context.Context, id, kind, text string) error {
	return c.do(ctx, func() error {
		_, err := c.db.Execute("INSERT INTO " + c.signals() + " VALUES (" + textLiteral(id) + ", " + textLiteral(kind) + ", " + textLiteral(text) + ")")
		return err
	})
}

// Unmark deletes it.
func (c *chunks) Unmark(ctx context.Context, id string) error {
	return c.do(ctx, func() error {
		_, err := c.db.Execute("DELETE FROM " + c.signals() + " WHERE id = " + textLiteral(id))
		return err
	})
}

// Last is the greatest key.
func (c *chunks) Last(ctx context.Context, it incremental.Table) (key incremental.Key, err error) {
	err = c.do(ctx, func() error {
		t, err := c.table(it)
		if err != nil {
			return err
		}
		rows, err := c.db.rows("SELECT " + strings.Join(t.selected(), ", ") + t.from() + " ORDER BY " + t.order(" DESC") + " LIMIT 1")
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, field := range rows[0] {
			key = append(key, textOf(field))
		}
		return nil
	})
	return key, err
}

// maxChunkBytes is when a chunk has enough rows, however few they are.
const maxChunkBytes = 8 << 20

// Rows of a chunk.
func (c *chunks) Rows(ctx context.Context, it incremental.Table, after, until incremental.Key, limit int) (out []incremental.Row, err error) {
	err = c.do(ctx, func() error {
		out = nil
		t, err := c.table(it)
		if err != nil {
			return err
		}
		conditions := []string{t.compare(until, "<", true)}
		if after != nil {
			conditions = append(conditions, t.compare(after, ">", false))
		}
		query := "SELECT " + strings.Join(append(t.columns(), t.selected()...), ", ") + t.from(conditions...) + " ORDER BY " + t.order("") + fmt.Sprintf(" LIMIT %d", limit)
		var result driver.Result
		size := 0
		return c.db.ExecuteSelectStreaming(query, &result, func(from []driver.FieldValue) error {
			if size >= maxChunkBytes {
				return nil
			}
			row, err := t.row(c.schemas, from)
			if err != nil {
				return err
			}
			out, size = append(out, row), size+row.Bytes
			return nil
		}, nil)
	})
	return out, err
}
