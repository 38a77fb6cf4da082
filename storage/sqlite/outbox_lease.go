package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// Identity implements outbox.Store.
func (db *DB) Identity(ctx context.Context) (outbox.Identity, error) {
	id := outbox.Identity{System: db.system}
	var noPosition bool
	err := db.viewRow(ctx, "SELECT outbox, bound_system, bound_cluster, position, position IS NULL FROM pabal_outbox_state", nil,
		&id.Outbox, &id.BoundSystem, &id.BoundCluster, &id.Position, &noPosition)
	if id.Position == nil && !noPosition {
		id.Position = []byte{}
	}
	return id, err
}

// Bind implements outbox.Store.
func (db *DB) Bind(ctx context.Context, lease outbox.Lease, system, cluster string) error {
	return db.Update(ctx, func(tx *Tx) error {
		return tx.underLease(ctx, lease,
			"UPDATE pabal_outbox_state SET bound_system = $3, bound_cluster = $4 WHERE lease_token = $1 AND lease_holder = $2", system, cluster)
	})
}

// Renew implements outbox.Store.
func (db *DB) Renew(ctx context.Context) error {
	return db.Update(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, "UPDATE pabal_outbox_state SET outbox = $1, position = NULL", event.NewID())
		return err
	})
}

// AcquireLease implements outbox.Store. The database's clock is the machine's.
func (db *DB) AcquireLease(ctx context.Context, holder string, ttl time.Duration) (lease outbox.Lease, ok bool, err error) {
	lease.Holder = holder
	err = db.Update(ctx, func(tx *Tx) error {
		now := time.Now()
		err := tx.QueryRow(ctx, outboxLease, holder, now.Add(ttl).UnixMicro(), now.UnixMicro()).Scan(&lease.Token)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	if err != nil || !ok {
		return outbox.Lease{}, false, err
	}
	return lease, true, nil
}

// ExtendLease implements outbox.Store.
func (db *DB) ExtendLease(ctx context.Context, lease outbox.Lease, ttl time.Duration) error {
	return db.Update(ctx, func(tx *Tx) error {
		return tx.underLease(ctx, lease,
			"UPDATE pabal_outbox_state SET lease_until = $3 WHERE lease_token = $1 AND lease_holder = $2", time.Now().Add(ttl).UnixMicro())
	})
}

// ReleaseLease implements outbox.Store.
func (db *DB) ReleaseLease(ctx context.Context, lease outbox.Lease) error {
	return db.Update(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, "UPDATE pabal_outbox_state SET lease_holder = '', lease_until = 0 WHERE lease_token = $1 AND lease_holder = $2",
			lease.Token, lease.Holder)
		return err
	})
}

// underLease runs an UPDATE of the state whose first parameters are the
// lease's.
func (tx *Tx) underLease(ctx context.Context, lease outbox.Lease, update string, args ...any) error {
	n, err := tx.Exec(ctx, update, append([]any{lease.Token, lease.Holder}, args...)...)
	if err == nil && n == 0 {
		return outbox.ErrLeaseLost
	}
	return err
}

func (tx *Tx) checkLease(ctx context.Context, lease outbox.Lease) error {
	var one int
	err := tx.QueryRow(ctx, "SELECT one FROM pabal_outbox_state WHERE lease_token = $1 AND lease_holder = $2", lease.Token, lease.Holder).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return outbox.ErrLeaseLost
	}
	return err
}
