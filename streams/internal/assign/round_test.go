package assign

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// said is a member's join.
type said struct {
	id, instance string
	generation   int32
	owned        []int32 // partitions of topic "t"
	topics       []string
	Subscription
}

func (s said) join() kmsg.JoinGroupResponseMember {
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version, meta.Generation, meta.Topics = 3, s.generation, s.topics
	if meta.Topics == nil {
		meta.Topics = []string{"t"}
	}
	p := kmsg.NewConsumerMemberMetadataOwnedPartition()
	p.Topic, p.Partitions = "t", s.owned
	meta.OwnedPartitions = append(meta.OwnedPartitions, p)
	s.Process = s.id
	meta.UserData = s.encode(1)
	m := kmsg.NewJoinGroupResponseMember()
	m.MemberID, m.ProtocolMetadata = s.id, meta.AppendTo(nil)
	if s.instance != "" {
		m.InstanceID = &s.instance
	}
	return m
}

// decided is what members get in generation 5, when the leader's last assignment was that.
func decided(t *testing.T, last *Assignment, partitions int32, members ...said) map[string]Assignment {
	t.Helper()
	b := New(Config{
		Layout: func(map[string]int32) (out []Definition, err error) {
			for p := range partitions {
				out = append(out, Definition{ID: id(0, p), Inputs: []TopicPartition{{Topic: "t", Partition: p}}})
			}
			return out, nil
		},
		Ends:          func(context.Context) (map[TaskID]int64, error) { return map[TaskID]int64{}, nil },
		ProbeInterval: time.Minute, Logger: slog.New(slog.DiscardHandler),
	})
	b.last = last
	var joins []kmsg.JoinGroupResponseMember
	for _, m := range members {
		joins = append(joins, m.join())
	}
	mb, _, err := b.MemberBalancer(joins)
	if err != nil {
		t.Fatal(err)
	}
	mb.(kgo.GroupMemberBalancerInfo).SetBalanceInfo(kgo.BalanceInfo{Generation: 5, LeaderID: members[0].id})
	plan, err := mb.(kgo.GroupMemberBalancerOrError).BalanceOrError(map[string]int32{"t": partitions})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Assignment{}
	for _, s := range plan.IntoSyncAssignment() {
		var m kmsg.ConsumerMemberAssignment
		if err := m.ReadFrom(s.MemberAssignment); err != nil {
			t.Fatal(err)
		}
		a, err := decodeAssignment(m.UserData)
		if err != nil {
			t.Fatal(err)
		}
		var given []TaskID
		for _, topic := range m.Topics {
			for _, p := range topic.Partitions {
				given = append(given, id(0, p))
			}
		}
		if !slices.Equal(given, a.Active) {
			t.Errorf("%s got partitions %v and tasks %v", s.MemberID, given, a.Active)
		}
		out[s.MemberID] = a
	}
	return out
}

func ids(partitions ...int32) (out []TaskID) {
	for _, p := range partitions {
		out = append(out, id(0, p))
	}
	return out
}

func TestRound(t *testing.T) {
	hosts := &Assignment{Hosts: []Host{
		{Member: "a", Active: ids(0, 1)},
		{Member: "s-old", Instance: "s", Active: ids(2, 3)},
	}}
	unequal := &Assignment{Hosts: []Host{{Member: "a", Active: ids(0)}, {Member: "b", Active: ids(1, 2)}, {Member: "c", Active: ids(3)}}}
	for name, c := range map[string]struct {
		last    *Assignment
		members []said
		want    string // active/pending of each
		probe   bool
	}{
		"moved only when revoked": {nil, []said{{id: "a", generation: 4, owned: []int32{0, 1, 2, 3}}, {id: "b", generation: -1}},
			"a [{0 2} {0 3}]/[] b []/[{0 0} {0 1}]", false},
		"free ones at once": {nil, []said{{id: "a", generation: 4, owned: []int32{2, 3}}, {id: "b", generation: 4}},
			"a [{0 2} {0 3}]/[] b [{0 0} {0 1}]/[]", false},
		"an older claim does not count": {nil, []said{{id: "a", generation: 4, owned: []int32{0, 1}}, {id: "b", generation: 2, owned: []int32{0, 1, 2, 3}}},
			"a [{0 0} {0 1}]/[] b [{0 2} {0 3}]/[]", false},
		"who is away keeps what it had, and gets nothing": {hosts,
			[]said{{id: "a", generation: 4, owned: []int32{0, 1}}, {id: "s-old", instance: "s", generation: -1}, {id: "c", generation: -1}},
			"a [{0 1}]/[] c []/[{0 0}] s-old [{0 2} {0 3}]/[]", true},
		"a new leader asks the others who is away": {nil,
			[]said{{id: "c", generation: -1}, {id: "a", generation: 4, owned: []int32{0, 1}, Subscription: Subscription{Static: hosts.static()}},
				{id: "s-old", instance: "s", generation: -1}},
			"a [{0 1}]/[] c []/[{0 0}] s-old [{0 2} {0 3}]/[]", true},
		"a leader that was away itself does, too": {&Assignment{Hosts: []Host{{Member: "s-old", Instance: "s", Active: ids(0, 1)}}},
			[]said{{id: "c", generation: 2}, {id: "a", generation: 4, owned: []int32{0, 1}, Subscription: Subscription{Static: hosts.static()}},
				{id: "s-old", instance: "s", generation: -1}},
			"a [{0 1}]/[] c []/[{0 0}] s-old [{0 2} {0 3}]/[]", true},
		"who is back as another member gets it again": {hosts,
			[]said{{id: "a", generation: 4, owned: []int32{0, 1}}, {id: "s-new", instance: "s", generation: -1}},
			"a [{0 0} {0 1}]/[] s-new [{0 2} {0 3}]/[]", false},
		"who did not learn what it got gets that": {unequal,
			[]said{{id: "a", generation: 4, owned: []int32{0}}, {id: "b", generation: 4}, {id: "c", generation: 4}},
			"a [{0 0}]/[] b [{0 1} {0 2}]/[] c [{0 3}]/[]", false},
		"who does not read the topic gets none": {nil,
			[]said{{id: "a", generation: 4, topics: []string{"u"}}, {id: "b", generation: 4}}, "a []/[] b [{0 0} {0 1} {0 2} {0 3}]/[]", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := decided(t, c.last, 4, c.members...)
			text := ""
			for _, m := range slices.Sorted(func(yield func(string) bool) {
				for m := range got {
					if !yield(m) {
						return
					}
				}
			}) {
				text += fmt.Sprintf(" %s %v/%v", m, got[m].Active, got[m].Pending)
			}
			if text != " "+c.want {
				t.Errorf("got%s, want %s", text, c.want)
			}
			if probe := got[c.members[0].id].Probe; (probe > 0) != c.probe {
				t.Errorf("the leader probes after %s", probe)
			}
		})
	}
}
