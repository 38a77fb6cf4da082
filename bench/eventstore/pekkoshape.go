package eventstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// pekkoShape appends as Pekko's R2DBC plugin does: one INSERT in a transaction of
// its own, which looks up the time of the event before.
type pekkoShape struct {
	pool *pgxpool.Pool
	id   string
}

func openPekkoShape(ctx context.Context, url string, a appending) (store, error) {
	db, err := postgres.Open(ctx, url, postgres.Config{Logger: measure.Quiet}) // for the tables
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(a.connections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return &pekkoShape{pool, event.NewID()}, err
}

const pekkoInsert = `INSERT INTO event_journal
	(slice, entity_type, persistence_id, seq_nr, writer, adapter_manifest, event_ser_id, event_ser_manifest, event_payload,
	 tags, meta_ser_id, meta_ser_manifest, meta_payload, db_timestamp)
	VALUES ($1, $2, $3, $4, $5, '', $6, '', $7, NULL, NULL, NULL, NULL,
	 GREATEST(CURRENT_TIMESTAMP, (SELECT db_timestamp + '1 microsecond'::interval FROM event_journal WHERE persistence_id = $9 AND seq_nr = $8)))
	RETURNING db_timestamp`

func (p *pekkoShape) append(ctx context.Context, entity int, seqNr int64, payload []byte) error {
	pid := fmt.Sprintf("Cart|%d", entity)
	rows, err := p.pool.Query(ctx, pekkoInsert, journal.SliceOf(pid), "Cart", pid, seqNr, p.id, 4, payload, seqNr-1, pid)
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

func (p *pekkoShape) count(ctx context.Context) (n int64, err error) {
	err = p.pool.QueryRow(ctx, "SELECT count(*) FROM event_journal").Scan(&n)
	return n, err
}

func (p *pekkoShape) close() error {
	p.pool.Close()
	return nil
}
