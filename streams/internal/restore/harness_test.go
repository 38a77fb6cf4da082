package restore

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

const soon = 30 * time.Second

// env is a changelog, a database and a restorer.
type env struct {
	testing.TB
	cluster  kafka.Config
	client   *kgo.Client
	admin    *kadm.Client
	topic    string
	db       *local.DB
	space    local.Space
	restorer *Restorer
	group    string
	fetch    int64        // Config.FetchBytes
	ahead    atomic.Int64 // of the restorer's clock, ns
}

// everywhere runs a test on the broker in process and on Apache Kafka.
func everywhere(t *testing.T, test func(e *env)) {
	t.Run("in process", func(t *testing.T) { test(inProcess(t)) })
	t.Run("Apache Kafka", func(t *testing.T) {
		test(newEnv(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: quiet()}))
	})
}

func inProcess(t testing.TB) *env { return newEnv(t, kafkatest.Start(t).Config) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newEnv(t testing.TB, c kafka.Config) *env {
	e := &env{TB: t, cluster: c, topic: c.Topic("changelog"), group: c.Group("app")}
	e.client = e.newClient()
	e.admin = kadm.NewClient(e.client)
	e.create()
	e.open(t.TempDir())
	return e
}

func (e *env) newClient(opts ...kgo.Opt) *kgo.Client {
	client, err := kafka.NewClient(e.cluster, append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	e.must(err)
	e.Cleanup(client.Close)
	return client
}

func (e *env) create() {
	e.Helper()
	config := map[string]string{"cleanup.policy": "compact,delete", "retention.ms": "-1"}
	e.must(kafka.EnsureTopics(e.Context(), e.client, e.cluster, kafka.Topic{Name: "changelog", Partitions: 4, Config: config}))
}

// open opens database and restorer, which are closed with the test.
func (e *env) open(dir string) {
	e.Helper()
	db, err := local.Open(local.Options{Dir: dir, Logger: quiet()})
	e.must(err)
	e.db = db
	e.space = e.spaceOf(0)
	r, err := New(Config{Kafka: e.cluster, Group: e.group, DB: db, FetchBytes: e.fetch, Clock: e.now, Logger: quiet()})
	e.must(err)
	e.must(r.Start(e.Context()))
	e.restorer = r
	e.Cleanup(func() {
		r.Stop(context.Background())
		db.Close()
	})
}

func (e *env) now() time.Time { return time.Now().Add(time.Duration(e.ahead.Load())) }

func (e *env) later(d time.Duration) { e.ahead.Add(int64(d)) }

// anew deletes the changelog and makes it again.
func (e *env) anew() {
	e.Helper()
	admin := kadm.NewClient(e.newClient(kgo.MetadataMinAge(10 * time.Millisecond))) // that old is what it may remember
	id := func() kadm.TopicID {
		topics, err := admin.ListTopics(e.Context(), e.topic)
		e.must(err)
		return topics[e.topic].ID
	}
	old := id()
	_, err := e.admin.DeleteTopics(e.Context(), e.topic)
	e.must(err)
	testenv.Wait(e.TB, "a topic made anew", soon, func() bool {
		_, err := e.admin.CreateTopic(e.Context(), 4, -1, nil, e.topic)
		return err == nil
	})
	e.create()
	// A broker of Apache Kafka may show the old one still.
	testenv.Wait(e.TB, "the new topic", soon, func() bool { return id() != old && id() != kadm.TopicID{} })
	e.client = e.newClient() // the old one knows the old topic
}

func (e *env) spaceOf(partition int32) local.Space {
	e.Helper()
	s, err := e.db.Space(plan.TaskID{Sub: 1, Partition: partition}, "counts", true)
	e.must(err)
	return s
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// counts is a store whose changelog is its contents.
var counts = &plan.Store{Name: "counts", Persistent: true, Logged: true, Restored: restoreCounts}

func restoreCounts(b local.Batch, s local.Space, recs []*kgo.Record) error {
	for _, r := range recs {
		switch {
		case string(r.Value) == "poison":
			return fmt.Errorf("offset %d: poison", r.Offset)
		case r.Value == nil:
			b.Delete(s, r.Key)
		default:
			b.Set(s, r.Key, r.Value)
		}
	}
	return nil
}

func (e *env) spec(mode Mode) Spec { return e.specOf(0, mode) }

func (e *env) specOf(partition int32, mode Mode) Spec {
	e.Helper()
	return Spec{Task: plan.TaskID{Sub: 1, Partition: partition}, Store: counts, Topic: e.topic, Partition: partition, Space: e.spaceOf(partition), Mode: mode}
}

func (e *env) add(s Spec) *Job {
	e.Helper()
	j, err := e.restorer.Add(s)
	e.must(err)
	return j
}

// restore fills partition 0's space and gives the job back.
func (e *env) restore() {
	e.Helper()
	j := e.add(e.spec(Active))
	e.await(j.Done())
	e.must(j.Err())
	e.remove(j)
}

func (e *env) remove(j *Job) int64 {
	e.Helper()
	next, _, err := j.Remove(e.Context())
	e.must(err)
	return next
}

func (e *env) await(done <-chan struct{}) {
	e.Helper()
	select {
	case <-done:
	case <-time.After(soon):
		e.Fatalf("not done after %s: %+v", soon, e.restorer.Progress())
	}
}

// records are key-value pairs; a value "-" is a tombstone.
func (e *env) records(pairs ...string) []*kgo.Record {
	var out []*kgo.Record
	for i := 0; i < len(pairs); i += 2 {
		r := &kgo.Record{Topic: e.topic, Key: []byte(pairs[i])}
		if pairs[i+1] != "-" {
			r.Value = []byte(pairs[i+1])
		}
		out = append(out, r)
	}
	return out
}

func (e *env) produce(pairs ...string) {
	e.Helper()
	e.must(e.client.ProduceSync(e.Context(), e.records(pairs...)...).FirstErr())
}

func (e *env) end() int64 {
	e.Helper()
	ends, err := e.admin.ListEndOffsets(e.Context(), e.topic)
	e.must(err)
	o, _ := ends.Lookup(e.topic, 0)
	e.must(o.Err)
	return o.Offset
}

func (e *env) contents(s local.Space) map[string]string {
	e.Helper()
	out := map[string]string{}
	for p, err := range s.Scan(nil, nil, false) {
		e.must(err)
		out[string(p.Key)] = string(p.Value)
	}
	return out
}

// wantSpace compares what partition 0's space holds, and its offset.
func (e *env) wantSpace(next int64, pairs ...string) {
	e.Helper()
	want := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		want[pairs[i]] = pairs[i+1]
	}
	if got := e.contents(e.space); !maps.Equal(got, want) {
		e.Errorf("the space has %v, want %v", got, want)
	}
	if got, ok := e.space.Offset(); got != next || !ok {
		e.Errorf("its offset is %d %v, want %d", got, ok, next)
	}
}

// transaction is one that the caller ends.
type transaction struct {
	e      *env
	client *kgo.Client
}

func (e *env) begin(id string) *transaction {
	e.Helper()
	client := e.newClient(kgo.TransactionalID(e.cluster.TransactionalID(id)))
	e.must(client.BeginTransaction())
	return &transaction{e, client}
}

func (t *transaction) produce(pairs ...string) {
	t.e.Helper()
	t.e.must(t.client.ProduceSync(t.e.Context(), t.e.records(pairs...)...).FirstErr())
}

func (t *transaction) end(commit kgo.TransactionEndTry) {
	t.e.Helper()
	t.e.must(t.client.EndTransaction(t.e.Context(), commit))
}
