package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// chunks reads chunks of incremental snapshots, on a connection of its own.
type chunks struct {
	run *run
	db  *pgx.Conn
	// schemas are its own, as another goroutine uses them.
	schemas *schemas
}

func (c *chunks) connect(ctx context.Context) error {
	if c.db != nil && !c.db.IsClosed() {
		return nil
	}
	cfg, err := connection(c.run.values)
	if err != nil {
		return err
	}
	if c.db, err = pgx.ConnectConfig(ctx, cfg); err != nil {
		return err
	}
	c.schemas, err = newSchemas(ctx, c.db, c.run.options, c.run.log)
	return err
}

// close the connection; the worker has stopped.
func (c *chunks) close() {
	if c.db != nil {
		c.run.bye(c.db.Close)
	}
}

func (c *chunks) signals() string {
	id := c.run.options.Signals[0]
	return pgx.Identifier{id.Schema, id.Table}.Sanitize()
}

// Mark writes a row into the table of signals.
func (c *chunks) Mark(ctx context.Context, id, kind, text string) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	_, err := c.db.Exec(ctx, "INSERT INTO "+c.signals()+" VALUES ($1, $2, $3)", id, kind, text)
	return err
}

// Unmark deletes it.
func (c *chunks) Unmark(ctx context.Context, id string) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	_, err := c.db.Exec(ctx, "DELETE FROM "+c.signals()+" WHERE id = $1", id)
	return err
}

// locked does something with a table whose definition does not change meanwhile.
func (c *chunks) locked(ctx context.Context, it incremental.Table, do func(*chunkTable) error) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	tx, err := c.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { c.run.bye(tx.Rollback) }()
	_, err = tx.Exec(ctx, "LOCK TABLE "+pgx.Identifier{it.ID.Schema, it.ID.Table}.Sanitize()+" IN ACCESS SHARE MODE")
	if refusedWith(err, noTable, noSchema) {
		return fmt.Errorf("%w: %w", incremental.ErrUnknownTable, err)
	}
	if err != nil {
		return err
	}
	t, err := c.table(ctx, it)
	if err != nil {
		return err
	}
	return do(t)
}

// Last is the greatest key.
func (c *chunks) Last(ctx context.Context, it incremental.Table) (key incremental.Key, err error) {
	err = c.locked(ctx, it, func(t *chunkTable) error {
		rows, err := c.query(ctx, "SELECT "+strings.Join(t.key, ", ")+" FROM "+t.from+t.where()+" ORDER BY "+strings.Join(t.key, " DESC, ")+" DESC LIMIT 1")
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, field := range rows[0] {
			key = append(key, string(field))
		}
		return nil
	})
	return key, err
}

// Rows of a chunk.
func (c *chunks) Rows(ctx context.Context, it incremental.Table, after, until incremental.Key, limit int) (out []incremental.Row, err error) {
	err = c.locked(ctx, it, func(t *chunkTable) error {
		conditions := []string{t.row() + " <= " + t.literal(until)}
		if after != nil {
			conditions = append(conditions, t.row()+" > "+t.literal(after))
		}
		rows, err := c.query(ctx, t.statement+t.where(conditions...)+" ORDER BY "+strings.Join(t.key, ", ")+fmt.Sprintf(" LIMIT %d", limit))
		if err != nil {
			return err
		}
		out, err = t.read(rows, it.SurrogateKey)
		return err
	})
	return out, err
}

// chunkRow is the value of a row: it is sent by the definition that it was read by, though the
// table may have another one by then.
type chunkRow struct {
	table  *table
	values []any
}

// read the rows that the database sent.
func (t *chunkTable) read(rows [][][]byte, surrogate string) ([]incremental.Row, error) {
	out := make([]incremental.Row, 0, len(rows))
	sent := make([]pgoutput.Value, len(t.columns))
	for _, fields := range rows {
		for i := range sent {
			sent[i] = pgoutput.Value{Kind: 'n'}
		}
		for i, field := range fields {
			if field != nil {
				sent[t.place[i]] = pgoutput.Value{Kind: 't', Data: field}
			}
		}
		values, err := t.table.row(nil, sent, nil, func(column string, err error) error { return fmt.Errorf("the column %s: %w", column, err) })
		if err != nil {
			return nil, err
		}
		one := incremental.Row{ID: rowID(t.table, surrogate, values), Values: []any{chunkRow{t.table, values}}, Bytes: 700}
		for _, field := range fields {
			one.Bytes += 3 * len(field)
		}
		for _, at := range t.keyAt {
			one.Key = append(one.Key, string(fields[at]))
		}
		out = append(out, one)
	}
	return out, nil
}

// query in text, as the stream has values.
func (c *chunks) query(ctx context.Context, statement string) ([][][]byte, error) {
	results, err := c.db.PgConn().Exec(ctx, statement).ReadAll()
	if err != nil {
		return nil, err
	}
	return results[0].Rows, nil
}
