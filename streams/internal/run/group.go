package run

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// group is this process as a member of the application's consumer group.
type group struct {
	r        *Runtime
	client   *kafka.Member
	instance *string
	// session changes when the group has given this process up: what was done before cannot be
	// committed by whom it is from then on.
	session atomic.Int64
}

// rebalanceTimeout is how long the group waits for a member that hands tasks over; that
// takes a commit.
const rebalanceTimeout = 60 * time.Second

// handOver bounds the commit of tasks that are revoked: shorter, or the others do not wait
// for its end.
const handOver = rebalanceTimeout * 3 / 4

// fetchWait is how long a fetch waits for records. A partition that goes on after it was
// paused is part of the next fetch only: where the others have nothing, as tables often do, it
// waits for as long. An idle process asks 40 times a second.
const fetchWait = 25 * time.Millisecond

func newGroup(r *Runtime) (*group, error) {
	g := &group{r: r}
	// As many fetches as fit at once; more brokers take turns.
	const fetches = 4
	fetch := int32(min(r.budget.fetch/fetches, 32<<20))
	opts := []kgo.Opt{
		kgo.ConsumerGroup(r.cfg.group()),
		kgo.ConsumeTopics(r.layout().sourceTopics()...),
		kgo.Balancers(r.assignments.balancer),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // their offsets count
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchMaxBytes(fetch),
		kgo.FetchMaxPartitionBytes(min(fetch, 1<<20)),
		kgo.MaxConcurrentFetches(fetches),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AdjustFetchOffsetsFn(g.begin),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(g.assigned),
		kgo.OnPartitionsRevoked(g.revoked),
		kgo.OnPartitionsLost(g.lost),
		kgo.SessionTimeout(r.cfg.SessionTimeout),
		kgo.HeartbeatInterval(r.cfg.HeartbeatInterval),
		kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.MaxVersions(pinned()),
		kgo.MetadataMaxAge(time.Minute),
		kgo.MetadataMinAge(500 * time.Millisecond),
		kgo.DisableClientMetrics(),
	}
	if r.cfg.InstanceID != "" {
		g.instance = &r.cfg.InstanceID
		opts = append(opts, kgo.InstanceID(r.cfg.InstanceID))
	}
	var err error
	if g.client, err = kafka.NewMember(r.cfg.Kafka, opts...); err != nil {
		return nil, err
	}
	return g, nil
}

// The farewell is bounded; who has not left is missed after the session timeout.
const (
	leaveTimeout = 10 * time.Second
	leaveInHaste = time.Second // of who is to stop at once
)

// leave the group, as a static member for this process only.
func (g *group) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveInHaste)
	if g.r.life.Err() == nil {
		cancel()
		ctx, cancel = context.WithTimeout(g.r.life, leaveTimeout)
	}
	defer cancel()
	g.client.Leave(ctx)
}

// membership as of now, for what was done in a session.
func (g *group) membership(session int64) (membership, error) {
	id, generation := g.client.GroupMetadata()
	switch {
	case g.session.Load() != session:
		return membership{}, fmt.Errorf("%w: the group had given this process up", errFenced)
	case id == "" || generation < 0:
		return membership{}, again{errors.New("the process is no member of the group at the moment")}
	}
	return membership{group: g.r.cfg.group(), id: id, generation: generation, instance: g.instance}, nil
}

// checkInstance: a static member whose id somebody else has taken must not fence that one's
// producers.
func (g *group) checkInstance(ctx context.Context) error {
	id, generation := g.client.GroupMetadata()
	if g.instance == nil || id == "" || generation < 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation, req.InstanceID = g.r.cfg.group(), id, generation, g.instance
	resp, err := req.RequestWith(ctx, g.client)
	if err != nil {
		return err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); errors.Is(err, kerr.FencedInstanceID) {
		g.fenced(err)
		return err
	}
	return nil // the client sees to the rest
}

// fenced ends the process's part: another one has its InstanceID.
func (g *group) fenced(err error) {
	g.r.fatal(fmt.Errorf("another process runs as instance %q of application %q: each needs its own InstanceID: %w",
		g.r.cfg.InstanceID, g.r.cfg.ApplicationID, err))
}

// pause stops what is not paused yet, also as the client's first step with a partition.
func (g *group) pause(inputs []*input) {
	parts := map[string][]int32{}
	for _, in := range inputs {
		parts[in.topic] = append(parts[in.topic], in.partition)
	}
	g.client.PauseFetchPartitions(parts)
}

// begin gives partitions of which nothing is committed an exact offset, at which nobody reads: they
// are paused until their task says where to begin, see reader.rewind. The client would not take
// that for one whose beginning it has to look up itself.
func (g *group) begin(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	for _, parts := range offsets {
		for p, o := range parts {
			if o.EpochOffset().Offset < 0 {
				parts[p] = kgo.NewOffset().At(0)
			}
		}
	}
	return offsets, nil
}

// assigned, revoked and lost are called by the client, one at a time, and never between a
// poll and the routing of what it got.

func (g *group) assigned(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	g.r.growBy(parts)
	g.r.tasks.add(g.tasksOf(parts))
	g.r.assignments.follow()
	g.r.assigned()
}

// revoked hands tasks over: what they did is committed before others get them.
func (g *group) revoked(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	ids := g.tasksOf(parts)
	if len(ids) == 0 {
		return
	}
	g.r.states.set(Rebalancing)
	ctx, cancel := context.WithTimeout(g.r.life, handOver)
	defer cancel()
	g.r.tasks.remove(ctx, ids, true)
}

// lost: the group has given them to others already.
func (g *group) lost(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	g.session.Add(1)
	ids := g.tasksOf(parts)
	g.r.cfg.Logger.Warn("streams: the group gave this process up; its tasks begin anew elsewhere", "tasks", len(ids))
	g.r.states.set(Rebalancing)
	ctx, cancel := context.WithTimeout(g.r.life, handOver)
	defer cancel()
	g.r.tasks.remove(ctx, ids, false)
}

// tasksOf are the tasks whose inputs are among the partitions.
func (g *group) tasksOf(parts map[string][]int32) []plan.TaskID {
	seen := map[plan.TaskID]bool{}
	var out []plan.TaskID
	for topic, numbers := range parts {
		sub := g.r.layout().subOf[topic]
		if sub == nil {
			continue
		}
		for _, n := range numbers {
			id := plan.TaskID{Sub: sub.ID, Partition: n}
			if !seen[id] {
				seen[id] = true
				out = append(out, id)
			}
		}
	}
	return out
}
