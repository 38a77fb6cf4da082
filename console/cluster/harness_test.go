package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What the console promises of a cluster, the same for the broker in process and
// for Apache Kafka.
var suite = []struct {
	name string
	test func(*testing.T, *env)
}{
	{"the cluster is described", clusterIsDescribed},
	{"topics are listed in pages", topicsAreListed},
	{"a topic is shown", topicIsShown},
	{"topics are made and refused", topicsAreMade},
	{"the latest messages come by time", latestByTime},
	{"latest goes on backwards", latestGoesOnBackwards},
	{"pages go on forwards and are stable", pagesAreStable},
	{"offsets are sought", offsetsAreSought},
	{"times are sought", timesAreSought},
	{"aborted transactions are not shown", abortedAreNotShown},
	{"open transactions are told of", openIsToldOf},
	{"a log that was cut is told of", cutIsToldOf},
	{"messages are filtered", messagesAreFiltered},
	{"a search is bounded and goes on", searchIsBounded},
	{"masked content is neither shown nor found", maskedIsNotFound},
	{"large and odd values are shown", oddValues},
	{"ten megabytes are shown in part", tenMegabytes},
	{"bad questions are answered", badQuestions},
	{"messages are produced", messagesAreProduced},
	{"bad messages are refused", badMessages},
	{"a tail follows", tailFollows},
	{"a tail waits for who takes", tailWaits},
	{"groups are listed with their lag", groupsAreListed},
	{"a group is reset", groupIsReset},
	{"a group with members is not reset", busyGroupIsNotReset},
}

func TestInProcess(t *testing.T) {
	config := kafkatest.Start(t).Config
	for _, c := range suite {
		t.Run(c.name, func(t *testing.T) {
			e := newEnv(t, config, cluster.Config{})
			e.inProcess = true
			c.test(t, e)
		})
	}
}

func TestApacheKafka(t *testing.T) {
	config := kafka.Config{Brokers: testenv.Kafka(t)}
	for _, c := range suite {
		t.Run(c.name, func(t *testing.T) { c.test(t, newEnv(t, config, cluster.Config{})) })
	}
}

// env is a cluster under test, with a client beside it.
type env struct {
	t       *testing.T
	kafka   kafka.Config
	cluster *cluster.Cluster
	client  *kgo.Client
	admin   *kadm.Client
	// inProcess says that it is the broker in process, which checks less.
	inProcess bool
}

func newEnv(t *testing.T, k kafka.Config, c cluster.Config) *env {
	t.Helper()
	if k.Prefix == "" {
		k.Prefix = testenv.Prefix(t)
	}
	k.Logger = slog.New(slog.DiscardHandler)
	client, err := kafka.NewClient(k, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	e := &env{t: t, kafka: k, client: client, admin: kadm.NewClient(client)}
	e.cluster = e.open(t, c)
	return e
}

func (e *env) open(t *testing.T, c cluster.Config) *cluster.Cluster {
	c.Logger = e.kafka.Logger
	out, err := cluster.New(e.kafka, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Stop(context.Background()) })
	return out
}

func admin(t *testing.T) context.Context {
	return api.WithUser(t.Context(), api.User{Name: "a", Role: api.Admin})
}

// topic makes one and returns its full name.
func (e *env) topic(name string, partitions int32) string {
	e.t.Helper()
	return e.topicWith(name, partitions, nil)
}

// topicWith has settings of its own.
func (e *env) topicWith(name string, partitions int32, settings map[string]*string) string {
	e.t.Helper()
	full := e.kafka.Topic(name)
	if _, err := e.admin.CreateTopic(e.t.Context(), partitions, 1, settings, full); err != nil {
		e.t.Fatal(err)
	}
	e.awaitTopic(full, int(partitions))
	return full
}

// awaitTopic waits for what lags behind the controller's answer: that a broker shows
// the topic, and that its leaders have opened the logs.
func (e *env) awaitTopic(full string, partitions int) {
	e.t.Helper()
	plain := e.open(e.t, cluster.Config{}) // the services of a test may not run yet
	testenv.Wait(e.t, "topic "+full+" to be there", patience, func() bool {
		shown, err := plain.Topic(e.t.Context(), full)
		return err == nil && shown.Problem == "" && len(shown.Partitions) == partitions && !slices.ContainsFunc(shown.Partitions, isAway)
	})
}

func isAway(p api.Partition) bool { return p.Problem != "" || p.Leader < 0 }

// start is the time of the record with minute 0.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// put writes a record of that minute.
func (e *env) put(topic string, partition int32, minute int, value string) {
	e.t.Helper()
	e.produce(&kgo.Record{Topic: topic, Partition: partition, Value: []byte(value), Timestamp: start.Add(time.Duration(minute) * time.Minute)})
}

func (e *env) produce(records ...*kgo.Record) {
	e.t.Helper()
	if err := e.client.ProduceSync(e.t.Context(), records...).FirstErr(); err != nil {
		e.t.Fatal(err)
	}
}

// transaction writes values to partition 0 and commits or aborts; a nil end leaves
// it open.
func (e *env) transaction(topic string, end *kgo.TransactionEndTry, values ...string) *kgo.Client {
	e.t.Helper()
	c, err := kafka.NewClient(e.kafka, kgo.TransactionalID(e.kafka.TransactionalID(fmt.Sprint(time.Now().UnixNano()))), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(c.Close)
	if err := c.BeginTransaction(); err != nil {
		e.t.Fatal(err)
	}
	for _, v := range values {
		if err := c.ProduceSync(e.t.Context(), &kgo.Record{Topic: topic, Value: []byte(v), Timestamp: start}).FirstErr(); err != nil {
			e.t.Fatal(err)
		}
	}
	if end != nil {
		if err := c.EndTransaction(e.t.Context(), *end); err != nil {
			e.t.Fatal(err)
		}
	}
	return c
}

// settled waits until no transaction is open: the answer to its end comes before its
// mark is in the log.
func (e *env) settled(topic string) {
	e.t.Helper()
	testenv.Wait(e.t, "the transactions to end", patience, func() bool {
		shown, err := e.cluster.Topic(e.t.Context(), topic)
		return err == nil && shown.Partitions[0].Stable == shown.Partitions[0].End
	})
}

func (e *env) messages(q api.MessageQuery) api.Messages {
	e.t.Helper()
	out, err := e.cluster.Messages(admin(e.t), q)
	if err != nil {
		e.t.Fatalf("%+v: %v", q, err)
	}
	return out
}

func values(m api.Messages) string {
	var out []string
	for _, item := range m.Items {
		out = append(out, item.Value.Text)
	}
	return strings.Join(out, " ")
}

func ptr[T any](v T) *T { return &v }
