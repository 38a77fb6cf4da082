package entity

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// snapshotTimeout bounds the saving of one.
const snapshotTimeout = 30 * time.Second

// saveLater saves a snapshot beside the writing. It returns false where there is no
// room, or the entity's last one is still on its way.
func (h *Host[C, S, R]) saveLater(who identity, v version[S]) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.kill == nil || h.saving[who.pid] != nil || len(h.saving) >= h.cfg.SnapshotsAtOnce {
		return false
	}
	done := make(chan struct{})
	h.saving[who.pid] = done
	h.work.Go(func() {
		defer close(done)
		err := h.save(who, v)
		h.mu.Lock()
		delete(h.saving, who.pid)
		h.mu.Unlock()
		if err != nil {
			h.counts.snapshotsFailed.Add(1)
			h.quiet.Log(h.log, slog.LevelWarn, "a snapshot was not saved; recovery will read more events",
				"persistence_id", who.pid, "sequence_nr", v.seqNr, "error", err)
			return
		}
		h.counts.snapshots.Add(1)
	})
	return true
}

func (h *Host[C, S, R]) save(who identity, v version[S]) error {
	s, err := guard("the registry", func() (journal.Snapshot, error) { return h.b.snapshot(who, v) })
	if err != nil {
		return fmt.Errorf("encoding the state: %w", err)
	}
	s.Time = h.now().Truncate(time.Millisecond)
	ctx, cancel := context.WithTimeout(h.hard, snapshotTimeout)
	defer cancel()
	return h.store.SaveSnapshot(ctx, s)
}

// saved waits until no snapshot of the entity is on its way.
func (h *Host[C, S, R]) saved(ctx context.Context, who identity) error {
	h.mu.Lock()
	done := h.saving[who.pid]
	h.mu.Unlock()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
