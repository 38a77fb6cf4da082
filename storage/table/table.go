// Package table keeps a table of stream processing as a table of PostgreSQL or SQLite: the
// target of a sink, exactly once. Rows and the sink's positions change in one transaction.
package table

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/streams/sink"
)

// Config of a Table.
type Config struct {
	// Name of the table, letters, digits and underscores. Unless Write is set it is made where
	// it is not there, with the columns key (primary), value and updated_at (ms since 1970).
	Name string
	// Text makes key and value TEXT. Else they are bytes (BYTEA). What comes from
	// sink.Config.Render must be text then.
	Text bool
	// Write does something else with a change, in the sink's transaction; a nil Value deletes.
	// An error gives the whole batch up, to be tried again. Name is not used then.
	Write func(ctx context.Context, tx storage.Tx, c sink.Change) error
}

// Table is a sink.Target.
type Table struct {
	db    storage.DB
	write func(ctx context.Context, tx storage.Tx, c sink.Change) error
}

var _ sink.Target = (*Table)(nil)

//go:embed migrations/*.sql
var files embed.FS

var goodName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// Open makes what is missing in the database.
func Open(ctx context.Context, db storage.DB, c Config) (*Table, error) {
	if c.Write == nil && !goodName.MatchString(c.Name) {
		return nil, fmt.Errorf("table: %q is no name of a table: up to 63 letters, digits and underscores", c.Name)
	}
	own, err := fs.Sub(files, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "pabal_sink", own); err != nil {
		return nil, fmt.Errorf("table: %w", err)
	}
	if c.Write != nil {
		return &Table{db, c.Write}, nil
	}
	if err := create(ctx, db, c); err != nil {
		return nil, fmt.Errorf("table: create %s: %w", c.Name, err)
	}
	return &Table{db, c.rows()}, nil
}

func create(ctx context.Context, db storage.DB, c Config) error {
	kind := "BYTEA"
	if c.Text {
		kind = "TEXT"
	}
	made := func() error {
		return db.Update(ctx, func(tx storage.Tx) error {
			_, err := tx.Exec(ctx, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (key %s NOT NULL PRIMARY KEY, value %s NOT NULL, updated_at BIGINT NOT NULL)", c.Name, kind, kind))
			return err
		})
	}
	err := made()
	if err != nil && db.IsDuplicate(err) {
		return made() // another process was faster
	}
	return err
}

// rows writes the usual columns.
func (c Config) rows() func(ctx context.Context, tx storage.Tx, ch sink.Change) error {
	put := fmt.Sprintf("INSERT INTO %s (key, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at", c.Name)
	remove := fmt.Sprintf("DELETE FROM %s WHERE key = $1", c.Name)
	as := func(b []byte) any {
		if c.Text {
			return string(b)
		}
		return b
	}
	return func(ctx context.Context, tx storage.Tx, ch sink.Change) (err error) {
		if ch.Value == nil {
			_, err = tx.Exec(ctx, remove, as(ch.Key))
		} else {
			_, err = tx.Exec(ctx, put, as(ch.Key), as(ch.Value), ch.Timestamp.UnixMilli())
		}
		return err
	}
}

// Positions is sink.Target's.
func (t *Table) Positions(ctx context.Context, name, topic string, partitions []int32) (map[int32]int64, error) {
	wanted := map[int32]bool{}
	for _, p := range partitions {
		wanted[p] = true
	}
	out := map[int32]int64{}
	err := t.db.View(ctx, func(q storage.Querier) error {
		clear(out)
		rows, err := q.Query(ctx, "SELECT partition_number, next_offset FROM pabal_sink_position WHERE sink = $1 AND topic = $2", name, topic)
		if err != nil {
			return err
		}
		for rows.Next() {
			var p, next int64
			if err := rows.Scan(&p, &next); err != nil {
				return errors.Join(err, rows.Close())
			}
			if wanted[int32(p)] {
				out[int32(p)] = next
			}
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if err != nil {
		return nil, fmt.Errorf("table: positions of sink %s: %w", name, err)
	}
	return out, nil
}

// Apply is sink.Target's.
func (t *Table) Apply(ctx context.Context, b sink.Batch) error {
	err := t.db.Update(ctx, func(tx storage.Tx) error {
		if err := move(ctx, tx, b); err != nil {
			return err
		}
		for _, c := range b.Changes {
			if err := t.write(ctx, tx, c); err != nil {
				return fmt.Errorf("record at offset %d: %w", c.Offset, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("table: sink %s, %s/%d: %w", b.Sink, b.Topic, b.Partition, err)
	}
	return nil
}

// move the position first: its row keeps others out until the end of the transaction.
func move(ctx context.Context, tx storage.Tx, b sink.Batch) (err error) {
	var n int64
	if b.From == sink.None {
		n, err = tx.Exec(ctx, "INSERT INTO pabal_sink_position (sink, topic, partition_number, next_offset) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			b.Sink, b.Topic, int64(b.Partition), b.To)
	} else {
		n, err = tx.Exec(ctx, "UPDATE pabal_sink_position SET next_offset = $4 WHERE sink = $1 AND topic = $2 AND partition_number = $3 AND next_offset = $5",
			b.Sink, b.Topic, int64(b.Partition), b.To, b.From)
	}
	if err == nil && n != 1 {
		return sink.ErrMoved
	}
	return err
}
