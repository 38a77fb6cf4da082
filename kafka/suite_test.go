package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What Pabal relies on of a broker, the same for the one in process and for
// Apache Kafka.
var suite = []struct {
	name string
	test func(*testing.T, kafka.Config)
}{
	{"events keep every attribute", eventsKeepEveryAttribute},
	{"an old event is sent like a new one", oldEventIsSent},
	{"topics get partitions and configuration once", topicsGetPartitionsAndConfiguration},
	{"a topic made anew has another id", topicMadeAnewHasAnotherID},
	{"a transaction shows whole or not at all", transactionShowsWholeOrNotAtAll},
	{"a commit waits until the client lists what it produced", commitWaitsForTheClient},
	{"a transactional id fences its predecessor", transactionalIDFences},
	{"initialising aborts the open transaction before", initialisingAbortsTheOpenTransaction},
	{"the last stable offset waits for another's transaction", lastStableOffsetWaits},
	{"a record too large is refused alone", tooLargeIsRefused},
	{"a member leaves while its group waits for another", memberLeavesDuringARebalance},
	{"a group shares partitions, a static member keeps its own", groupSharesPartitions},
}

func TestKafkaInProcess(t *testing.T) {
	config := kafkatest.Start(t).Config
	for _, c := range suite {
		t.Run(c.name, func(t *testing.T) { c.test(t, prefixed(t, config)) })
	}
}

func TestApacheKafka(t *testing.T) {
	config := kafka.Config{Brokers: testenv.Kafka(t)}
	for _, c := range suite {
		t.Run(c.name, func(t *testing.T) { c.test(t, prefixed(t, config)) })
	}
}

func prefixed(t *testing.T, c kafka.Config) kafka.Config {
	c.Prefix = testenv.Prefix(t)
	return c
}

func eventsKeepEveryAttribute(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "events"})
	cause := event.New("ordered", "주문-1", nil)
	want := event.New("paid", "주문-1", map[string]int{"price": 3}).CausedBy(cause).WithHeader("tenant", "서울")
	want.Source, want.Traceparent = "/orders/payment", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	tombstone := event.New("forgotten", "주문-1", nil)
	tombstone.Source, tombstone.Payload = "/orders", nil

	produce(t, client(t, c), kafka.ToRecord(topic, want), kafka.ToRecord(topic, tombstone))
	records := read(t, c, topic, 2)
	got, err := kafka.FromRecord(records[0])
	if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	if gone, err := kafka.FromRecord(records[1]); err != nil || gone.Payload != nil {
		t.Errorf("the tombstone came as %+v, %v", gone, err)
	}
}

func oldEventIsSent(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "old", Config: kafka.KeepForever()})
	e := event.New("ordered", "k", nil)
	e.Source, e.Time = "/orders", e.Time.AddDate(-1, 0, 0)
	produce(t, client(t, c), kafka.ToRecord(topic, e))
	if got, err := kafka.FromRecord(read(t, c, topic, 1)[0]); err != nil || !got.Time.Equal(e.Time) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func topicsGetPartitionsAndConfiguration(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "kept", Config: kafka.KeepForever()})
	newTopic(t, c, kafka.Topic{Name: "kept", Partitions: 9}) // exists: left as it is
	admin := kadm.NewClient(client(t, c))
	topics, err := admin.ListTopics(t.Context(), topic)
	if err != nil || len(topics[topic].Partitions) != kafka.DefaultPartitions {
		t.Errorf("got %v, %v, want %d partitions", topics, err, kafka.DefaultPartitions)
	}
	configs, err := admin.DescribeTopicConfigs(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range configs[0].Configs {
		if config.Key == "retention.ms" && config.MaybeValue() != "-1" {
			t.Errorf("retention.ms is %s", config.MaybeValue())
		}
	}
	err = kafka.EnsureTopics(t.Context(), client(t, c), c, kafka.Topic{Name: "not/allowed"})
	if err == nil || !strings.Contains(err.Error(), "not/allowed") {
		t.Errorf("a bad name: got %v", err)
	}
}

func topicMadeAnewHasAnotherID(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "again"})
	cl := client(t, c, kgo.MetadataMinAge(10*time.Millisecond)) // that old is what the admin may remember
	admin := kadm.NewClient(cl)
	id := func() kadm.TopicID {
		topics, err := admin.ListTopics(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		return topics[topic].ID
	}
	first := id()
	if _, err := admin.DeleteTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the topic to be made anew", 20*time.Second, func() bool {
		err := kafka.EnsureTopics(t.Context(), cl, c, kafka.Topic{Name: "again"})
		return err == nil && id() != first && id() != kadm.TopicID{}
	})
}

func transactionShowsWholeOrNotAtAll(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "txn"})
	p := client(t, c, kgo.TransactionalID(c.TransactionalID("one")))
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
		begin(t, p)
		produce(t, p, text(topic, fmt.Sprint(i, "a")), text(topic, fmt.Sprint(i, "b")))
		if err := p.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	if got := values(read(t, c, topic, 4)); got != "0a 0b 2a 2b" {
		t.Errorf("got %s", got)
	}
}

func transactionalIDFences(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "fenced"})
	id := kgo.TransactionalID(c.TransactionalID("fence"))
	old := client(t, c, id)
	begin(t, old)
	produce(t, old, text(topic, "of the old one"))

	next := client(t, c, id)
	initialise(t, next)
	err := old.ProduceSync(t.Context(), text(topic, "too late")).FirstErr()
	if err == nil {
		err = old.EndTransaction(t.Context(), kgo.TryCommit)
	}
	if !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch) {
		t.Errorf("the old one got %v, want to be fenced", err)
	}
	begin(t, next)
	produce(t, next, text(topic, "of the new one"))
	if err := next.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if got := values(read(t, c, topic, 1)); got != "of the new one" {
		t.Errorf("got %s", got)
	}
}

func initialisingAbortsTheOpenTransaction(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "left"})
	id := kgo.TransactionalID(c.TransactionalID("left"))
	crashed := client(t, c, id)
	begin(t, crashed)
	produce(t, crashed, text(topic, "never committed"))

	initialise(t, client(t, c, id))
	produce(t, client(t, c), text(topic, "after"))
	if got := values(read(t, c, topic, 1)); got != "after" {
		t.Errorf("got %s", got)
	}
}

func lastStableOffsetWaits(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "stable", Partitions: 1})
	open := client(t, c, kgo.TransactionalID(c.TransactionalID("open")))
	begin(t, open)
	produce(t, open, text(topic, "open"))
	produce(t, client(t, c), text(topic, "behind"))

	admin := kadm.NewClient(client(t, c))
	high, err := admin.ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	stable, err := admin.ListCommittedOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	if h, s := high[topic][0].Offset, stable[topic][0].Offset; h != 2 || s != 0 {
		t.Errorf("high watermark %d, last stable offset %d; want 2 and 0", h, s)
	}
	if err := open.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if got := values(read(t, c, topic, 2)); got != "open behind" {
		t.Errorf("got %s", got)
	}
}

func tooLargeIsRefused(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "small", Config: map[string]string{"max.message.bytes": "2000"}})
	p := client(t, c, kgo.ProducerBatchCompression(kgo.NoCompression()))
	large := &kgo.Record{Topic: topic, Key: []byte("k"), Value: make([]byte, 5000)}
	if err := p.ProduceSync(t.Context(), large).FirstErr(); !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("got %v, want MESSAGE_TOO_LARGE", err)
	}
	produce(t, p, text(topic, "fits"))
	if got := values(read(t, c, topic, 1)); got != "fits" {
		t.Errorf("got %s", got)
	}
}

func groupSharesPartitions(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "shared"})
	member := func(instance string) *member {
		m := &member{}
		m.client = client(t, c, kgo.ConsumerGroup(c.Group("group")), kgo.ConsumeTopics(topic), kgo.InstanceID(instance),
			kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(100*time.Millisecond),
			kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { m.count.Add(int64(len(p[topic]))) }),
			kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { m.count.Add(-int64(len(p[topic]))) }))
		return m
	}
	a := member("a")
	testenv.Wait(t, "one member to have all", 30*time.Second, func() bool { a.poll(t); return a.count.Load() == 4 })
	b := member("b")
	testenv.Wait(t, "two members to have half each", 30*time.Second, func() bool {
		a.poll(t)
		b.poll(t)
		return a.count.Load() == 2 && b.count.Load() == 2
	})
	b.client.Close() // a static member's leaving is no rebalance
	b = member("b")
	testenv.Wait(t, "the static member to have its half back", 30*time.Second, func() bool {
		a.poll(t)
		b.poll(t)
		return b.count.Load() == 2
	})
	if a.count.Load() != 2 {
		t.Errorf("the other one has %d partitions", a.count.Load())
	}
}

type member struct {
	client *kgo.Client
	count  atomic.Int64
}

func (m *member) poll(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	m.client.PollFetches(ctx)
}

func newTopic(t *testing.T, c kafka.Config, topic kafka.Topic) string {
	t.Helper()
	if err := kafka.EnsureTopics(t.Context(), client(t, c), c, topic); err != nil {
		t.Fatal(err)
	}
	return c.Topic(topic.Name)
}

func client(t *testing.T, c kafka.Config, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kafka.NewClient(c, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func begin(t *testing.T, cl *kgo.Client) {
	t.Helper()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
}

func initialise(t *testing.T, cl *kgo.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if _, _, err := cl.ProducerID(ctx); err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, cl *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	if err := cl.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func text(topic, value string) *kgo.Record {
	return &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte(value)}
}

// read returns the first n committed records of a topic.
func read(t *testing.T, c kafka.Config, topic string, n int) (records []*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cl := client(t, c, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	for len(records) < n {
		fetches := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(records), n, err)
		}
		records = slices.AppendSeq(records, fetches.RecordsAll())
	}
	return records
}

func values(records []*kgo.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, string(r.Value))
	}
	return strings.Join(all, " ")
}
