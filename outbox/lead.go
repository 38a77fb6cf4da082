package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// term acquires the lease and is the active relay until an error, or until
// stop; standby says that another one has the lease.
func (r *Relay) term(ctx context.Context, wake <-chan struct{}, ready chan<- error) (standby bool, err error) {
	asked, cancel := context.WithTimeout(ctx, r.cfg.LeaseTTL)
	lease, ok, err := r.store.AcquireLease(asked, r.cfg.Holder, r.cfg.LeaseTTL)
	cancel()
	if err != nil {
		return false, fmt.Errorf("acquiring the outbox's lease: %w", err)
	}
	if !ok {
		r.state(Standby, nil)
		report(ready, nil)
		return true, nil
	}
	ctx, end := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() { defer close(kept); r.keep(ctx, lease, end) }()
	defer func() { <-kept }()
	defer end(nil)
	defer r.release(ctx, lease)
	return false, r.lead(ctx, lease, wake, ready)
}

func (r *Relay) lead(ctx context.Context, lease Lease, wake <-chan struct{}, ready chan<- error) error {
	session, batch, err := r.takeOver(ctx, lease)
	if err != nil {
		return causeOr(ctx, err)
	}
	defer session.close()
	r.log.Info("the relay is active", "cluster", session.clusterID, "lease", lease.Token, "batch", batch)
	r.state(Active, nil)
	report(ready, nil)
	if !r.delay(ctx) {
		return context.Cause(ctx)
	}
	t := &term{
		Relay: r, session: session, wake: wake, batch: batch, settled: batch, asideStale: true,
		settler: newSettler(r.store, lease, r.cfg.KeepHistory > 0),
		holds:   holds{backoff: r.cfg.TopicBackoff},
	}
	return causeOr(ctx, t.run(ctx, r.stop))
}

// delay waits once, before the first row is read.
func (r *Relay) delay(ctx context.Context) bool {
	wait := r.cfg.InitialDelay
	if wait == 0 {
		return true
	}
	r.cfg.InitialDelay = 0
	return pause(ctx, wait, r.stop) || ctx.Err() == nil
}

// takeOver makes this relay the only one that can publish, settles what the log
// knows and the database does not, and returns the last batch's number.
func (r *Relay) takeOver(ctx context.Context, lease Lease) (s *session, batch int64, err error) {
	id, err := r.store.Identity(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the outbox's identity: %w", err)
	}
	s, err = openSession(ctx, r.cluster, id.Outbox, r.cfg.BatchRows, r.extra)
	if err != nil {
		return nil, 0, err
	}
	batch, err = r.recover(ctx, lease, id, s)
	if err != nil {
		s.close()
		return nil, 0, err
	}
	return s, batch, nil
}

func (r *Relay) recover(ctx context.Context, lease Lease, id Identity, s *session) (batch int64, err error) {
	if err := relayMay(ctx, r.store); err != nil {
		return 0, err
	}
	fresh, err := checkBinding(id, s.clusterID)
	if err != nil {
		return 0, err
	}
	db, err := decodeReceipt(id.Position)
	if err != nil {
		return 0, err
	}
	if err := s.settlePlace(ctx, db, id.Position != nil); err != nil {
		return 0, err
	}
	r.state(Recovering, nil)
	log, found, err := s.fence(ctx, r.store, lease, r.cfg.LeaseTTL)
	if err != nil {
		return 0, err
	}
	if found && id.Position == nil {
		return 0, fmt.Errorf("%w: it has never published, the log knows batch %d", ErrDatabaseRestored, log.last())
	}
	batches, err := unsettled(db, log, found)
	if err != nil {
		return 0, err
	}
	if err := r.resettle(ctx, lease, s, db, batches); err != nil {
		return 0, err
	}
	if id.Position == nil {
		// Before anything is published, so that "no receipt" means "no position".
		if err := r.store.Complete(ctx, lease, nil, s.place.encode(), false); err != nil {
			return 0, fmt.Errorf("storing the first position: %w", err)
		}
	}
	if fresh {
		if err := r.store.Bind(ctx, lease, id.System, s.clusterID); err != nil {
			return 0, fmt.Errorf("binding the outbox to its cluster: %w", err)
		}
	}
	return max(db.N, log.last()), nil
}

// fence begins the session and reads the position back. A relay that was
// stopped for long may have fenced its successor just now: it looks at the
// lease and gives way. It looks again at the end, so that what it read of
// database and log belongs together.
func (s *session) fence(ctx context.Context, store Store, lease Lease, ttl time.Duration) (log position, found bool, err error) {
	if err := s.begin(ctx); err != nil {
		return log, false, err
	}
	if err := store.ExtendLease(ctx, lease, ttl); err != nil {
		return log, false, fmt.Errorf("extending the lease: %w", err)
	}
	if log, found, err = s.readBack(ctx); err != nil {
		return log, false, err
	}
	if err := store.ExtendLease(ctx, lease, ttl); err != nil {
		return log, false, fmt.Errorf("extending the lease: %w", err)
	}
	return log, found, nil
}

// resettle tells the database what the log knows: rows published are removed,
// dead ones marked.
func (r *Relay) resettle(ctx context.Context, lease Lease, s *session, db receipt, batches []batchMark) error {
	settler := newSettler(r.store, lease, r.cfg.KeepHistory > 0)
	for _, b := range batches {
		rows, err := r.loadAll(ctx, union(b.Published, b.Dead).ids())
		if err == nil {
			err = b.settles(rows)
		}
		if err != nil {
			return err
		}
		x := settlement{published: b.Published.ids(), replay: b.Replay,
			receipt: receipt{N: b.N, Partition: s.place.Partition, Offset: s.place.Offset}.encode()}
		if len(b.Dead) > 0 {
			x.published, x.dead = nil, b.Dead.ids()
		}
		if err := settler.settle(ctx, x); err != nil {
			return err
		}
		r.log.Info("a batch was in the log already", "batch", b.N, "rows", b.Published.count(), "dead", b.Dead.count())
	}
	return nil
}

// loadAll reads the STARTED rows among those ids, without their payload.
func (r *Relay) loadAll(ctx context.Context, ids []int64) (rows []Row, err error) {
	for len(ids) > 0 {
		some, err := r.store.Load(ctx, ids, r.cfg.BatchBytes)
		if err != nil {
			return nil, fmt.Errorf("reading rows of the last batch: %w", err)
		}
		if len(some) == 0 {
			break
		}
		last := some[len(some)-1].ID
		ids = slices.DeleteFunc(ids, func(id int64) bool { return id <= last })
		for _, row := range some {
			row.Payload = nil
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// keep extends the lease until ctx ends, and ends the term when it is lost.
func (r *Relay) keep(ctx context.Context, lease Lease, end context.CancelCauseFunc) {
	last := time.Now()
	for pause(ctx, r.cfg.LeaseTTL/3, nil) {
		asked, cancel := context.WithTimeout(ctx, r.cfg.LeaseTTL/3)
		began := time.Now()
		err := r.store.ExtendLease(asked, lease, r.cfg.LeaseTTL)
		cancel()
		switch {
		case err == nil:
			last = began
		case errors.Is(err, ErrLeaseLost), time.Since(last) > r.cfg.LeaseTTL:
			end(fmt.Errorf("extending the lease: %w", err))
			return
		}
	}
}

// releaseTimeout bounds what is only a courtesy to the next relay.
const releaseTimeout = time.Second

// release gives up the lease where that is of use: not once it is lost, nor
// when the relay must stop at once.
func (r *Relay) release(ctx context.Context, lease Lease) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	if err := r.store.ReleaseLease(ctx, lease); err != nil {
		r.log.Debug("releasing the lease", "error", err)
	}
}

// causeOr is why ctx ended, where it did: what failed after that is no news.
func causeOr(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
