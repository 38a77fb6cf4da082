package lens

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"

	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// store is the index's file.
type store struct{ db *sqlite.DB }

// partitionKey names a partition by its topic's full name.
type partitionKey struct {
	topic  string
	number int32
}

// place is where reading a partition goes on.
type place struct {
	topicID string
	next    int64
}

// progress is what is stored with a block.
type progress struct {
	cluster string
	places  map[partitionKey]place
	// dropped partitions are of topics that are gone.
	dropped  []partitionKey
	gaps     []gap
	services []remembered
}

// Names of the rows of lens_state.
const (
	stateCluster  = "cluster"
	stateGaps     = "gaps"
	stateServices = "services"
)

func openStore(ctx context.Context, file string, config Config) (*store, error) {
	db, err := sqlite.Open(ctx, file, sqlite.Config{Readers: 2, Logger: config.Logger})
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = db.Migrate(ctx, "lens", files)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &store{db}, nil
}

// blocks are the stored ones without their data, the oldest first.
func (s *store) blocks(ctx context.Context) (blocks []block, err error) {
	err = s.each(ctx, "SELECT id, events, length(data) + length(filter), first_at, last_at, filter FROM lens_block ORDER BY id",
		func(row storage.Row) error {
			var b block
			var f []byte
			err := row.Scan(&b.id, &b.events, &b.bytes, &b.first, &b.last, &f)
			b.filter = f
			blocks = append(blocks, b)
			return err
		})
	return blocks, err
}

func (s *store) each(ctx context.Context, query string, fn func(storage.Row) error) error {
	return s.db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := fn(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// block is nil where it is gone.
func (s *store) block(ctx context.Context, id int64) (entries []entry, err error) {
	var data []byte
	err = s.db.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, "SELECT data FROM lens_block WHERE id = $1", id).Scan(&data)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decode(data)
}

// write stores a block (where data is not nil) and how far the reader has come,
// and deletes old blocks, in one transaction.
func (s *store) write(ctx context.Context, b block, data []byte, old []int64, p progress) error {
	return s.db.Update(ctx, func(tx *sqlite.Tx) error {
		if data != nil {
			_, err := tx.Exec(ctx, `INSERT INTO lens_block (id, events, first_at, last_at, filter, data) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (id) DO UPDATE SET events = excluded.events, first_at = excluded.first_at, last_at = excluded.last_at,
				filter = excluded.filter, data = excluded.data`, b.id, b.events, b.first, b.last, []byte(b.filter), data)
			if err != nil {
				return err
			}
		}
		for _, id := range old {
			if _, err := tx.Exec(ctx, "DELETE FROM lens_block WHERE id = $1", id); err != nil {
				return err
			}
		}
		return writeProgress(ctx, tx, p)
	})
}

func writeProgress(ctx context.Context, tx *sqlite.Tx, p progress) error {
	for key, at := range p.places {
		_, err := tx.Exec(ctx, `INSERT INTO lens_partition (topic, partition, topic_id, next) VALUES ($1, $2, $3, $4)
			ON CONFLICT (topic, partition) DO UPDATE SET topic_id = excluded.topic_id, next = excluded.next`,
			key.topic, key.number, at.topicID, at.next)
		if err != nil {
			return err
		}
	}
	for _, key := range p.dropped {
		if _, err := tx.Exec(ctx, "DELETE FROM lens_partition WHERE topic = $1 AND partition = $2", key.topic, key.number); err != nil {
			return err
		}
	}
	for name, value := range map[string]any{stateCluster: p.cluster, stateGaps: p.gaps, stateServices: p.services} {
		if err := putState(ctx, tx, name, value); err != nil {
			return err
		}
	}
	return nil
}

func putState(ctx context.Context, tx *sqlite.Tx, name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO lens_state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		name, string(text))
	return err
}

// progress reads what write stored last.
func (s *store) progress(ctx context.Context) (p progress, err error) {
	p.places = map[partitionKey]place{}
	err = s.each(ctx, "SELECT topic, partition, topic_id, next FROM lens_partition", func(row storage.Row) error {
		var key partitionKey
		var at place
		err := row.Scan(&key.topic, &key.number, &at.topicID, &at.next)
		p.places[key] = at
		return err
	})
	if err != nil {
		return p, err
	}
	into := map[string]any{stateCluster: &p.cluster, stateGaps: &p.gaps, stateServices: &p.services}
	return p, s.each(ctx, "SELECT name, value FROM lens_state", func(row storage.Row) error {
		var name, value string
		if err := row.Scan(&name, &value); err != nil {
			return err
		}
		if to := into[name]; to != nil {
			return json.Unmarshal([]byte(value), to)
		}
		return nil
	})
}

// clear deletes everything, and binds the file to that cluster.
func (s *store) clear(ctx context.Context, cluster string) error {
	return s.db.Update(ctx, func(tx *sqlite.Tx) error {
		for _, table := range []string{"lens_block", "lens_partition", "lens_state"} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		return putState(ctx, tx, stateCluster, cluster)
	})
}
