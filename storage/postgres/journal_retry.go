package postgres

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	journalAttempts = 5
	journalPause    = 5 * time.Millisecond // before the second attempt; doubles
)

// repeat runs a transaction again that the server rolled back for the sake of
// others.
func (db *DB) repeat(ctx context.Context, transaction func() error) error {
	wait := journalPause
	for attempt := 1; ; attempt++ {
		err := transaction()
		if !gaveWay(err) || attempt == journalAttempts {
			return err
		}
		db.repeats.Add(1)
		if !pause(ctx, wait/2+rand.N(wait/2)) {
			return err
		}
		wait *= 2
	}
}

func gaveWay(err error) bool {
	code := sqlState(err)
	return code == "40001" || code == "40P01"
}

// Repeats counts transactions of the journal that were run again after a deadlock
// or a serialization failure.
func (db *DB) Repeats() int64 { return db.repeats.Load() }

func (db *DB) querier() *pgxQuerier { return &pgxQuerier{conn: db.pool} }
