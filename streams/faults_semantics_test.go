package streams_test

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/internal/semantics"
)

func TestSemanticsOnTheInProcessBroker(t *testing.T) {
	semantics.Run(t, onBroker{kafkatest.Start(t).Config})
}

func TestSemanticsOnApacheKafka(t *testing.T) {
	testenv.Full(t)
	semantics.Run(t, onBroker{kafka.Config{Brokers: testenv.Kafka(t)}})
}

// onBroker runs topologies as Apps, exactly-once.
type onBroker struct{ kafka kafka.Config }

// running is an App with what the test sees of it.
type running struct {
	cfg     kafka.Config
	app     *streams.App
	group   string
	admin   *kadm.Client
	in      *kgo.Client
	out     *kgo.Client
	sources []string // all topics that the App reads, full names
	read    int64
}

func (b onBroker) Start(t testing.TB, topology *streams.Topology, topics []string) semantics.App {
	k := b.kafka
	k.Prefix, k.Logger = testenv.Prefix(t), quietly(t)
	in := newClient(t, k)
	if !slices.Contains(topics, "R") {
		topics = append(topics, "R") // where a case sends records to
	}
	makeTopics(t, in, k, 1, topics...)
	app := startApp(t, topology, streams.Config{ApplicationID: "app", Kafka: k, CommitInterval: 10 * time.Millisecond, Workers: 1})
	testenv.Wait(t, "RUNNING", 30*time.Second, func() bool { return app.State() == streams.Running })
	r := &running{cfg: k, app: app, group: k.Group("app"), admin: kadm.NewClient(in), in: in}
	r.out = newClient(t, k, kgo.ConsumeTopics(k.Topic("out")), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	names := streams.SourceTopics(topology, k, "app")
	r.sources = names
	return r
}

func (r *running) Pipe(t testing.TB, rec *kgo.Record) {
	t.Helper()
	rec.Topic = r.cfg.Topic(rec.Topic)
	ctx := withDeadline(t)
	if err := r.in.ProduceSync(ctx, rec).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for !r.quiet(t, ctx) || !r.contained(t, ctx) {
		time.Sleep(2 * time.Millisecond) // polls
	}
}

// must shows what can be known of an App that does not go on.
func (r *running) must(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ends, err1 := r.admin.ListEndOffsets(ctx, r.sources...)
	stable, err2 := r.admin.ListCommittedOffsets(ctx, r.sources...)
	commits, err3 := r.admin.FetchOffsets(ctx, r.group)
	open, err4 := r.admin.DescribeTransactions(ctx)
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	t.Fatalf("%v, the App is %v %v\nends %v\nlast stable %v\ncommits %v\ntransactions %+v\n%+v\n%s", err, r.app.State(), errors.Join(err1, err2, err3, err4), ends, stable, commits, open.Sorted(), r.app.Stats(), stacks)
}

// quiet: everything that the sources have is committed, and nothing came while that was
// looked at.
func (r *running) quiet(t testing.TB, ctx context.Context) bool {
	t.Helper()
	before := r.ends(t, ctx)
	offsets, err := r.admin.FetchOffsetsForTopics(ctx, r.group, r.sources...)
	r.must(t, err)
	done := true
	before.Each(func(end kadm.ListedOffset) {
		at, ok := offsets.Lookup(end.Topic, end.Partition)
		if end.Offset > 0 && (!ok || at.At < end.Offset) {
			done = false
		}
	})
	if !done {
		return false
	}
	r.ends(t, ctx).Each(func(end kadm.ListedOffset) {
		if was, _ := before.Lookup(end.Topic, end.Partition); was.Offset != end.Offset {
			done = false
		}
	})
	return done
}

// contained: global stores have what their topics have.
func (r *running) contained(t testing.TB, ctx context.Context) bool {
	t.Helper()
	globals := r.app.Stats().Globals
	for _, g := range globals {
		ends, err := r.admin.ListEndOffsets(ctx, g.Topic)
		r.must(t, err)
		if end, _ := ends.Lookup(g.Topic, 0); g.Positions[0] < end.Offset {
			return false
		}
	}
	return true
}

func (r *running) ends(t testing.TB, ctx context.Context) kadm.ListedOffsets {
	t.Helper()
	ends, err := r.admin.ListEndOffsets(ctx, r.sources...)
	r.must(t, cmp.Or(err, ends.Error()))
	return ends
}

func (r *running) Read(t testing.TB, topic string) (all []*kgo.Record) {
	t.Helper()
	ctx := withDeadline(t)
	ends, err := r.admin.ListEndOffsets(ctx, r.cfg.Topic(topic))
	r.must(t, err)
	end, _ := ends.Lookup(r.cfg.Topic(topic), 0)
	for r.read < end.Offset {
		fetches := r.out.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("at %d of %d: %v", r.read, end.Offset, err)
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			r.read = rec.Offset + 1
			if !rec.Attrs.IsControl() {
				all = append(all, rec)
			}
		})
	}
	return all
}
