package outbox

import (
	"context"
	"time"
)

// view is one relay's way to a store that others use too.
type view struct {
	*memStore
	before func()
}

func (v *view) Identity(ctx context.Context) (Identity, error) {
	v.before()
	return v.memStore.Identity(ctx)
}

func (v *view) Bind(ctx context.Context, l Lease, system, cluster string) error {
	v.before()
	return v.memStore.Bind(ctx, l, system, cluster)
}

func (v *view) AcquireLease(ctx context.Context, holder string, ttl time.Duration) (Lease, bool, error) {
	v.before()
	return v.memStore.AcquireLease(ctx, holder, ttl)
}

func (v *view) ExtendLease(ctx context.Context, l Lease, ttl time.Duration) error {
	v.before()
	return v.memStore.ExtendLease(ctx, l, ttl)
}

func (v *view) ReleaseLease(ctx context.Context, l Lease) error {
	v.before()
	return v.memStore.ReleaseLease(ctx, l)
}

func (v *view) Pending(ctx context.Context, above int64, except Exclusion, limit int, maxBytes int64) ([]Row, error) {
	v.before()
	return v.memStore.Pending(ctx, above, except, limit, maxBytes)
}

func (v *view) OldestPending(ctx context.Context, above int64) (int64, bool, error) {
	v.before()
	return v.memStore.OldestPending(ctx, above)
}

func (v *view) SetAside(ctx context.Context, limit int) ([]Row, error) {
	v.before()
	return v.memStore.SetAside(ctx, limit)
}

func (v *view) Load(ctx context.Context, ids []int64, maxBytes int64) ([]Row, error) {
	v.before()
	return v.memStore.Load(ctx, ids, maxBytes)
}

func (v *view) Horizon(ctx context.Context) (Horizon, error) {
	v.before()
	return v.memStore.Horizon(ctx)
}

func (v *view) Complete(ctx context.Context, l Lease, ids []int64, position []byte, keep bool) error {
	v.before()
	return v.memStore.Complete(ctx, l, ids, position, keep)
}

func (v *view) Refuse(ctx context.Context, l Lease, refusals []Refusal) error {
	v.before()
	return v.memStore.Refuse(ctx, l, refusals)
}

func (v *view) Fail(ctx context.Context, l Lease, ids []int64, upTo int64, position []byte) error {
	v.before()
	return v.memStore.Fail(ctx, l, ids, upTo, position)
}
