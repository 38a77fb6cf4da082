package run

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// passing sends the records of "in" on to "out".
func passing() *plan.Topology {
	source := &plan.Node{Name: "source", Kind: plan.SourceNode, Topics: []plan.Topic{{Name: "in"}}}
	sink := &plan.Node{Name: "sink", Kind: plan.SinkNode, Topics: []plan.Topic{{Name: "out"}}, Parents: []*plan.Node{source}}
	source.Children = []*plan.Node{sink}
	source.New = func(_ plan.Context, children []any) (plan.Instance, error) {
		return plan.Instance{Head: func(string, int32) (plan.Head, error) {
			return &head{to: children[0].(func(*kgo.Record) error)}, nil
		}}, nil
	}
	sink.New = func(c plan.Context, _ []any) (plan.Instance, error) {
		return plan.Instance{Receiver: func(r *kgo.Record) error {
			c.Produce("sink", &kgo.Record{Topic: c.Topic(plan.Topic{Name: "out"}), Partition: -1, Value: []byte(string(r.Value))})
			return nil
		}}, nil
	}
	return &plan.Topology{Subs: []*plan.Sub{{Nodes: []*plan.Node{source, sink}}}}
}

func addPartitions(t testing.TB, k kafka.Config, topic string, add int) {
	t.Helper()
	answers, err := kadm.NewClient(client(t, k)).CreatePartitions(deadline(t), add, k.Topic(topic))
	if err == nil {
		err = answers.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestNewPartitionsAreReadWhereNothingIsStored: the instances divide them without a restart.
func TestNewPartitionsAreReadWhereNothingIsStored(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 2, "in", "out")
		cfg := configure(t, k)
		cfg.Topology = passing()
		first, second := begin(t, cfg), begin(t, another(t, cfg))
		testenv.Wait(t, "a task each", 60*time.Second, func() bool { return len(first.tasks.stats()) == 1 && len(second.tasks.stats()) == 1 })
		addPartitions(t, k, "in", 4)
		testenv.Wait(t, "three tasks each", 60*time.Second, func() bool {
			first.group.client.ForceMetadataRefresh() // it comes every minute
			second.group.client.ForceMetadataRefresh()
			return len(first.tasks.stats()) == 3 && len(second.tasks.stats()) == 3
		})
		awaitRunning(t, first, second)
		in := client(t, k, kgo.RecordPartitioner(kgo.ManualPartitioner()))
		for p := range int32(6) {
			if err := in.ProduceSync(deadline(t), &kgo.Record{Topic: k.Topic("in"), Partition: p, Value: []byte{'0' + byte(p)}}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		out, seen := client(t, k, kgo.ConsumeTopics(k.Topic("out")), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), map[string]bool{}
		for ctx := deadline(t); len(seen) < 6; {
			fetches := out.PollFetches(ctx)
			if err := fetches.Err(); err != nil {
				t.Fatalf("of six partitions it has read %v: %v", seen, err)
			}
			fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)] = true })
		}
		for _, r := range []*Runtime{first, second} {
			testenv.Wait(t, "it knows of all six", 60*time.Second, func() bool {
				r.lookAtPartitions(deadline(t)) // of some seconds ago
				return r.TaskCount(0) == 6
			})
			if err := r.Health(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestNewPartitionsOfStoredKeysAreAProblem that health names; the others are read on.
func TestNewPartitionsOfStoredKeysAreAProblem(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 2, "in", "out")
	r := begin(t, configure(t, k))
	awaitRunning(t, r)
	addPartitions(t, k, "in", 1)
	testenv.Wait(t, "it is noticed", 60*time.Second, func() bool {
		r.lookAtPartitions(deadline(t)) // of some seconds ago
		return r.Health() != nil
	})
	if err := r.Health(); !errors.Is(err, ErrLayout) || !strings.Contains(err.Error(), "has 3 instead of 2") || !strings.Contains(err.Error(), "reset the application") {
		t.Errorf("health says %v", err)
	}
	in := client(t, k, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := in.ProduceSync(deadline(t), &kgo.Record{Topic: k.Topic("in"), Partition: 1, Key: []byte("a"), Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	newOutput(t, k).await(t, 1)
}

func TestGrown(t *testing.T) {
	names := plan.Names{Application: "app"}
	repartitioning := func(partitions int32) *plan.Topology {
		between := plan.Topic{Name: "between", Repartition: true, Partitions: partitions}
		source := &plan.Node{Kind: plan.SourceNode, Topics: []plan.Topic{{Name: "in"}}}
		sink := &plan.Node{Kind: plan.SinkNode, Topics: []plan.Topic{between}}
		next := &plan.Node{Kind: plan.SourceNode, Topics: []plan.Topic{between}}
		return &plan.Topology{Subs: []*plan.Sub{{Nodes: []*plan.Node{source, sink}}, {ID: 1, Nodes: []*plan.Node{next}}}}
	}
	unlogged := passing()
	unlogged.Subs[0].Stores = []*plan.Store{{Name: "s"}}
	joined := passing()
	joined.Subs[0].Nodes[0].Topics = []plan.Topic{{Name: "in"}, {Name: "other"}}
	joined.Subs[0].Copartitioned = [][]plan.Topic{joined.Subs[0].Nodes[0].Topics}
	global := passing()
	global.Globals = []*plan.Global{{Topic: plan.Topic{Name: "other"}, Store: &plan.Store{Name: "g"}}}
	for _, c := range []struct {
		name     string
		topology *plan.Topology
		now      map[string]int32
		tasks    int32
		fails    string
	}{
		{"no more", passing(), map[string]int32{"in": 2}, 2, ""},
		{"fewer", passing(), map[string]int32{"in": 1}, 2, ""},
		{"a stranger", passing(), map[string]int32{"else": 9}, 2, ""},
		{"nothing stored", passing(), map[string]int32{"in": 5}, 5, ""},
		{"a changelog", counting(), map[string]int32{"in": 5}, 0, "app-counts-changelog has 2 partitions and needs 5"},
		{"a store without one", unlogged, map[string]int32{"in": 5}, 0, "has stores"},
		{"a repartition topic that follows", repartitioning(0), map[string]int32{"in": 5}, 0, "reset the application"},
		{"a repartition topic of its own number", repartitioning(3), map[string]int32{"in": 5}, 5, ""},
		{"one of two that are joined", joined, map[string]int32{"in": 5}, 0, "as many partitions as each other"},
		{"both", joined, map[string]int32{"in": 5, "other": 5}, 5, ""},
		{"a global store's", global, map[string]int32{"other": 3}, 0, "restart every instance"},
	} {
		known := map[string]int32{"in": 2, "other": 2, "out": 1}
		l, err := newLayout(c.topology, names, known)
		if err != nil {
			t.Fatal(c.name, err)
		}
		next, err := l.grown(c.topology, c.now)
		switch {
		case c.fails != "":
			if !errors.Is(err, ErrLayout) || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v", c.name, err)
			}
		case err != nil || next.tasks[0] != c.tasks || (c.tasks == 2) != (next == l):
			t.Errorf("%s: %v, %v", c.name, next, err)
		}
	}
}
