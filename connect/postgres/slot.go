package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
)

// ErrLost is wrapped by errors that say that changes since the stored position are not to be had
// any more.
var ErrLost = errors.New("changes are missing")

// slot as the server knows it.
type slot struct {
	confirmed pgoutput.LSN
	lost      bool
}

// slotState is nil where there is no such slot.
func (r *run) slotState(ctx context.Context) (*slot, error) {
	var s slot
	var confirmed, status *string
	var output, database *string
	var primarys bool // synced is a column since PostgreSQL 17, and says so after the failover, too
	err := r.db.QueryRow(ctx, `SELECT plugin::text, database::text, confirmed_flush_lsn::text, wal_status,
			coalesce(to_jsonb(s)->>'synced' = 'true' AND pg_is_in_recovery(), false)
		FROM pg_catalog.pg_replication_slots s WHERE slot_name = $1`, r.options.slot).Scan(&output, &database, &confirmed, &status, &primarys)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case output == nil || *output != "pgoutput" || database == nil || *database != r.options.database:
		return nil, fmt.Errorf("%w: the replication slot %q is not one of pgoutput in this database: give this connector a slot.name of its own", ErrSetup, r.options.slot)
	case primarys:
		return nil, fmt.Errorf("%w: the server is a standby, and the replication slot %q is its primary's until it is promoted", plugin.ErrRetry, r.options.slot)
	}
	s.lost = status != nil && *status == "lost"
	if confirmed != nil {
		s.confirmed, err = pgoutput.ParseLSN(*confirmed)
	}
	return &s, err
}

// check whether the slot still has all changes since the stored position; lost says why not.
func (r *run) check(ctx context.Context, s *slot) (lost, err error) {
	if r.from == nil || r.options.snapshotMode == "initial_only" {
		return nil, nil
	}
	start := r.from.start()
	const advice = "set snapshot.mode=when_needed to read all tables again, offset.mismatch.strategy=trust_slot to go on without those changes, or delete the connector's offsets"
	if s == nil && !r.options.readOnly {
		var standby bool
		if err := r.db.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
			return nil, err
		}
		if standby { // of a failover under way: the primary may have the slot
			return nil, fmt.Errorf("%w: the server is a standby without the replication slot %q", plugin.ErrRetry, r.options.slot)
		}
	}
	if r.unpublished != "" {
		return fmt.Errorf("%w: %s: set snapshot.mode=when_needed to read all tables again, or delete the connector's offsets", ErrLost, r.unpublished), nil
	}
	if s == nil {
		return fmt.Errorf("%w: the replication slot %q is not there, and the changes since %s are gone with it: %s", ErrLost, r.options.slot, start, advice), nil
	}
	if s.lost {
		return fmt.Errorf("%w: the server removed log that the slot %q needed (max_slot_wal_keep_size): drop the slot, and %s", ErrLost, r.options.slot, advice), nil
	}
	if r.options.mismatch == "no_validation" {
		return nil, nil
	}
	why, err := r.misplaced(ctx)
	if err != nil {
		return nil, err
	}
	if why != "" {
		if r.options.mismatch == "trust_slot" {
			r.trustSlot(s, why)
			return nil, nil
		}
		return fmt.Errorf("%w: %s: %s", ErrLost, why, advice), nil
	}
	if start = r.from.start(); start == 0 || s.confirmed <= start {
		return nil, nil
	}
	why = fmt.Sprintf("the replication slot %q is at %s, after the stored position %s: it was made again, or moved by others", r.options.slot, s.confirmed, start)
	if r.options.mismatch == "trust_slot" || r.options.mismatch == "trust_greater_lsn" {
		r.trustSlot(s, why)
		return nil, nil
	}
	return fmt.Errorf("%w: %s: %s", ErrLost, why, advice), nil
}

// misplaced says why the server's log does not have the stored position; "" where it does.
func (r *run) misplaced(ctx context.Context) (why string, err error) {
	if why, err = r.foreign(ctx); why != "" || err != nil {
		return why, err
	}
	var text string
	if err := r.db.QueryRow(ctx, "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text").Scan(&text); err != nil {
		return "", err
	}
	end, err := pgoutput.ParseLSN(text)
	if err != nil {
		return "", err
	}
	if start := r.from.start(); start > end {
		return fmt.Sprintf("the server's log ends at %s, before the stored position %s: it is another server, or an older copy", end, start), nil
	}
	return "", nil
}

// trustSlot goes on from where the slot is. A snapshot that was under way begins anew.
func (r *run) trustSlot(s *slot, why string) {
	r.log.Warn("postgres: the changes between the stored position and the slot's are left out, as offset.mismatch.strategy says", "because", why, "stored", r.from.start().String(), "slot", s.confirmed.String())
	if r.from.snapshot != nil {
		r.from = nil
		return
	}
	r.from = &position{partition: r.partition, lsn: s.confirmed, proc: s.confirmed, flush: s.confirmed, history: r.history, published: r.published}
}

// dropLost makes room for a new slot: one whose log was removed cannot be streamed from any more.
func (r *run) dropLost(ctx context.Context) error {
	r.log.Warn("postgres: the replication slot is made anew, as the server removed log that it needed", "slot", r.options.slot)
	if err := r.conn.DropSlot(ctx, r.options.slot); err != nil {
		return fmt.Errorf("drop the replication slot %q, whose log was removed: %w", r.options.slot, err)
	}
	return nil
}

func (r *run) createSlot(ctx context.Context) (*slot, error) {
	made, err := r.makeSlot(ctx)
	return &slot{confirmed: made.At}, err
}

func (r *run) makeSlot(ctx context.Context) (replication.Slot, error) {
	made, err := r.conn.CreateSlot(ctx, r.options.slot, replication.Options{Failover: r.options.failover})
	if err != nil {
		return made, fmt.Errorf("create the replication slot %q: %w", r.options.slot, err)
	}
	r.log.Info("postgres: made a replication slot", "slot", r.options.slot, "at", made.At.String())
	return made, nil
}
