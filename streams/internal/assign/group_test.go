package assign

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

const patience = 30 * time.Second

// team is a consumer group of members that do what was assigned, with stores that are
// numbers.
type team struct {
	t       *testing.T
	brokers []string
	group   string
	topics  [3]string // left, right, plain
	members []*mate
	tasks   []Definition
	static  bool
	probe   time.Duration

	mu      sync.Mutex
	owners  map[TopicPartition]string // of partitions, among all members
	ends    map[TaskID]int64
	endsErr error
}

// mate is one member.
type mate struct {
	team   *team
	name   string
	client *kgo.Client
	cancel context.CancelFunc
	done   chan struct{}

	// Guarded by team.mu.
	owned    map[TopicPartition]bool
	offsets  map[TaskID]int64
	last     *Assignment
	shutdown bool
}

// newTeam on a broker in process; newTeamOn another.
func newTeam(t *testing.T, partitions int32) *team {
	return newTeamOn(t, kafkatest.Start(t).Config.Brokers, partitions)
}

func newTeamOn(t *testing.T, brokers []string, partitions int32) *team {
	prefix := testenv.Prefix(t)
	tm := &team{t: t, brokers: brokers, group: prefix + "team", topics: [3]string{prefix + "left", prefix + "right", prefix + "plain"},
		owners: map[TopicPartition]string{}, ends: map[TaskID]int64{}, probe: 50 * time.Millisecond}
	cfg := kafka.Config{Brokers: brokers}
	var topics []kafka.Topic
	for _, name := range tm.topics {
		topics = append(topics, kafka.Topic{Name: name, Partitions: partitions})
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := kafka.EnsureTopics(ctx, tm.client(t), cfg, topics...); err != nil {
		t.Fatal(err)
	}
	for p := range partitions {
		joined := TaskID{Sub: 0, Partition: p}
		tm.tasks = append(tm.tasks, Definition{ID: joined, Stateful: true, Inputs: []TopicPartition{{tm.topics[0], p}, {tm.topics[1], p}}},
			Definition{ID: TaskID{Sub: 1, Partition: p}, Inputs: []TopicPartition{{tm.topics[2], p}}})
		tm.ends[joined] = 1000
	}
	return tm
}

func (tm *team) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(tm.brokers...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func (tm *team) join(name string, offsets map[TaskID]int64, opts ...kgo.Opt) *mate {
	m := &mate{team: tm, name: name, owned: map[TopicPartition]bool{}, offsets: offsets, done: make(chan struct{})}
	if m.offsets == nil {
		m.offsets = map[TaskID]int64{}
	}
	b := New(Config{
		Layout:       func(map[string]int32) ([]Definition, error) { return tm.tasks, nil },
		Subscription: m.subscription, OnAssignment: m.assignment, Ends: tm.lookUpEnds, EndsTimeout: time.Second,
		Standbys: 1, AcceptableLag: 10, MaxWarmups: 2, ProbeInterval: tm.probe, Logger: slog.New(slog.DiscardHandler),
	})
	opts = append([]kgo.Opt{kgo.ConsumerGroup(tm.group), kgo.ConsumeTopics(tm.topics[:]...), kgo.Balancers(b),
		kgo.OnPartitionsAssigned(m.assigned), kgo.OnPartitionsRevoked(m.revoked), kgo.OnPartitionsLost(m.revoked),
		kgo.SessionTimeout(time.Minute), kgo.HeartbeatInterval(20 * time.Millisecond), kgo.DisableAutoCommit()}, opts...)
	if tm.static {
		opts = append(opts, kgo.InstanceID(name))
	}
	m.client = tm.client(tm.t, opts...)
	tm.mu.Lock()
	tm.members = append(tm.members, m)
	tm.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			m.client.PollFetches(ctx)
		}
	}()
	tm.t.Cleanup(m.stop)
	return m
}

func (m *mate) stop() {
	m.cancel()
	<-m.done
	m.client.Close()
	m.forget()
}

func (m *mate) forget() {
	m.team.mu.Lock()
	defer m.team.mu.Unlock()
	for tp := range m.owned {
		if m.team.owners[tp] == m.name {
			delete(m.team.owners, tp)
		}
	}
	clear(m.owned)
}

func (tm *team) lookUpEnds(context.Context) (map[TaskID]int64, error) {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	return maps.Clone(tm.ends), tm.endsErr
}

func (m *mate) subscription() Subscription {
	m.team.mu.Lock()
	defer m.team.mu.Unlock()
	s := Subscription{Process: m.name, Endpoint: "http://" + m.name, Workers: 1, Shutdown: m.shutdown, Offsets: map[TaskID]int64{}}
	for id, at := range m.offsets {
		if !m.owned[TopicPartition{m.team.topics[0], id.Partition}] {
			s.Offsets[id] = at
		}
	}
	if m.last != nil {
		s.Standbys = slices.Concat(m.last.Standbys, m.last.Warmups)
	}
	return s
}

// assignment: what is to be followed is filled at once; who has to, looks again.
func (m *mate) assignment(a Assignment) {
	m.team.mu.Lock()
	defer m.team.mu.Unlock()
	m.last = &a
	for _, id := range slices.Concat(a.Standbys, a.Warmups) {
		m.offsets[id] = m.team.ends[id]
	}
	if a.Probe > 0 {
		time.AfterFunc(a.Probe, m.client.ForceRebalance)
	}
}

func (m *mate) assigned(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	m.team.mu.Lock()
	defer m.team.mu.Unlock()
	for topic, numbers := range parts {
		for _, n := range numbers {
			tp := TopicPartition{topic, n}
			if other := m.team.owners[tp]; other != "" && other != m.name {
				m.team.t.Errorf("%v was given to %s while %s had it", tp, m.name, other)
			}
			m.team.owners[tp], m.owned[tp] = m.name, true
			if topic == m.team.topics[0] {
				id := TaskID{Sub: 0, Partition: n}
				m.offsets[id] = m.team.ends[id]
			}
		}
	}
}

func (m *mate) revoked(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	m.team.mu.Lock()
	defer m.team.mu.Unlock()
	for topic, numbers := range parts {
		for _, n := range numbers {
			delete(m.owned, TopicPartition{topic, n})
			delete(m.team.owners, TopicPartition{topic, n})
		}
	}
}

// count of tasks that m has all partitions of.
func (m *mate) count() (n int) {
	for _, d := range m.team.tasks {
		if !slices.ContainsFunc(d.Inputs, func(tp TopicPartition) bool { return !m.owned[tp] }) {
			n++
		}
	}
	return n
}

// told m that there are so many members, of whom none waits for a task.
func (m *mate) told(members int) bool {
	return m.last != nil && len(m.last.Hosts) == members && !slices.ContainsFunc(m.last.Hosts, func(h Host) bool { return len(h.Pending) > 0 })
}

// settled waits until every task runs, members have between low and high, and nothing is
// planned, nor is anybody said to wait for a task.
func (tm *team) settled(low, high int, members ...*mate) {
	tm.t.Helper()
	testenv.Wait(tm.t, "all tasks run", patience, func() bool {
		tm.mu.Lock()
		defer tm.mu.Unlock()
		all := 0
		for _, m := range members {
			n := m.count()
			if n < low || n > high || !m.told(len(members)) || len(m.last.Warmups) > 0 || m.last.Probe > 0 {
				return false
			}
			all += n
		}
		return all == len(tm.tasks)
	})
}

func TestGroup(t *testing.T) {
	tm := newTeam(t, 4)
	a := tm.join("a", nil)
	tm.settled(8, 8, a)
	b, c := tm.join("b", nil), tm.join("c", nil)
	tm.settled(2, 3, a, b, c)
	tm.checkHosts(a, b, c)

	// Tools of Kafka understand who has what.
	admin := kadm.NewClient(tm.client(t))
	testenv.Wait(t, "tools show the assignment", patience, func() bool {
		groups, err := admin.DescribeGroups(t.Context(), tm.group)
		g := groups[tm.group]
		return err == nil && g.Protocol == Protocol && len(g.AssignedPartitions()) == 3
	})
	b.stop()
	tm.settled(4, 4, a, c)
	a.stop() // the leader
	tm.settled(8, 8, c)
}

// checkHosts: everybody knows the same about everybody.
func (tm *team) checkHosts(members ...*mate) {
	tm.t.Helper()
	tm.mu.Lock()
	defer tm.mu.Unlock()
	standbys := 0
	for _, m := range members {
		for i, h := range m.last.Hosts {
			first := members[0].last.Hosts[i]
			if h.Member != first.Member || h.Process == "" || h.Endpoint != "http://"+h.Process || !slices.Equal(h.Active, first.Active) {
				tm.t.Errorf("%s knows of %+v, %s of %+v", m.name, h, members[0].name, first)
			}
			if h.Process == m.name {
				standbys += len(h.Standbys)
				if !slices.Equal(h.Active, m.last.Active) {
					tm.t.Errorf("%s has %v and is said to have %v", m.name, m.last.Active, h.Active)
				}
			}
		}
	}
	if standbys != 4 {
		tm.t.Errorf("there are %d standbys of 4 stateful tasks", standbys)
	}
}

// TestGroupWithoutEnds: tasks run, and when the ends are known they are spread.
func TestGroupWithoutEnds(t *testing.T) {
	tm := newTeam(t, 4)
	tm.endsErr = errors.New("no broker")
	a := tm.join("a", nil)
	testenv.Wait(t, "a runs everything", patience, func() bool {
		tm.mu.Lock()
		defer tm.mu.Unlock()
		return a.count() == 8 && a.last.Probe > 0
	})
	b := tm.join("b", nil)
	testenv.Wait(t, "b runs what has no stores", patience, func() bool {
		tm.mu.Lock()
		defer tm.mu.Unlock()
		return b.count() == 4
	})
	tm.mu.Lock()
	tm.endsErr = nil
	tm.mu.Unlock()
	tm.settled(4, 4, a, b)
}

func TestGroupShutdown(t *testing.T) {
	tm := newTeam(t, 2)
	a, b, c := tm.join("a", nil), tm.join("b", nil), tm.join("c", nil)
	tm.settled(1, 2, a, b, c)
	tm.mu.Lock()
	b.shutdown = true
	tm.mu.Unlock()
	b.client.ForceRebalance()
	testenv.Wait(t, "all are told to stop", patience, func() bool {
		tm.mu.Lock()
		defer tm.mu.Unlock()
		return a.last.Shutdown && b.last.Shutdown && c.last.Shutdown
	})
}

// TestGroupStatic: who is back soon has its tasks again, without a rebalance.
func TestGroupStatic(t *testing.T) {
	tm := newTeamOn(t, together(t), 4)
	tm.static, tm.probe = true, time.Hour
	a, b := tm.join("a", nil, slow()...), tm.join("b", nil, slow()...)
	tm.wait("both have tasks", func() bool { return a.count() == 4 && b.count() == 4 })
	had, seen := tm.leave(b)
	again := tm.join("b", b.offsets, slow()...)
	tm.wait("b has its tasks again", func() bool { return maps.Equal(again.owned, had) })
	if a.last != seen {
		t.Error("there was a rebalance")
	}
}

// TestGroupStaticAway: others who come meanwhile do not get its tasks.
func TestGroupStaticAway(t *testing.T) {
	t.Run("in process", func(t *testing.T) { testStaticAway(t, together(t)) })
	t.Run("Apache Kafka", func(t *testing.T) { testStaticAway(t, testenv.Kafka(t)) })
}

func testStaticAway(t *testing.T, brokers []string) {
	tm := newTeamOn(t, brokers, 4)
	tm.static, tm.probe = true, time.Hour
	b := tm.join("b", nil, slow()...) // leads, so that a or c, who is new, has to decide without it
	admin := kadm.NewClient(tm.client(t))
	testenv.Wait(t, "b is in the group", patience, func() bool {
		groups, err := admin.DescribeGroups(t.Context(), tm.group)
		return err == nil && len(groups[tm.group].Members) == 1
	})
	a := tm.join("a", nil, slow()...)
	tm.wait("both have tasks", func() bool { return a.told(2) && b.told(2) && b.count() >= 4 && b.count()+a.count() == 8 })
	had, _ := tm.leave(b)
	c := tm.join("c", nil, slow()...)
	tm.wait("c is in the group", func() bool { return c.last != nil && len(c.last.Hosts) == 3 })
	tm.mu.Lock()
	for tp := range had {
		if owner := tm.owners[tp]; owner != "" {
			t.Errorf("%v went to %s", tp, owner)
		}
	}
	tm.mu.Unlock()
	again := tm.join("b", b.offsets, slow()...)
	tm.wait("b has its stores again", func() bool {
		maps.DeleteFunc(had, func(tp TopicPartition, _ bool) bool { return tp.Topic == tm.topics[2] || again.owned[tp] })
		return len(had) == 0
	})
}

// together is a broker that has all in the first rebalance, as Apache Kafka does unless it is told
// otherwise: of a group that has begun without b, the stores would stay with a.
func together(t *testing.T) []string {
	return kafkatest.Start(t, func(c *broker.Config) { c.InitialRebalanceDelay = 3 * time.Second }).Config.Brokers
}

// slow members are waited for, and rebalances go on without who is away. One that is only busy
// must not be taken for that: there is no further rebalance that would mend it.
func slow() []kgo.Opt {
	return []kgo.Opt{kgo.SessionTimeout(90 * time.Second), kgo.RebalanceTimeout(8 * time.Second)}
}

// leave without a farewell; what it had before, and what others knew, is returned.
func (tm *team) leave(m *mate) (had map[TopicPartition]bool, seen *Assignment) {
	tm.mu.Lock()
	had = maps.Clone(m.owned)
	for _, other := range tm.members {
		if other != m {
			seen = other.last
		}
	}
	tm.mu.Unlock()
	m.cancel()
	<-m.done
	m.client.Close()
	m.forget()
	return had, seen
}

func (tm *team) wait(what string, condition func() bool) {
	tm.t.Helper()
	testenv.Wait(tm.t, what, patience, func() bool {
		tm.mu.Lock()
		defer tm.mu.Unlock()
		return condition()
	})
}
