package outbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/pabal-dev/pabal/kafka"
)

// ErrRelayRuns is returned where a relay holds the lease: the choices below are
// made while none runs.
var ErrRelayRuns = errors.New("outbox: a relay is active; stop it first")

// Adopt binds the outbox to this database and this Kafka cluster, whatever it
// was bound to: the next relay goes on with the messages still pending. What
// the cluster's log says of the outbox is believed where it fits; otherwise a
// position without rows is written there, and messages published but not yet
// removed are published again.
//
// It waits for the lease until ctx ends; then its error wraps ErrRelayRuns.
func Adopt(ctx context.Context, store Store, cluster kafka.Config) error {
	return withLease(ctx, store, func(lease Lease) error { return adopt(ctx, store, cluster, lease) })
}

// RepublishSince puts the messages that the history holds, published at or
// after since, back into the outbox, and adopts the cluster. They keep their
// event ids and get new places behind what is pending. It returns how many.
func RepublishSince(ctx context.Context, store Store, cluster kafka.Config, since time.Time) (n int64, err error) {
	err = withLease(ctx, store, func(lease Lease) error {
		if n, err = store.Republish(ctx, since); err != nil {
			return fmt.Errorf("republish: %w", err)
		}
		return adopt(ctx, store, cluster, lease)
	})
	return n, err
}

// Renew makes a copied database an outbox of its own. The relay of the copy
// publishes what is pending in it, as the original's does: consumers see those
// messages twice, under the same ids.
func Renew(ctx context.Context, store Store, cluster kafka.Config) error {
	return withLease(ctx, store, func(lease Lease) error { return renew(ctx, store, cluster, lease) })
}

// Disown is Renew for a copy whose original lives: what is pending in the copy
// is removed from it without being published, because the original publishes
// it. Do it before anything is enqueued in the copy. It returns how many
// messages were removed.
func Disown(ctx context.Context, store Store, cluster kafka.Config) (n int64, err error) {
	err = withLease(ctx, store, func(lease Lease) error {
		if n, err = dropPending(ctx, store, lease); err != nil {
			return fmt.Errorf("removing pending messages: %w", err)
		}
		return renew(ctx, store, cluster, lease)
	})
	return n, err
}

// choiceTTL is the lease of one of the above; it is longer than what they do.
const choiceTTL = 2 * time.Minute

func withLease(ctx context.Context, store Store, do func(Lease) error) error {
	for asked := false; ; asked = true {
		lease, ok, err := store.AcquireLease(ctx, "choice "+randomHolder(), choiceTTL)
		switch {
		case err != nil && asked && ctx.Err() != nil:
			return fmt.Errorf("%w (%w)", ErrRelayRuns, ctx.Err())
		case err != nil:
			return fmt.Errorf("acquiring the outbox's lease: %w", err)
		}
		if ok {
			bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
			defer cancel()
			return errors.Join(do(lease), store.ReleaseLease(bounded, lease))
		}
		if !pause(ctx, 100*time.Millisecond, nil) {
			return fmt.Errorf("%w (%w)", ErrRelayRuns, ctx.Err())
		}
	}
}

func adopt(ctx context.Context, store Store, cluster kafka.Config, lease Lease) error {
	id, s, err := connect(ctx, store, cluster)
	if err != nil {
		return err
	}
	defer s.close()
	db, err := decodeReceipt(id.Position)
	if err != nil {
		return err
	}
	here := id.BoundCluster == s.clusterID
	err = s.settlePlace(ctx, db, here && id.Position != nil)
	if errors.Is(err, ErrPositionLost) {
		here, err = false, s.settlePlace(ctx, db, false)
	}
	if err != nil {
		return err
	}
	log, found, err := s.fence(ctx, store, lease, choiceTTL)
	if err != nil {
		return err
	}
	if _, err := unsettled(db, log, found); err != nil || !here {
		if err := restart(ctx, store, lease, s, max(db.N, log.last())+1); err != nil {
			return err
		}
	}
	if err := store.Bind(ctx, lease, id.System, s.clusterID); err != nil {
		return fmt.Errorf("binding the outbox: %w", err)
	}
	return nil
}

// restart writes a position without rows to the log, then to the database.
func restart(ctx context.Context, store Store, lease Lease, s *session, n int64) error {
	out, committed, err := s.publish(ctx, nil, position{Settled: n})
	if err != nil || !committed {
		return fmt.Errorf("writing the position to the cluster: %w", err)
	}
	db := receipt{N: n, Partition: s.place.Partition, Offset: out.offset}
	if err := store.Complete(ctx, lease, nil, db.encode(), true); err != nil {
		return fmt.Errorf("storing the position: %w", err)
	}
	return nil
}

func renew(ctx context.Context, store Store, cluster kafka.Config, lease Lease) error {
	if err := store.Renew(ctx); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	id, s, err := connect(ctx, store, cluster)
	if err != nil {
		return err
	}
	defer s.close()
	if err := store.Bind(ctx, lease, id.System, s.clusterID); err != nil {
		return fmt.Errorf("binding the outbox: %w", err)
	}
	return nil
}

func connect(ctx context.Context, store Store, cluster kafka.Config) (Identity, *session, error) {
	id, err := store.Identity(ctx)
	if err != nil {
		return id, nil, fmt.Errorf("reading the outbox's identity: %w", err)
	}
	s, err := openSession(ctx, cluster, id.Outbox, 1, nil)
	return id, s, err
}

func dropPending(ctx context.Context, store Store, lease Lease) (n int64, err error) {
	id, err := store.Identity(ctx)
	if err != nil {
		return 0, err
	}
	for {
		rows, err := store.Pending(ctx, 0, Exclusion{}, asideLimit, math.MaxInt64)
		if err != nil {
			return n, err
		}
		more, err := store.SetAside(ctx, asideLimit)
		if err != nil {
			return n, err
		}
		ids, err := capturedIDs(ctx, store)
		if err != nil {
			return n, err
		}
		for _, r := range append(rows, more...) {
			ids = append(ids, r.ID)
		}
		if len(ids) == 0 {
			return n, nil
		}
		if err := store.Complete(ctx, lease, ids, id.Position, false); err != nil {
			return n, err
		}
		n += int64(len(ids))
	}
}

// capturedIDs are rows that are a connector's to publish.
func capturedIDs(ctx context.Context, store Store) ([]int64, error) {
	ways, ok := store.(WayStore)
	if !ok {
		return nil, nil
	}
	now, err := ways.Capture(ctx, "", asideLimit)
	if errors.Is(err, ErrNoCapture) {
		return nil, nil
	}
	return now.IDs, err
}
