package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/task"
)

// commitDue: the interval is over, or a node asks for it, or changes take too much memory.
func (w *worker) commitDue() bool {
	needed, requested := false, false
	var dirty int64
	for _, a := range w.tasks {
		if !a.NeedsCommit() {
			continue
		}
		needed = true
		requested = requested || a.CommitRequested()
		dirty += a.Dirty()
	}
	now := time.Now()
	switch {
	case !needed:
		w.began = time.Time{}
		return false
	case w.began.IsZero():
		w.began = now
	}
	return requested || now.Sub(w.committed) >= w.r.cfg.CommitInterval || overfull(dirty, w.r.mostDirty(), w.r.memory.Tight())
}

// overfull says that changes take too much memory. Where that is tight fewer do, but not any: what
// is tight for good, because of stores in memory, must not make a commit of every few records.
func overfull(dirty, most int64, tight bool) bool {
	return dirty > most || tight && dirty > most/16
}

// commit makes what the tasks did since the last one final: outputs, changelogs and
// offsets in one transaction, then the stores in one batch. After an error the tasks
// are to be closed: nobody knows how far it came.
func (w *worker) commit(ctx context.Context) error {
	if w.producer == nil {
		return nil // what it had is given up already
	}
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, w.r.commitTimeout())
	defer cancel()
	if err := w.prepare(ctx); err != nil {
		return err
	}
	offsets := w.offsets()
	var err error
	if w.r.cfg.ExactlyOnce {
		err = w.commitExactlyOnce(ctx, offsets)
	} else {
		err = w.commitAtLeastOnce(ctx, offsets)
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, a := range w.tasks {
		if a.Task != nil {
			a.Committed()
		}
	}
	w.committed, w.began, w.trouble = time.Now(), time.Time{}, backoff{}
	w.r.committed(offsets, time.Since(started))
	return w.r.fault(AfterApply)
}

// prepare sends what stores and caches hold back, until everything is with the brokers.
func (w *worker) prepare(ctx context.Context) error {
	if err := w.r.fault(BeforeFlush); err != nil {
		return err
	}
	for _, a := range w.tasks {
		if a.Task == nil {
			continue
		}
		if err := a.Prepare(); err != nil {
			return err
		}
	}
	return w.producer.flush(ctx)
}

// commitExactlyOnce: stores change after the transaction has ended, never before. A crash in
// between is made up for from the changelog.
func (w *worker) commitExactlyOnce(ctx context.Context, offsets map[topicPartition]position) error {
	if err := w.r.fault(BeforeOffsets); err != nil {
		return err
	}
	switch {
	case w.producer.wrote.Load() == nil: // nothing was produced, so nothing has to agree with the offsets
		if w.producer.open {
			if err := w.producer.end(ctx); err != nil {
				return err
			}
		}
		if err := w.commitOffsets(ctx, offsets); err != nil {
			return err
		}
	default:
		if len(offsets) > 0 {
			if err := commitInTransaction(ctx, w.producer, w.r.implicit, w.member, offsets); err != nil {
				return err
			}
		}
		if err := w.r.fault(BeforeEnd); err != nil {
			return err
		}
		if err := w.producer.end(ctx); err != nil {
			return err
		}
	}
	if err := w.r.fault(AfterEnd); err != nil {
		return err
	}
	return w.apply()
}

// commitAtLeastOnce: offsets come after all output, so that whatever is lost is processed again,
// and the stores last: whose task it no longer is cannot commit offsets, and must not take
// its late entry in the changelog for the end of what its store has.
func (w *worker) commitAtLeastOnce(ctx context.Context, offsets map[topicPartition]position) error {
	if err := w.producer.end(ctx); err != nil {
		return err
	}
	if err := w.r.fault(BeforeOffsets); err != nil {
		return err
	}
	if err := w.commitOffsets(ctx, offsets); err != nil {
		return err
	}
	if err := w.r.fault(AfterEnd); err != nil {
		return err
	}
	return w.apply()
}

func (w *worker) commitOffsets(ctx context.Context, offsets map[topicPartition]position) error {
	if len(offsets) == 0 {
		return nil
	}
	return commitPlainly(ctx, w.r.group.client.Client, w.member, offsets)
}

// member is who commits: the process as long as it was a member without a break.
func (w *worker) member() (membership, error) {
	session := w.r.group.session.Load()
	if o := w.r.tasks.lost(w.tasks, session); o != nil {
		return membership{}, fmt.Errorf("%w: task %s was given to others", errFenced, name(o.id))
	}
	return w.r.group.membership(session)
}

func (w *worker) apply() error {
	var failed error
	for _, a := range w.tasks {
		if a.Task == nil {
			continue
		}
		if err := a.Apply(w.batch); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		w.batch.Close() // half of it is in there
		w.batch = w.r.db.NewBatch()
		return failed
	}
	if err := w.batch.Commit(); err != nil {
		return fmt.Errorf("write the stores: %w", err)
	}
	return nil
}

func (w *worker) offsets() map[topicPartition]position {
	out := map[topicPartition]position{}
	for _, a := range w.tasks {
		if a.Task == nil {
			continue
		}
		for _, o := range a.Offsets() {
			out[topicPartition{o.Topic, o.Partition}] = position{offset: o.At, epoch: o.LeaderEpoch, metadata: o.Metadata}
		}
	}
	return out
}

// startOffsets are in the order of the inputs.
func startOffsets(inputs []*input, at map[topicPartition]position) []task.Offset {
	var out []task.Offset
	for _, in := range inputs {
		if p, ok := at[in.topicPartition]; ok {
			out = append(out, task.Offset{Topic: in.topic, Partition: in.partition, At: p.offset, LeaderEpoch: p.epoch, Metadata: p.metadata})
		}
	}
	return out
}
