package task_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// message flows through the nodes of these tests.
type message struct {
	value string
	time  int64
}

type receive func(message) error

// head decodes values; "bad" it cannot, and "panic" it does. A value "at=7" has that time.
type head struct {
	next func(message) error
	m    message
	// times are the partition times it was asked with.
	times []int64
}

func (h *head) Load(rec *kgo.Record, partitionTime int64) (int64, error) {
	h.times = append(h.times, partitionTime)
	h.m = message{string(rec.Value), rec.Timestamp.UnixMilli()}
	switch h.m.value {
	case "bad":
		return 0, errors.New("not decodable")
	case "panic in load":
		panic("load")
	}
	return h.m.time, nil
}

func (h *head) Process() error { return h.next(h.m) }

// bench is a task of one source with topics and one node that calls process.
type bench struct {
	t        testing.TB
	task     *task.Task
	config   task.Config
	db       *local.DB
	context  plan.Context
	seen     []string // value@time
	process  func(message) error
	produced []*kgo.Record
	failures []*plan.Failure
	verdict  plan.Verdict
	closes   int
	now      int64
	held     int64 // bytes of memory
	heads    map[string]*head
}

func (b *bench) Add(n int64) { b.held += n }
func (b *bench) Tight() bool { return false }

// newBench is not started: b.start does.
func newBench(t testing.TB, topics ...string) *bench {
	b := &bench{t: t, db: local.OpenMemory(), now: 1000, heads: map[string]*head{}, verdict: plan.Stop}
	t.Cleanup(func() { b.db.Close() })
	source := &plan.Node{Name: "source", Kind: plan.SourceNode}
	for _, topic := range topics {
		source.Topics = append(source.Topics, plan.Topic{Name: topic})
	}
	source.New = func(c plan.Context, children []any) (plan.Instance, error) {
		b.context = c
		return plan.Instance{Head: func(topic string, partition int32) (plan.Head, error) {
			h := &head{next: children[0].(receive)}
			b.heads[topic] = h
			return h, nil
		}}, nil
	}
	node := &plan.Node{Name: "node", Kind: plan.ProcessorNode, Parents: []*plan.Node{source}}
	node.New = func(c plan.Context, _ []any) (plan.Instance, error) {
		return plan.Instance{
			Receiver: receive(b.receive),
			Close:    func() error { b.closes++; return nil },
			Count:    func() int64 { return int64(len(b.seen)) },
		}, nil
	}
	source.Children = []*plan.Node{node}
	b.config = task.Config{
		Sub: &plan.Sub{ID: 3, Nodes: []*plan.Node{source, node}}, ID: plan.TaskID{Sub: 3, Partition: 1}, DB: b.db,
		Names:       plan.Names{Prefix: "dev.", Application: "app"},
		Producer:    func(r *kgo.Record) { b.produced = append(b.produced, r) },
		Partitions:  func(string) (int32, error) { return 2, nil },
		Fail:        func(f *plan.Failure) plan.Verdict { b.failures = append(b.failures, f); return b.verdict },
		DeadLetters: "dev.dead", Clock: func() time.Time { return time.UnixMilli(b.now) }, Memory: b, MaxIdle: -1,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return b
}

func (b *bench) receive(m message) error {
	b.seen = append(b.seen, fmt.Sprintf("%s@%d", m.value, m.time))
	if b.process != nil {
		return b.process(m)
	}
	return nil
}

func (b *bench) start() *bench {
	b.t.Helper()
	var err error
	if b.task, err = task.New(b.config); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// add queues values "v@time" with offsets from offset on.
func (b *bench) add(topic string, offset int64, values ...string) {
	b.t.Helper()
	var recs []*kgo.Record
	for _, v := range values {
		var at int64
		name, after, _ := strings.Cut(v, "@")
		if _, err := fmt.Sscan(after, &at); err != nil {
			b.t.Fatal(v, err)
		}
		recs = append(recs, &kgo.Record{
			Topic: "dev." + topic, Partition: 1, Offset: offset, Key: []byte("key"), Value: []byte(name), Timestamp: time.UnixMilli(at), LeaderEpoch: 5,
			Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}},
		})
		offset++
	}
	if err := b.task.Add("dev."+topic, 1, recs); err != nil {
		b.t.Fatal(err)
	}
}

// run processes all there is and returns what was seen.
func (b *bench) run() string {
	b.t.Helper()
	b.seen = nil
	for {
		n, err := b.task.Process(10)
		if err != nil {
			b.t.Fatal(err)
		}
		if n == 0 {
			return strings.Join(b.seen, " ")
		}
	}
}

func (b *bench) expect(want string) {
	b.t.Helper()
	if got := b.run(); got != want {
		b.t.Errorf("processed %q, want %q", got, want)
	}
}
