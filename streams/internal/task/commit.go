package task

import (
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// NeedsCommit says that something happened since the last commit.
func (t *Task) NeedsCommit() bool { return t.touched }

// CommitRequested says that a node asked for a commit.
func (t *Task) CommitRequested() bool { return t.requested }

// Dirty estimates the bytes of changes in stores.
func (t *Task) Dirty() int64 {
	var n int64
	for _, s := range t.stores {
		n += s.state.Dirty()
	}
	return n
}

// Prepare sends what record caches keep back down the topology, and then every store's
// changes to its changelog. What it produces belongs to the commit. An error is as of Process.
func (t *Task) Prepare() error {
	if t.failed != nil {
		return t.failed
	}
	t.tick()
	for _, s := range t.stores {
		if err := t.guard(s.state.Flush); err != nil {
			return t.fail(fmt.Errorf("flushing %s: %w", s.plan.Name, err))
		}
	}
	for _, s := range t.stores {
		if err := t.guard(s.state.Log); err != nil {
			return t.fail(fmt.Errorf("logging %s: %w", s.plan.Name, err))
		}
	}
	return nil
}

func (t *Task) fail(err error) error {
	t.failed = err
	return err
}

// Offsets are the positions that moved since the last commit, and all of them where their
// metadata changed, or where something was done without a record: whose task it no longer is
// is refused by them.
func (t *Task) Offsets() []Offset {
	t.gather()
	kept, left := t.remembered.fitting()
	if len(left) > 0 && !t.saidLeft {
		t.saidLeft = true
		t.cfg.Logger.Warn("streams: a sub-topology has more windows that are emitted when they close than a commit can name; after a restart these emit again what is closed and still stored: divide the sub-topology, with Repartition",
			"stores", left)
	}
	all := t.touched && !slices.ContainsFunc(t.queues, t.moved)
	var out []Offset
	for _, q := range t.queues {
		if q.position < 0 || !all && !t.moved(q) {
			continue
		}
		m := metadata{time: q.partitionTime, values: kept.values}
		out = append(out, Offset{Topic: q.topic, Partition: q.partition, At: q.position, LeaderEpoch: q.epoch, Metadata: m.encode()})
	}
	return out
}

// moved: the position of q is to be committed.
func (t *Task) moved(q *queue) bool {
	return q.position >= 0 && (q.position != q.committed || t.forward)
}

// Produced tells that a record was acknowledged, with its offset. Only the changelogs' are of
// interest. It is safe for use by many goroutines.
func (t *Task) Produced(rec *kgo.Record) {
	if s := t.logs[rec.Topic]; s != nil {
		s.acked.raise(rec.Offset + 1)
	}
}

// Apply puts the changes of all stores into b with the offsets of their changelogs, after the
// transaction has ended. The caller commits b; where that fails the task can only be
// closed and its stores restored.
func (t *Task) Apply(b local.Batch) error {
	for _, s := range t.stores {
		if err := t.guard(func() error { return s.state.Apply(b) }); err != nil {
			return t.fail(fmt.Errorf("applying %s: %w", s.plan.Name, err))
		}
		if next := s.contained(); next > s.applied {
			b.SetOffset(s.space, next)
			s.applied = next
		}
		t.noteAsOf(b, s)
	}
	return nil
}

// asOfEvery is how often at most it is noted of a store that it has all of its changelog.
const asOfEvery = time.Minute

// noteAsOf: a store has all of its changelog, because nobody else writes that. It is noted only
// where positions were committed: whose task it no longer is could not do that.
func (t *Task) noteAsOf(b local.Batch, s *store) {
	behind := s.source != nil && (s.source.end < 0 || s.source.position < s.source.end)
	now := time.UnixMilli(t.now)
	if !behind && t.cfg.Names.Changelog(s.plan) != "" && now.Sub(s.space.Mark().AsOf) >= asOfEvery && slices.ContainsFunc(t.queues, t.moved) {
		b.SetAsOf(s.space, now)
	}
}

// contained is the changelog's offset up to which the store's contents go.
func (s *store) contained() int64 {
	if s.source != nil {
		return s.source.position
	}
	return s.acked.Load()
}

// Committed tells that the positions of Offsets are committed and the changes applied.
func (t *Task) Committed() {
	for _, q := range t.queues {
		q.committed = q.position
	}
	t.touched, t.requested, t.forward = false, false, false
}

// Discard forgets the changes of all stores, after an aborted transaction. The records they
// came from are no longer queued and nodes may remember them: close the task and make a new one.
func (t *Task) Discard() {
	for _, s := range t.stores {
		s.state.Discard()
		s.acked.Store(s.applied)
	}
	if t.failed == nil {
		t.failed = errDiscarded
	}
}
