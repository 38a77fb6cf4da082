package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// commit makes a group without members.
func (e *env) commit(group, topic string, offsets ...int64) {
	e.t.Helper()
	o := kadm.Offsets{}
	for p, at := range offsets {
		o.AddOffset(topic, int32(p), at, -1)
	}
	if err := e.admin.CommitAllOffsets(e.t.Context(), group, o); err != nil {
		e.t.Fatal(err)
	}
}

// join has a member of a group, until the test ends, and waits for its partitions.
func (e *env) join(group, topic string) {
	e.t.Helper()
	assigned := make(chan struct{}, 10)
	c, err := kafka.NewClient(e.kafka, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(), kgo.ClientID("the-member"),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, _ map[string][]int32) { assigned <- struct{}{} }))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(c.Close)
	<-assigned
}

func groupsAreListed(t *testing.T, e *env) {
	topic := e.topic("read", 2)
	spread(e, topic, 2, 10)
	a, b, c := e.kafka.Group("a"), e.kafka.Group("b"), e.kafka.Group("c")
	e.commit(a, topic, 2, 4)
	e.commit(b, topic, 5)
	e.join(c, topic)
	var p api.Page[api.GroupSummary]
	testenv.Wait(t, "the groups to be listed", patience, func() bool {
		var err error
		if p, err = e.cluster.Groups(t.Context(), api.PageQuery{Search: e.kafka.Prefix}); err != nil {
			t.Fatal(err)
		}
		return len(p.Items) == 3 && p.Items[2].State == "Stable"
	})
	for i, want := range []api.GroupSummary{
		{Name: a, State: "Empty", Topics: []string{topic}, Lag: 4},
		{Name: b, State: "Empty", Topics: []string{topic}, Lag: 0},
		{Name: c, State: "Stable", Topics: []string{topic}, Lag: -1, Members: 1},
	} {
		if got := p.Items[i]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	one, err := e.cluster.Groups(t.Context(), api.PageQuery{Search: e.kafka.Prefix, Limit: 1, Cursor: a})
	if err != nil || len(one.Items) != 1 || one.Items[0].Name != b || one.Next != b || one.Total != 3 {
		t.Errorf("got %+v, %v", one, err)
	}
	g, err := e.cluster.Group(t.Context(), c)
	if err != nil || len(g.MemberList) != 1 || g.MemberList[0].ClientID != "the-member" || strings.Join(g.MemberList[0].Assigned, " ") != topic+"/0 "+topic+"/1" {
		t.Errorf("got %+v, %v", g, err)
	}
	g, err = e.cluster.Group(t.Context(), a)
	if err != nil || len(g.Offsets) != 2 || g.Offsets[0] != (api.GroupOffset{Topic: topic, Committed: 2, End: 5, Lag: 3, Truth: "kafka"}) {
		t.Errorf("got %+v, %v", g, err)
	}
	if _, err := e.cluster.Group(t.Context(), e.kafka.Group("none")); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func groupIsReset(t *testing.T, e *env) {
	topic := e.topic("moved", 2)
	spread(e, topic, 2, 10)
	group := e.kafka.Group("mover")
	for _, tt := range []struct {
		to, moves, warning string
	}{
		{"earliest", "3>0 5>0", "8 messages come again"},
		{"latest", "3>5 5>5", "2 messages are skipped"},
		{"offset:4", "3>4 5>4", "come again"},
		{"offset:7", "3>5 5>5", "past the end of partition 0"},
		{"time:2026-03-01T12:06:00Z", "3>3 5>3", "2 messages come again"},
		{"time:2030-01-01T00:00:00Z", "3>5 5>5", "in 2 of 2 partitions no message"},
	} {
		e.commit(group, topic, 3, 5)
		waitListed(t, e, group)
		for _, dry := range []bool{true, false} {
			p, err := e.cluster.Reset(admin(t), api.ResetRequest{Group: group, Topic: topic, To: tt.to, DryRun: dry})
			if err != nil {
				t.Fatalf("%s: %v", tt.to, err)
			}
			var moves, want []string
			for _, m := range p.Moves {
				moves = append(moves, fmt.Sprintf("%d>%d%s", m.From, m.To, m.Problem))
			}
			if strings.Join(moves, " ") != tt.moves || !strings.Contains(p.Warning, tt.warning) || p.Replay || p.DryRun != dry {
				t.Errorf("%s: got %+v", tt.to, p)
			}
			g, err := e.cluster.Group(t.Context(), group)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range g.Offsets {
				want = append(want, fmt.Sprint(o.Committed))
			}
			after := strings.Join(want, " ")
			if moved := after == fmt.Sprintf("%d %d", p.Moves[0].To, p.Moves[1].To); moved == dry && tt.moves != "3>3 5>5" {
				t.Errorf("%s, dry %v: it stands at %s", tt.to, dry, after)
			}
		}
	}
	one, err := e.cluster.Reset(admin(t), api.ResetRequest{Group: group, Topic: topic, To: "earliest", Partition: ptr(int32(1))})
	if err != nil || len(one.Moves) != 1 || one.Moves[0].Partition != 1 {
		t.Errorf("one partition: %+v, %v", one, err)
	}
	for _, tt := range []struct {
		r    api.ResetRequest
		kind error
	}{
		{api.ResetRequest{Group: e.kafka.Group("none"), Topic: topic, To: "earliest"}, api.ErrNotFound},
		{api.ResetRequest{Group: group, Topic: e.kafka.Topic("none"), To: "earliest"}, api.ErrNotFound},
		{api.ResetRequest{Group: group, Topic: topic, To: "earliest", Partition: ptr(int32(9))}, api.ErrNotFound},
		{api.ResetRequest{Group: group, Topic: topic, To: ""}, api.ErrInvalid},
		{api.ResetRequest{Group: group, Topic: topic, To: "offset:-3"}, api.ErrInvalid},
	} {
		if _, err := e.cluster.Reset(admin(t), tt.r); !errors.Is(err, tt.kind) {
			t.Errorf("%+v: got %v, want %v", tt.r, err, tt.kind)
		}
	}
}

func waitListed(t *testing.T, e *env, group string) {
	t.Helper()
	testenv.Wait(t, "the group to be listed", patience, func() bool {
		_, err := e.cluster.Group(t.Context(), group)
		return err == nil
	})
}

func busyGroupIsNotReset(t *testing.T, e *env) {
	topic := e.topic("busy", 1)
	group := e.kafka.Group("worker")
	e.join(group, topic)
	waitListed(t, e, group)
	_, err := e.cluster.Reset(admin(t), api.ResetRequest{Group: group, Topic: topic, To: "earliest"})
	if !errors.Is(err, api.ErrConflict) || !strings.Contains(err.Error(), "the-member") {
		t.Errorf("got %v", err)
	}
}
