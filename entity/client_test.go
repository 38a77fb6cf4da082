package entity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func startClient(t *testing.T, cluster kafka.Config, c entity.ClientConfig[add, int64]) *entity.Client[add, int64] {
	t.Helper()
	c.Topic, c.Logger = "counters", quiet
	client, err := entity.NewClient(cluster, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Stop(context.Background()) })
	return client
}

// TestClientWithoutServer has nobody reply.
func TestClientWithoutServer(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "counters") // the client makes the reply topic
	client := startClient(t, cluster.Config, entity.ClientConfig[add, int64]{MaxPending: 2})

	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := client.Ask(ctx, "kim", add{1})
			results <- err
		}()
	}
	sent := readCommands(t, cluster, 2)
	if _, err := client.Ask(ctx, "kim", add{1}); !errors.Is(err, entity.ErrBusy) {
		t.Errorf("one more than may wait: %v", err)
	}
	cancel()
	for range 2 {
		if err := <-results; !errors.Is(err, entity.ErrUnknown) || !errors.Is(err, context.Canceled) {
			t.Errorf("without a reply: %v", err)
		}
	}
	if _, err := client.Ask(ctx, "kim", add{1}); !errors.Is(err, entity.ErrNotBegun) {
		t.Errorf("an ended context: %v", err)
	}
	if _, err := client.Ask(t.Context(), "", add{1}); !errors.Is(err, entity.ErrNotBegun) {
		t.Errorf("no id: %v", err)
	}
	for _, r := range sent {
		if e, err := kafka.FromRecord(r); err != nil || e.Key != "kim" || e.Headers[entity.HeaderReplyKey] == "" {
			t.Errorf("the command is %+v, %v", e, err)
		}
	}

	go func() {
		_, err := client.Ask(context.Background(), "kim", add{1})
		results <- err
	}()
	readCommands(t, cluster, 3)
	for range 2 {
		if err := client.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-results; !errors.Is(err, entity.ErrClosed) || !errors.Is(err, entity.ErrUnknown) {
		t.Errorf("the client is stopped meanwhile: %v", err)
	}
	if _, err := client.Ask(t.Context(), "kim", add{1}); !errors.Is(err, entity.ErrStopped) {
		t.Errorf("after the stop: %v", err)
	}
}

// readCommands returns once there are that many.
func readCommands(t *testing.T, cluster *kafkatest.Cluster, want int) (all []*kgo.Record) {
	t.Helper()
	client := cluster.Client(t, kgo.ConsumeTopics("counters"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for len(all) < want {
		if all = append(all, client.PollFetches(ctx).Records()...); ctx.Err() != nil {
			t.Fatalf("%d commands of %d", len(all), want)
		}
	}
	return all
}

func TestClientWithoutTopic(t *testing.T) {
	cluster := kafkatest.Start(t)
	client := startClient(t, cluster.Config, entity.ClientConfig[add, int64]{})
	if _, err := client.Ask(t.Context(), "kim", add{1}); !errors.Is(err, entity.ErrNotBegun) {
		t.Errorf("no topic of commands: %v", err)
	}
}

// TestReplyTopicIsNotThere: a client that may not make it waits for it, because its own
// partition depends on how many there are.
func TestReplyTopicIsNotThere(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Answer(kmsg.CreateTopics, func(r kmsg.Request) kmsg.Response {
		resp, topic := r.ResponseKind().(*kmsg.CreateTopicsResponse), kmsg.NewCreateTopicsResponseTopic()
		topic.Topic, topic.ErrorCode = "counters.replies", kerr.TopicAuthorizationFailed.Code
		resp.Topics = append(resp.Topics, topic)
		return resp
	})
	client, err := entity.NewClient(cluster.Config, entity.ClientConfig[add, int64]{Topic: "counters", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := client.Start(ctx); err == nil {
		client.Stop(t.Context())
		t.Error("it listens to a partition of a topic that is not there")
	}
}

func TestClientConfigIsChecked(t *testing.T) {
	cluster := kafka.Config{Brokers: []string{"localhost:1"}}
	for name, c := range map[string]entity.ClientConfig[add, int64]{
		"no topic":   {},
		"a bad one":  {Topic: "a b"},
		"a bound":    {Topic: "a", MaxPending: -1},
		"two types":  {Topic: "a", Commands: entity.JSON[add](journal.TypeOf[add]("x"), journal.TypeOf[int]("x"))},
		"no replies": {Topic: "a", ReplyTopic: "?"},
	} {
		if _, err := entity.NewClient(cluster, c); !errors.Is(err, entity.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := entity.NewClient(kafka.Config{}, entity.ClientConfig[add, int64]{Topic: "a"}); !errors.Is(err, kafka.ErrConfig) {
		t.Errorf("no brokers: %v", err)
	}
}

// TestCommandsOfSeveralTypes sends each under its own event type.
func TestCommandsOfSeveralTypes(t *testing.T) {
	codec := entity.JSON[any](journal.TypeOf[add]("add"), journal.TypeOf[string]("say"))
	for _, command := range []any{add{3}, "hello"} {
		name, contentType, payload, err := codec.Encode(command)
		if err != nil {
			t.Fatal(err)
		}
		back, err := codec.Decode(newCommand(name, contentType, payload))
		if err != nil || back != command {
			t.Errorf("%v comes back as %v, %v", command, back, err)
		}
	}
	if _, _, _, err := codec.Encode(5); !errors.Is(err, journal.ErrSerializer) {
		t.Errorf("a type that is not registered: %v", err)
	}
	if _, err := codec.Decode(newCommand("shout", "application/json", []byte("1"))); !errors.Is(err, journal.ErrManifest) {
		t.Errorf("an unknown event type: %v", err)
	}
	if _, err := codec.Decode(newCommand("add", "text/plain", []byte("1"))); err == nil {
		t.Error("text is read as JSON")
	}
}

func TestDeadlines(t *testing.T) {
	everywhere(t, testDeadlines[*sqlite.Tx], testDeadlines[*postgres.Tx])
}

// testDeadlines leaves out what nobody waits for any more.
func testDeadlines[T entity.Tx](t *testing.T, w *world[T]) {
	c := serverConfig()
	c.HonourDeadlines = true
	s, err := entity.NewServer(w.host(entity.Config{}), w.db, w.cluster, c)
	w.run(s, err)
	late := newCommand("counters", "application/json", []byte(`{"by":1}`)).WithHeader(entity.HeaderReplyKey, "me")
	w.send(
		late.WithHeader(entity.HeaderDeadline, time.Now().Add(-time.Minute).Format(time.RFC3339Nano)),
		withID(late).WithHeader(entity.HeaderDeadline, time.Now().Add(time.Hour).Format(time.RFC3339Nano)),
		withID(late).WithHeader(entity.HeaderDeadline, "some day"),
	)
	outcomes := map[string]int{}
	for _, e := range w.records("counters.replies", 3) {
		outcomes[e.Headers[entity.HeaderOutcome]+" "+string(e.Payload)]++
	}
	if outcomes["replied 1"] != 1 || outcomes["replied 2"] != 1 || len(outcomes) != 3 {
		t.Errorf("the answers are %v", outcomes)
	}
}

// TestApacheKafka asks through it.
func TestApacheKafka(t *testing.T) {
	cluster := kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t)}
	w := begin(t, cluster, openSQLite(t), false)
	w.server(w.host(entity.Config{}))
	client := w.client()
	ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
	defer cancel()
	for n := range int64(20) {
		if got, err := client.Ask(ctx, "kim", add{1}); got != n+1 || err != nil {
			t.Fatalf("reply %d is %d, %v", n+1, got, err)
		}
	}
}

func newCommand(eventType, contentType string, payload []byte) event.Event {
	return withID(event.Event{
		Type: eventType, Source: "/test", Key: "kim", Time: time.Now(), ContentType: contentType, Payload: payload,
	})
}

func withID(e event.Event) event.Event {
	e.ID = event.NewID()
	return e
}
