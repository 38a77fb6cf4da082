package storagetest

import (
	"context"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// Rows implements outbox.Inspector.
func (f *FaultyDB) Rows(ctx context.Context, q outbox.RowQuery) ([]outbox.StoredRow, error) {
	return get(f, "Rows", func() ([]outbox.StoredRow, error) { return f.db.Rows(ctx, q) })
}

// Positions implements inbox.Inspector.
func (f *FaultyDB) Positions(ctx context.Context, consumer string) ([]inbox.Position, error) {
	return get(f, "Positions", func() ([]inbox.Position, error) { return f.db.Positions(ctx, consumer) })
}

// Marks implements inbox.Inspector.
func (f *FaultyDB) Marks(ctx context.Context, consumer string, ids []string) ([]inbox.StoredMark, error) {
	return get(f, "Marks", func() ([]inbox.StoredMark, error) { return f.db.Marks(ctx, consumer, ids) })
}

// WaitingRows implements inbox.Inspector.
func (f *FaultyDB) WaitingRows(ctx context.Context, q inbox.WaitingQuery) ([]inbox.StoredWaiting, error) {
	return get(f, "WaitingRows", func() ([]inbox.StoredWaiting, error) { return f.db.WaitingRows(ctx, q) })
}
