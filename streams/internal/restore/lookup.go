package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// Bounds of one lookup, and how often what the group committed is looked at for the
// standbys of sourced stores.
const (
	lookupTimeout = 15 * time.Second
	limitEvery    = time.Second
)

// lookUp finds out, for jobs that need it, who leads their partitions and where those
// begin and end.
func (r *Restorer) lookUp() {
	for {
		jobs := r.awaitUnknown()
		if jobs == nil {
			return
		}
		ctx, cancel := context.WithTimeout(r.ctx, lookupTimeout)
		found := r.ask(ctx, jobs)
		cancel()
		for _, j := range jobs {
			r.answer(j, found)
		}
	}
}

// awaitUnknown waits for jobs to be looked up; nil at the end.
func (r *Restorer) awaitUnknown() []*Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.ctx.Err() == nil {
		now, next := r.cfg.Clock(), time.Time{}
		var due []*Job
		for j := range r.jobs {
			switch {
			case j.ended || j.busy || j.known && j.lookAt.IsZero():
			case !j.lookAt.After(now):
				due = append(due, j)
			case next.IsZero() || j.lookAt.Before(next):
				next = j.lookAt
			}
		}
		if due != nil {
			return due
		}
		r.waitUntil(next)
	}
	return nil
}

// waitUntil waits for a change, at most until then where that is not zero.
func (r *Restorer) waitUntil(then time.Time) {
	if !then.IsZero() {
		timer := time.AfterFunc(max(then.Sub(r.cfg.Clock()), time.Millisecond), func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.changed.Broadcast()
		})
		defer timer.Stop()
	}
	r.changed.Wait()
}

// found is what brokers said.
type found struct {
	err        error
	partitions map[string]map[int32]kmsg.MetadataResponseTopicPartition
	topics     map[string]kmsg.MetadataResponseTopic
	starts     kadm.ListedOffsets
	ends       kadm.ListedOffsets
	committed  kadm.OffsetResponses
	keeps      map[string]time.Duration // see outdated; of topics for which it matters
}

func (r *Restorer) ask(ctx context.Context, jobs []*Job) (f found) {
	var topics []string
	sourced := false
	for _, j := range jobs {
		topics = append(topics, j.spec.Topic)
		sourced = sourced || j.sourced()
	}
	slices.Sort(topics)
	topics = slices.Compact(topics)
	if f.err = f.metadata(ctx, r, topics); f.err != nil {
		return f
	}
	if sourced { // before the end: what is committed then is below it
		f.committed, f.err = r.admin.FetchOffsets(kadm.RequireStable(ctx), r.cfg.Group)
		if f.err != nil {
			f.err = fmt.Errorf("what group %s committed: %w", r.cfg.Group, f.err)
			return f
		}
	}
	if f.starts, f.err = r.admin.ListStartOffsets(ctx, topics...); f.err != nil {
		return f
	}
	if f.ends, f.err = r.admin.ListEndOffsets(ctx, topics...); f.err != nil {
		return f
	}
	f.keeps, f.err = r.askKeeps(ctx, r.lagging(jobs, f.ends))
	return f
}

// metadata is asked of a broker: the client's memory may be old.
func (f *found) metadata(ctx context.Context, r *Restorer, topics []string) error {
	req := kmsg.NewPtrMetadataRequest()
	for _, t := range topics {
		one := kmsg.NewMetadataRequestTopic()
		one.Topic = kmsg.StringPtr(t)
		req.Topics = append(req.Topics, one)
	}
	resp, err := req.RequestWith(ctx, r.client)
	if err != nil {
		return fmt.Errorf("metadata of changelogs: %w", err)
	}
	f.topics = map[string]kmsg.MetadataResponseTopic{}
	f.partitions = map[string]map[int32]kmsg.MetadataResponseTopicPartition{}
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		f.topics[*t.Topic] = t
		of := map[int32]kmsg.MetadataResponseTopicPartition{}
		for _, p := range t.Partitions {
			of[p.Partition] = p
		}
		f.partitions[*t.Topic] = of
	}
	return nil
}

// place is what is known of one changelog partition.
type place struct {
	leader     int32
	topic      local.TopicID
	start, end int64
	committed  int64         // -1: nothing
	keeps      time.Duration // how long deletions are found in it; -1 has no bound
}

func (f *found) place(j *Job) (p place, err error) {
	if f.err != nil {
		return p, f.err
	}
	topic, partition := j.spec.Topic, j.spec.Partition
	t := f.topics[topic]
	if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
		return p, fmt.Errorf("changelog %s: %w", topic, err)
	}
	meta, ok := f.partitions[topic][partition]
	if !ok {
		return p, fmt.Errorf("changelog %s has no partition %d", topic, partition)
	}
	if err := kerr.ErrorForCode(meta.ErrorCode); err != nil && !errors.Is(err, kerr.ReplicaNotAvailable) {
		return p, fmt.Errorf("changelog %s/%d: %w", topic, partition, err)
	}
	start, okStart := f.starts.Lookup(topic, partition)
	end, okEnd := f.ends.Lookup(topic, partition)
	if err := errors.Join(start.Err, end.Err); err != nil || !okStart || !okEnd {
		return p, fmt.Errorf("offsets of changelog %s/%d: %w", topic, partition, errors.Join(err, kerr.UnknownTopicOrPartition))
	}
	p = place{leader: meta.Leader, topic: t.TopicID, start: start.Offset, end: end.Offset, committed: -1, keeps: -1}
	if keeps, ok := f.keeps[topic]; ok {
		p.keeps = keeps
	}
	if at, ok := f.committed.Lookup(topic, partition); ok && at.Err == nil {
		p.committed = at.At
	} else if ok {
		return p, fmt.Errorf("what group %s committed of %s/%d: %w", j.of.cfg.Group, topic, partition, at.Err)
	}
	return p, nil
}

// answer gives a job what was found, and has it fetched.
func (r *Restorer) answer(j *Job, f found) {
	p, err := f.place(j)
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.changed.Broadcast()
	switch {
	case j.ended || r.ctx.Err() != nil:
	case err != nil:
		j.lookAt = j.stumble(err)
	case j.busy: // it may be restarted by what is being applied
	default:
		if why := j.misfit(p); why != "" {
			j.clear(why)
			return
		}
		j.know(p)
	}
}

// misfit says why the space cannot be what this changelog's records made of it.
func (j *Job) misfit(p place) string {
	at, ok := j.spec.Space.Offset()
	mark := j.spec.Space.Mark()
	unknown := local.TopicID{}
	switch {
	case mark.Topic != unknown && p.topic != unknown && mark.Topic != p.topic:
		return "the changelog was deleted and made anew"
	case ok && at > p.end:
		return fmt.Sprintf("the store has changes up to offset %d, the changelog ends at %d", at, p.end)
	case ok && at < p.start:
		return fmt.Sprintf("the store has changes up to offset %d, the changelog begins at %d", at, p.start)
	}
	if ok && !j.vetted {
		return j.outdated(at, p)
	}
	return ""
}

// clear empties the space and begins again.
func (j *Job) clear(why string) {
	j.log().Warn("the store is cleared and restored from the beginning", "reason", why)
	if err := j.spec.Space.Clear(); err != nil {
		if errors.Is(err, local.ErrClosed) {
			j.finish(err)
			return
		}
		j.known, j.lookAt = false, j.stumble(fmt.Errorf("clearing the store: %w", err))
		return
	}
	j.topic, j.vetted = local.TopicID{}, false
	j.restart()
}

// know takes what was found.
func (j *Job) know(p place) {
	j.goOn()
	if _, ok := j.spec.Space.Offset(); !ok && j.next < p.start { // it has begun to be deleted meanwhile
		j.next = -1
	}
	if j.next < 0 {
		at, ok := j.spec.Space.Offset()
		if !ok {
			at = p.start
		}
		j.begin, j.next, j.fetchAt = at, at, at
	}
	j.leader, j.topic, j.known, j.lookAt = p.leader, p.topic, true, time.Time{}
	j.vetted, j.heard = true, j.of.cfg.Clock()
	if p.topic != (local.TopicID{}) {
		j.spec.Space.Follow(p.topic)
	}
	j.end, j.limit = p.end, max(p.committed, p.start)
	if j.target < 0 {
		if j.target = j.end; j.sourced() {
			j.target = j.limit
		}
	}
	if j.sourced() && j.mode == Standby {
		j.lookAt = j.of.cfg.Clock().Add(limitEvery)
	}
	j.of.fetchFrom(j.leader)
	j.of.schedule(j)
	j.arrive()
}
