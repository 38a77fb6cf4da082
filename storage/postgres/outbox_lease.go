package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	outboxIdentity = statementFile("outbox_identity")
	outboxSystem   = statementFile("outbox_system")
	outboxBind     = statementFile("outbox_bind")
	outboxRenew    = statementFile("outbox_renew")
	outboxChannel  = statementFile("outbox_channel")
	leaseAcquire   = statementFile("lease_acquire")
	leaseExtend    = statementFile("lease_extend")
	leaseRelease   = statementFile("lease_release")
)

// Identity is described at outbox.Store. System is PostgreSQL's system
// identifier and the timeline it writes; "" where the server lets the user read
// neither.
func (db *DB) Identity(ctx context.Context) (outbox.Identity, error) {
	var id outbox.Identity
	err := db.pool.QueryRow(ctx, db.names.sql(outboxIdentity)).Scan(&id.Outbox, &id.BoundSystem, &id.BoundCluster, &id.Position)
	if err == nil {
		id.System, err = db.system(ctx, db.pool)
	}
	if err != nil {
		return outbox.Identity{}, failed("read the outbox's identity", err)
	}
	return id, nil
}

func (db *DB) system(ctx context.Context, conn pgxConn) (system string, err error) {
	err = conn.QueryRow(ctx, db.names.sql(outboxSystem)).Scan(&system)
	if code := sqlState(err); code == insufficientPrivilege || code == undefinedFunction {
		db.warning.Do(func() {
			db.log.Warn("postgres: a restored or cloned database cannot be told from this one; grant EXECUTE on pg_control_system()", "error", err)
		})
		return "", nil
	}
	return system, err
}

// Bind is described at outbox.Store.
func (db *DB) Bind(ctx context.Context, lease outbox.Lease, system, cluster string) error {
	return db.execHeld(ctx, "bind the outbox to a cluster", outboxBind, lease.Token, lease.Holder, system, cluster)
}

// Renew is described at outbox.Store.
func (db *DB) Renew(ctx context.Context) error {
	_, err := db.exec(ctx, "renew the outbox's identity", outboxRenew)
	return err
}

// AcquireLease is described at outbox.Store.
func (db *DB) AcquireLease(ctx context.Context, holder string, ttl time.Duration) (outbox.Lease, bool, error) {
	if holder == "" {
		return outbox.Lease{}, false, errors.New("postgres: the holder of a lease needs a name")
	}
	lease := outbox.Lease{Holder: holder}
	err := db.pool.QueryRow(ctx, db.names.sql(leaseAcquire), holder, ttl.Microseconds()).Scan(&lease.Token)
	if errors.Is(err, pgx.ErrNoRows) {
		return outbox.Lease{}, false, nil
	}
	if err != nil {
		return outbox.Lease{}, false, failed("acquire the relay's lease", err)
	}
	return lease, true, nil
}

// ExtendLease is described at outbox.Store.
func (db *DB) ExtendLease(ctx context.Context, lease outbox.Lease, ttl time.Duration) error {
	return db.execHeld(ctx, "extend the relay's lease", leaseExtend, lease.Token, lease.Holder, ttl.Microseconds())
}

// ReleaseLease is described at outbox.Store.
func (db *DB) ReleaseLease(ctx context.Context, lease outbox.Lease) error {
	_, err := db.exec(ctx, "release the relay's lease", leaseRelease, lease.Token, lease.Holder)
	return err
}

func (db *DB) execHeld(ctx context.Context, what string, s statement, args ...any) error {
	n, err := db.exec(ctx, what, s, args...)
	if err == nil && n == 0 {
		return outbox.ErrLeaseLost
	}
	return err
}
