package storagetest

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

// The methods of projection.Admin, Tables and Tx, each of which may fail.

// ClaimSlices implements projection.Admin.
func (f *FaultyDB) ClaimSlices(ctx context.Context, name, source string, slices journal.SliceRange, start journal.Cursor) (projection.Claim, error) {
	return get(f, "ClaimSlices", func() (projection.Claim, error) { return f.db.ClaimSlices(ctx, name, source, slices, start) })
}

// Offsets implements projection.Admin.
func (f *FaultyDB) Offsets(ctx context.Context, claim projection.Claim, limit int) ([]projection.Offset, error) {
	return get(f, "Offsets", func() ([]projection.Offset, error) { return f.db.Offsets(ctx, claim, limit) })
}

// OffsetsOf implements projection.Admin.
func (f *FaultyDB) OffsetsOf(ctx context.Context, claim projection.Claim, persistenceIDs []string) ([]projection.Offset, error) {
	return get(f, "OffsetsOf", func() ([]projection.Offset, error) { return f.db.OffsetsOf(ctx, claim, persistenceIDs) })
}

// TrimOffsets implements projection.Admin.
func (f *FaultyDB) TrimOffsets(ctx context.Context, claim projection.Claim, before time.Time) (int64, error) {
	return get(f, "TrimOffsets", func() (int64, error) { return f.db.TrimOffsets(ctx, claim, before) })
}

// Beat implements projection.Admin.
func (f *FaultyDB) Beat(ctx context.Context, name, worker string, ttl time.Duration) ([]string, error) {
	return get(f, "Beat", func() ([]string, error) { return f.db.Beat(ctx, name, worker, ttl) })
}

// Paused implements projection.Admin.
func (f *FaultyDB) Paused(ctx context.Context, name string, slices journal.SliceRange) (bool, error) {
	return get(f, "Paused", func() (bool, error) { return f.db.Paused(ctx, name, slices) })
}

// SetPaused implements projection.Admin.
func (f *FaultyDB) SetPaused(ctx context.Context, name string, paused bool) error {
	return f.do("SetPaused", func() error { return f.db.SetPaused(ctx, name, paused) })
}

// Projections implements projection.Admin.
func (f *FaultyDB) Projections(ctx context.Context, name string) ([]projection.Stored, error) {
	return get(f, "Projections", func() ([]projection.Stored, error) { return f.db.Projections(ctx, name) })
}

// Reset implements projection.Admin.
func (f *FaultyDB) Reset(ctx context.Context, name string, after journal.Cursor) error {
	return f.do("Reset", func() error { return f.db.Reset(ctx, name, after) })
}

// Forget implements projection.Admin.
func (f *FaultyDB) Forget(ctx context.Context, name string) error {
	return f.do("Forget", func() error { return f.db.Forget(ctx, name) })
}

// CopyTables implements projection.Tables.
func (f *FaultyDB) CopyTables(ctx context.Context, tables []string, suffix string) error {
	return f.do("CopyTables", func() error { return f.db.CopyTables(ctx, tables, suffix) })
}

// DropCopies implements projection.Tables.
func (f *FaultyDB) DropCopies(ctx context.Context, tables []string, suffix string) error {
	return f.do("DropCopies", func() error { return f.db.DropCopies(ctx, tables, suffix) })
}

// CompareTables implements projection.Tables.
func (f *FaultyDB) CompareTables(ctx context.Context, tables []string, suffix string, ignore []string, limit int) ([]projection.Difference, error) {
	return get(f, "CompareTables", func() ([]projection.Difference, error) {
		return f.db.CompareTables(ctx, tables, suffix, ignore, limit)
	})
}

// SwapTables implements projection.Tables.
func (f *FaultyDB) SwapTables(ctx context.Context, tables []string, suffix, live, rebuild string) error {
	return f.do("SwapTables", func() error { return f.db.SwapTables(ctx, tables, suffix, live, rebuild) })
}

func (x faultyTx) SaveOffsets(ctx context.Context, claim projection.Claim, offsets []projection.Offset, cursor journal.Cursor) error {
	return x.f.do("Tx.SaveOffsets", func() error { return x.tx.SaveOffsets(ctx, claim, offsets, cursor) })
}
