package run

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/restore"
)

// deleteAll deletes the records of a topic of one partition, of which there are n.
func deleteAll(t testing.TB, k kafka.Config, topic string, n int64) {
	t.Helper()
	var offsets kadm.Offsets
	offsets.AddOffset(k.Topic(topic), 0, n, -1)
	if _, err := kadm.NewClient(client(t, k)).DeleteRecords(deadline(t), offsets); err != nil {
		t.Fatal(err)
	}
}

func fill(t testing.TB, k kafka.Config, topic string, n int) {
	t.Helper()
	c := client(t, k)
	for range n {
		if err := c.ProduceSync(deadline(t), &kgo.Record{Topic: k.Topic(topic), Key: []byte("old"), Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNobodyWaitsForRecordsThatAreGone: a task with two inputs does not wait for one whose
// records were all deleted, or are from before it began.
func TestNobodyWaitsForRecordsThatAreGone(t *testing.T) {
	for name, reset := range map[string]plan.Reset{"deleted": plan.ResetEarliest, "from before": plan.ResetLatest} {
		t.Run(name, func(t *testing.T) {
			brokers(t, func(t *testing.T, k kafka.Config) {
				makeTopics(t, k, 1, "in", "other", "out")
				fill(t, k, "other", 5)
				if reset == plan.ResetEarliest {
					deleteAll(t, k, "other", 5)
				}
				cfg := configure(t, k)
				source := cfg.Topology.Subs[0].Nodes[0]
				source.Topics, source.Reset = append(source.Topics, plan.Topic{Name: "other"}), reset
				out := newOutput(t, k)
				awaitRunning(t, begin(t, cfg))
				feed(t, k, client(t, k), 10)
				out.await(t, 10)
			})
		})
	}
}

func TestBegin(t *testing.T) {
	committed := position{offset: 7, epoch: 2, metadata: "m"}
	for _, c := range []struct {
		name       string
		at         *position
		start, end int64
		reset      plan.Reset
		want       position
	}{
		{"where it is committed", &committed, 3, 9, plan.ResetEarliest, committed},
		{"committed at the end", &committed, 7, 7, plan.ResetLatest, committed},
		{"what is committed was deleted", &committed, 8, 9, plan.ResetLatest, position{8, -1, "m"}},
		{"earliest", nil, 3, 9, plan.ResetEarliest, position{3, -1, ""}},
		{"the default is earliest", nil, 3, 9, plan.ResetDefault, position{3, -1, ""}},
		{"latest", nil, 3, 9, plan.ResetLatest, position{9, -1, ""}},
		{"nothing there", nil, 0, 0, plan.ResetLatest, position{0, -1, ""}},
	} {
		in := newInput(nil, topicPartition{"t", 0})
		var at position
		if c.at != nil {
			at = *c.at
		}
		if got := in.begin(at, c.at != nil, c.start, c.end, c.reset); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		// Begun again, what has come since is not left out.
		if got := in.begin(at, c.at != nil, c.start, c.end+10, c.reset); got != c.want {
			t.Errorf("%s, again: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestGlobalTopicWithoutRecords: Start does not wait for what is gone.
func TestGlobalTopicWithoutRecords(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 1, "in", "out", "lookup")
		fill(t, k, "lookup", 5)
		deleteAll(t, k, "lookup", 5)
		cfg := configure(t, k)
		topic := plan.Topic{Name: "lookup"}
		cfg.Topology.Globals = []*plan.Global{{Topic: topic, Store: &plan.Store{Name: "lookup", Global: true, Persistent: true, Restored: restoreCounts},
			Nodes: []*plan.Node{{Name: "global", Kind: plan.SourceNode, Topics: []plan.Topic{topic}}}}}
		awaitRunning(t, begin(t, cfg))
	})
}

// TestHandedOverTasksAreNotCommitted: a worker that was busy for longer than the group waits must
// not commit for a task that others run, though its process still is a member.
func TestHandedOverTasksAreNotCommitted(t *testing.T) {
	k := kafka.Config{Brokers: []string{"127.0.0.1:1"}}
	r := New(configure(t, k))
	member, err := kafka.NewMember(k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(member.Close)
	r.group, r.tasks = &group{r: r, client: member}, newTasks(r)
	w := newWorker(r, 0)
	o := &owned{phase: running}
	w.tasks = []*active{{owned: o}}
	if _, err := w.member(); errors.Is(err, errFenced) {
		t.Error(err)
	}
	o.phase = gone
	if _, err := w.member(); !errors.Is(err, errFenced) {
		t.Error(err)
	}
}

// TestTaskThatGoesAtOnceLeavesItsStandby: the space can be restored by the next.
func TestTaskThatGoesAtOnceLeavesItsStandby(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 1, "in", "out")
	r := begin(t, configure(t, k))
	awaitRunning(t, r)
	id, sub := plan.TaskID{}, r.layout().sub(0)
	jobs, err := r.standbys.add(id, sub, restore.Standby)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.tasks.prepareUntilDone(ctx, &owned{id: id, sub: sub, claimed: jobs})
	if jobs, err = r.standbys.add(id, sub, restore.Standby); err != nil {
		t.Fatal(err)
	}
	if err := r.standbys.remove(jobs); err != nil {
		t.Error(err)
	}
}

// TestNothingTakenCommitsAllTheSame: where every record produced was refused there is no
// transaction, and the offsets are final at once.
func TestNothingTakenCommitsAllTheSame(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 1, "in", "out")
		cfg := configure(t, k)
		cfg.OnFailure = func(*plan.Failure) plan.Verdict { return plan.Skip }
		cfg.Topology = enlarging()
		cfg.TransactionTimeout = 5 * time.Minute // an open transaction outlasts the wait for it
		r := begin(t, cfg)
		feed(t, k, client(t, k), 3)
		testenv.Wait(t, "what was processed is committed", 30*time.Second, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // it waits for open transactions
			defer cancel()
			tp := topicPartition{k.Topic("in"), 0}
			at, err := fetchOffsets(ctx, client(t, k), r.cfg.group(), []topicPartition{tp})
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatal("the offsets are part of a transaction that nobody ends: ", err)
			}
			return at[tp].offset == 3
		})
	})
}

// enlarging sends records on that no broker takes.
func enlarging() *plan.Topology {
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
			c.Produce("sink", &kgo.Record{Topic: c.Topic(plan.Topic{Name: "out"}), Partition: -1, Value: make([]byte, 4<<20)})
			return nil
		}}, nil
	}
	return &plan.Topology{Subs: []*plan.Sub{{Nodes: []*plan.Node{source, sink}}}}
}

func TestOverfull(t *testing.T) {
	for _, c := range []struct {
		dirty, most int64
		tight, want bool
	}{{1000, 1000, false, false}, {1001, 1000, false, true}, {100, 1000, true, true}, {10, 1000, true, false}} {
		if overfull(c.dirty, c.most, c.tight) != c.want {
			t.Errorf("%+v", c)
		}
	}
}
