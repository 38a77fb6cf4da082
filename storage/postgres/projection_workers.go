package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

var (
	projectionBeat    = statementFile("projection_beat")
	projectionGoodbye = statementFile("projection_goodbye")
)

// Beat is described at projection.Admin. Time is the server's.
func (db *DB) Beat(ctx context.Context, name, worker string, ttl time.Duration) ([]string, error) {
	s, args := projectionGoodbye, []any{name, worker}
	if ttl > 0 {
		s, args = projectionBeat, append(args, ttl.Seconds())
	}
	rows, err := db.pool.Query(ctx, db.names.sql(s), args...)
	if err != nil {
		return nil, failed("beat of projection "+name, err)
	}
	workers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, failed("beat of projection "+name, err)
	}
	slices.Sort(workers)
	return workers, nil
}
