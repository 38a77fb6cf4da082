package assign

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Protocol is the name of the assignment's protocol, as tools show it.
const Protocol = "pabal-streams"

// Balancer is a kgo.GroupBalancer, for one client. Partitions change hands cooperatively: one
// that moves is given away only after its owner has revoked it.
type Balancer struct {
	c Config

	mu    sync.Mutex
	joins uint64
	last  *Assignment // that this member got; nil before the first
}

// New makes a Balancer.
func New(c Config) *Balancer {
	if c.EndsTimeout <= 0 {
		c.EndsTimeout = 10 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &Balancer{c: c}
}

// ProtocolName is Protocol.
func (b *Balancer) ProtocolName() string { return Protocol }

// IsCooperative is true.
func (b *Balancer) IsCooperative() bool { return true }

// JoinGroupMetadata is what consumers of any kind say, with the Subscription as user data.
func (b *Balancer) JoinGroupMetadata(topics []string, owned map[string][]int32, generation int32) []byte {
	b.mu.Lock()
	b.joins++
	joins, last := b.joins, b.last
	b.mu.Unlock()
	m := kmsg.NewConsumerMemberMetadata()
	m.Version, m.Topics, m.Generation = 3, topics, generation
	for _, topic := range slices.Sorted(maps.Keys(owned)) {
		p := kmsg.NewConsumerMemberMetadataOwnedPartition()
		p.Topic, p.Partitions = topic, owned[topic]
		m.OwnedPartitions = append(m.OwnedPartitions, p)
	}
	s := b.c.Subscription()
	s.Static = last.static()
	m.UserData = s.encode(joins)
	return m.AppendTo(nil)
}

// ParseSyncAssignment hands the assignment to Config.OnAssignment.
func (b *Balancer) ParseSyncAssignment(assignment []byte) (map[string][]int32, error) {
	var m kmsg.ConsumerMemberAssignment
	if err := m.ReadFrom(assignment); err != nil {
		return nil, fmt.Errorf("the assignment of the group cannot be read: %w", err)
	}
	a, err := decodeAssignment(m.UserData)
	if err != nil {
		return nil, fmt.Errorf("the assignment of the group: %w", err)
	}
	out := map[string][]int32{}
	for _, t := range m.Topics {
		out[t.Topic] = t.Partitions
	}
	b.mu.Lock()
	b.last = &a
	b.mu.Unlock()
	b.c.OnAssignment(a)
	return out, nil
}

// MemberBalancer reads what the members say.
func (b *Balancer) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &round{b: b, last: b.last}
	topics := map[string]struct{}{}
	for _, m := range members {
		c, err := readMember(m)
		if err != nil {
			return nil, nil, err
		}
		for topic := range c.topics {
			topics[topic] = struct{}{}
		}
		r.members = append(r.members, c)
	}
	return r, topics, nil
}

// candidate is a member as it describes itself.
type candidate struct {
	id, instance string
	generation   int32
	topics       map[string]bool
	owned        map[TopicPartition]bool
	away         bool // a static member that did not join this time
	Subscription
}

func readMember(m kmsg.JoinGroupResponseMember) (*candidate, error) {
	meta := kmsg.NewConsumerMemberMetadata()
	if err := meta.ReadFrom(m.ProtocolMetadata); err != nil {
		return nil, fmt.Errorf("what member %s says cannot be read: %w", m.MemberID, err)
	}
	c := &candidate{id: m.MemberID, generation: meta.Generation, topics: map[string]bool{}, owned: map[TopicPartition]bool{}}
	if m.InstanceID != nil {
		c.instance = *m.InstanceID
	}
	var err error
	if c.Subscription, err = decodeSubscription(meta.UserData); err != nil {
		return nil, fmt.Errorf("what member %s (instance %q) says: %w", m.MemberID, c.instance, err)
	}
	for _, topic := range meta.Topics {
		c.topics[topic] = true
	}
	for _, o := range meta.OwnedPartitions {
		for _, p := range o.Partitions {
			c.owned[TopicPartition{o.Topic, p}] = true
		}
	}
	return c, nil
}

// round is one rebalance, at the leader.
type round struct {
	b       *Balancer
	last    *Assignment // the leader's own, which has everybody's
	info    kgo.BalanceInfo
	members []*candidate
	hosts   []Host // of the newest assignment that is known
	tasks   []Definition
}

// SetBalanceInfo is called before BalanceOrError.
func (r *round) SetBalanceInfo(info kgo.BalanceInfo) { r.info = info }

// Balance is not called, because there is BalanceOrError.
func (r *round) Balance(map[string]int32) kgo.IntoSyncAssignment { return syncs(nil) }

// BalanceOrError decides.
func (r *round) BalanceOrError(partitions map[string]int32) (kgo.IntoSyncAssignment, error) {
	tasks, err := r.b.c.Layout(partitions)
	if err != nil {
		return nil, fmt.Errorf("work out the tasks: %w", err)
	}
	r.tasks = tasks
	r.recall()
	r.dropStaleClaims()
	in := r.input(r.ends())
	result := Assign(in)
	return r.hand(in, result), nil
}

// ends of the changelogs; nil where they are not to be had.
func (r *round) ends() map[TaskID]int64 {
	if !slices.ContainsFunc(r.tasks, func(d Definition) bool { return d.Stateful }) {
		return map[TaskID]int64{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.b.c.EndsTimeout)
	defer cancel()
	ends, err := r.b.c.Ends(ctx)
	if err == nil && ends == nil {
		err = errors.New("none are known")
	}
	if err != nil {
		r.b.c.Logger.Warn("streams: the ends of changelogs are not known; tasks stay where they were, and it is looked again later", "error", err)
		return nil
	}
	return ends
}

type syncs []kmsg.SyncGroupRequestGroupAssignment

// IntoSyncAssignment is itself.
func (s syncs) IntoSyncAssignment() []kmsg.SyncGroupRequestGroupAssignment { return s }
