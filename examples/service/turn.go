package service

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/storage"
)

// inTurn is a database whose updates run one after the other, also those of
// other processes. On SQLite they do anyway.
type inTurn struct{ storage.DB }

func (d inTurn) Update(ctx context.Context, fn func(storage.Tx) error) error {
	return d.DB.Update(ctx, func(tx storage.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE turns SET taken = taken + 1 WHERE name = 'consumer'`)
		if err != nil || n != 1 {
			return fmt.Errorf("take the consumer's turn (%d rows): %w", n, err)
		}
		return fn(tx)
	})
}

// SingleWriter tells the consumer that transactions side by side gain nothing.
func (inTurn) SingleWriter() bool { return true }
