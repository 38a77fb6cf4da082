package storagetest

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// The methods of outbox.Store, each of which may fail.

// Identity implements outbox.Store.
func (f *FaultyDB) Identity(ctx context.Context) (outbox.Identity, error) {
	return get(f, "Identity", func() (outbox.Identity, error) { return f.db.Identity(ctx) })
}

// Bind implements outbox.Store.
func (f *FaultyDB) Bind(ctx context.Context, lease outbox.Lease, system, cluster string) error {
	return f.do("Bind", func() error { return f.db.Bind(ctx, lease, system, cluster) })
}

// Renew implements outbox.Store.
func (f *FaultyDB) Renew(ctx context.Context) error {
	return f.do("Renew", func() error { return f.db.Renew(ctx) })
}

// AcquireLease implements outbox.Store.
func (f *FaultyDB) AcquireLease(ctx context.Context, holder string, ttl time.Duration) (lease outbox.Lease, ok bool, err error) {
	lease, err = get(f, "AcquireLease", func() (lease outbox.Lease, err error) {
		lease, ok, err = f.db.AcquireLease(ctx, holder, ttl)
		return lease, err
	})
	return lease, ok && err == nil, err
}

// ExtendLease implements outbox.Store.
func (f *FaultyDB) ExtendLease(ctx context.Context, lease outbox.Lease, ttl time.Duration) error {
	return f.do("ExtendLease", func() error { return f.db.ExtendLease(ctx, lease, ttl) })
}

// ReleaseLease implements outbox.Store.
func (f *FaultyDB) ReleaseLease(ctx context.Context, lease outbox.Lease) error {
	return f.do("ReleaseLease", func() error { return f.db.ReleaseLease(ctx, lease) })
}

// Pending implements outbox.Store.
func (f *FaultyDB) Pending(ctx context.Context, above int64, except outbox.Exclusion, limit int, maxBytes int64) ([]outbox.Row, error) {
	return get(f, "Pending", func() ([]outbox.Row, error) { return f.db.Pending(ctx, above, except, limit, maxBytes) })
}

// OldestPending implements outbox.Store.
func (f *FaultyDB) OldestPending(ctx context.Context, above int64) (id int64, ok bool, err error) {
	id, err = get(f, "OldestPending", func() (id int64, err error) {
		id, ok, err = f.db.OldestPending(ctx, above)
		return id, err
	})
	return id, ok && err == nil, err
}

// SetAside implements outbox.Store.
func (f *FaultyDB) SetAside(ctx context.Context, limit int) ([]outbox.Row, error) {
	return get(f, "SetAside", func() ([]outbox.Row, error) { return f.db.SetAside(ctx, limit) })
}

// Load implements outbox.Store.
func (f *FaultyDB) Load(ctx context.Context, ids []int64, maxBytes int64) ([]outbox.Row, error) {
	return get(f, "Load", func() ([]outbox.Row, error) { return f.db.Load(ctx, ids, maxBytes) })
}

// Horizon implements outbox.Store.
func (f *FaultyDB) Horizon(ctx context.Context) (outbox.Horizon, error) {
	return get(f, "Horizon", func() (outbox.Horizon, error) { return f.db.Horizon(ctx) })
}

// Complete implements outbox.Store.
func (f *FaultyDB) Complete(ctx context.Context, lease outbox.Lease, ids []int64, position []byte, keepHistory bool) error {
	return f.do("Complete", func() error { return f.db.Complete(ctx, lease, ids, position, keepHistory) })
}

// Refuse implements outbox.Store.
func (f *FaultyDB) Refuse(ctx context.Context, lease outbox.Lease, refusals []outbox.Refusal) error {
	return f.do("Refuse", func() error { return f.db.Refuse(ctx, lease, refusals) })
}

// Fail implements outbox.Store.
func (f *FaultyDB) Fail(ctx context.Context, lease outbox.Lease, ids []int64, upToReplay int64, position []byte) error {
	return f.do("Fail", func() error { return f.db.Fail(ctx, lease, ids, upToReplay, position) })
}

// Replay implements outbox.Store.
func (f *FaultyDB) Replay(ctx context.Context, ids ...int64) (int64, error) {
	return get(f, "Replay", func() (int64, error) { return f.db.Replay(ctx, ids...) })
}

// LastReplay implements outbox.Store.
func (f *FaultyDB) LastReplay(ctx context.Context) (int64, error) {
	return get(f, "LastReplay", func() (int64, error) { return f.db.LastReplay(ctx) })
}

// Republish implements outbox.Store.
func (f *FaultyDB) Republish(ctx context.Context, since time.Time) (int64, error) {
	return get(f, "Republish", func() (int64, error) { return f.db.Republish(ctx, since) })
}

// TrimHistory implements outbox.Store.
func (f *FaultyDB) TrimHistory(ctx context.Context, before time.Time, limit int) (int64, error) {
	return get(f, "TrimHistory", func() (int64, error) { return f.db.TrimHistory(ctx, before, limit) })
}

// Backlog implements outbox.Store.
func (f *FaultyDB) Backlog(ctx context.Context) (outbox.Backlog, error) {
	return get(f, "Backlog", func() (outbox.Backlog, error) { return f.db.Backlog(ctx) })
}
