// Package members is the worker group: who is there, by Kafka's group protocol. Who does what
// each works out for itself, with Assign.
package members

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pabal-dev/pabal/kafka"
)

// Config of a membership.
type Config struct {
	Kafka kafka.Config
	// Group is its full name.
	Group string
	// Topic exists; its partitions are given to nobody.
	Topic string
	// Self is unique, such as host:port.
	Self string
	// SessionTimeout after which a silent member is gone.
	SessionTimeout time.Duration
	// OnChange is told who is there, sorted; nil says that this worker is out of the group
	// and must do nothing.
	OnChange func([]string)
}

// Group is a membership, from Join to Leave.
type Group struct{ client *kafka.Member }

// rebalanceTimeout: members have nothing to finish first, because who takes a task over fences
// who had it.
const rebalanceTimeout = 10 * time.Second

// Join the group. OnChange is called when it has taken this worker in.
func Join(c Config) (*Group, error) {
	b := &balancer{c}
	client, err := kafka.NewMember(c.Kafka,
		kgo.ConsumerGroup(c.Group), kgo.ConsumeTopics(c.Topic), kgo.Balancers(b),
		kgo.SessionTimeout(c.SessionTimeout), kgo.HeartbeatInterval(c.SessionTimeout/10), kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.DisableAutoCommit(), kgo.DisableClientMetrics(),
		kgo.OnPartitionsLost(func(context.Context, *kgo.Client, map[string][]int32) { c.OnChange(nil) }))
	if err != nil {
		return nil, err
	}
	return &Group{client}, nil
}

// Leave lets the others take over at once. The context bounds the farewell.
func (g *Group) Leave(ctx context.Context) {
	g.client.Leave(ctx)
	g.client.Close()
}

// balancer hands every member the list of all.
type balancer struct{ c Config }

func (*balancer) ProtocolName() string { return "pabal-connect" }

func (*balancer) IsCooperative() bool { return false }

func (b *balancer) JoinGroupMetadata(topics []string, _ map[string][]int32, _ int32) []byte {
	m := kmsg.NewConsumerMemberMetadata()
	m.Topics = topics
	m.UserData, _ = json.Marshal(b.c.Self)
	return m.AppendTo(nil)
}

func (b *balancer) ParseSyncAssignment(assignment []byte) (map[string][]int32, error) {
	var m kmsg.ConsumerMemberAssignment
	if err := m.ReadFrom(assignment); err != nil {
		return nil, fmt.Errorf("the assignment of the worker group cannot be read: %w", err)
	}
	var all []string
	if err := json.Unmarshal(m.UserData, &all); err != nil {
		return nil, fmt.Errorf("the assignment of the worker group: %w", err)
	}
	b.c.OnChange(all)
	return map[string][]int32{}, nil
}

func (b *balancer) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	r := round{}
	for _, m := range members {
		var meta kmsg.ConsumerMemberMetadata
		var self string
		err := meta.ReadFrom(m.ProtocolMetadata)
		if err == nil {
			err = json.Unmarshal(meta.UserData, &self)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("what member %s of the worker group says cannot be read: %w", m.MemberID, err)
		}
		r.ids = append(r.ids, m.MemberID)
		r.all = append(r.all, self)
	}
	slices.Sort(r.all)
	r.all = slices.Compact(r.all)
	return r, map[string]struct{}{b.c.Topic: {}}, nil
}

// round is one rebalance, at the member that Kafka chose for it.
type round struct {
	ids []string
	all []string
}

func (r round) Balance(map[string]int32) kgo.IntoSyncAssignment {
	m := kmsg.NewConsumerMemberAssignment()
	m.UserData, _ = json.Marshal(r.all)
	text := m.AppendTo(nil)
	var out syncs
	for _, id := range r.ids {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = id, text
		out = append(out, a)
	}
	return out
}

type syncs []kmsg.SyncGroupRequestGroupAssignment

func (s syncs) IntoSyncAssignment() []kmsg.SyncGroupRequestGroupAssignment { return s }
