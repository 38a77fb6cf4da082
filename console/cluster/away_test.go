package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

var noServices cluster.Config

// quickly is what quick returns.
type quickly struct{ *cluster.Cluster }

// quick is a Cluster that waits 300 ms.
func quick(t *testing.T, brokers string) *cluster.Cluster {
	t.Helper()
	return waiting(t, brokers, 300*time.Millisecond)
}

func waiting(t *testing.T, brokers string, timeout time.Duration) *cluster.Cluster {
	t.Helper()
	c, err := cluster.New(kafka.Config{Brokers: []string{brokers}}, cluster.Config{Timeout: timeout, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop(context.Background()) })
	return c
}

// inTime is how long such an answer may take: many of its time-outs, because the
// machine may be busy, and far from for ever.
const inTime = time.Minute

// askAll puts every question, each of which must fail in time.
func askAll(t *testing.T, c *cluster.Cluster, what string) {
	t.Helper()
	for name, ask := range map[string]func() error{
		"topics":  func() error { _, err := c.Topics(t.Context(), api.TopicQuery{}); return err },
		"topic":   func() error { _, err := c.Topic(t.Context(), "t"); return err },
		"create":  func() error { return c.CreateTopic(t.Context(), api.NewTopic{Name: "new"}) },
		"read":    func() error { _, err := c.Messages(t.Context(), api.MessageQuery{Topic: "t"}); return err },
		"tail":    func() error { return c.Tail(t.Context(), api.MessageQuery{Topic: "t"}, nil) },
		"produce": func() error { _, err := c.Produce(t.Context(), api.ProduceRequest{Topic: "t", Value: "x"}); return err },
		"groups":  func() error { _, err := c.Groups(t.Context(), api.PageQuery{}); return err },
		"group":   func() error { _, err := c.Group(t.Context(), "g"); return err },
		"reset": func() error {
			_, err := c.Reset(t.Context(), api.ResetRequest{Group: "g", Topic: "t", To: "earliest"})
			return err
		},
	} {
		begun := time.Now()
		if err := ask(); !errors.Is(err, api.ErrUnavailable) {
			t.Errorf("%s, %s: got %v", what, name, err)
		}
		if took := time.Since(begun); took > inTime {
			t.Errorf("%s, %s: took %s", what, name, took)
		}
	}
	shown, err := c.Cluster(t.Context())
	if err != nil || shown.Problem == "" || len(shown.Seeds) != 1 || shown.Brokers == nil {
		t.Errorf("%s: got %+v, %v", what, shown, err)
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	askAll(t, quick(t, addr), "nobody listens")
}

func TestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // connections are accepted by the system, and nobody reads
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	askAll(t, quick(t, l.Addr().String()), "silence")
}

// TestABrokerStops takes away the broker that answered before.
func TestABrokerStops(t *testing.T) {
	real := kafkatest.Start(t)
	real.Topics(t, "t")
	c := quick(t, real.Addr())
	testenv.Wait(t, "it to work", patience, func() bool {
		_, err := c.Topics(t.Context(), api.TopicQuery{})
		return err == nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tail := make(chan error, 1)
	go func() { tail <- c.Tail(ctx, api.MessageQuery{Topic: "t"}, func(api.Message) error { return nil }) }()
	testenv.Wait(t, "it to work", patience, func() bool {
		_, err := c.Messages(t.Context(), api.MessageQuery{Topic: "t"})
		return err == nil
	})
	real.Stop(context.Background())
	select {
	case err := <-tail:
		if !errors.Is(err, api.ErrUnavailable) {
			t.Errorf("the tail ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("the tail does not notice")
	}
	askAll(t, c, "the broker stopped")
}

func TestLookingCreatesNothing(t *testing.T) {
	b, err := broker.Start(t.Context(), broker.Config{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)}) // creates what is asked for
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Stop(context.Background()) })
	e := newEnv(t, kafka.Config{Brokers: []string{b.Addr()}}, cluster.Config{})
	none := e.kafka.Topic("none")
	e.cluster.Messages(admin(t), api.MessageQuery{Topic: none})
	e.cluster.Tail(admin(t), api.MessageQuery{Topic: none}, nil)
	e.cluster.Topic(t.Context(), none)
	e.cluster.Produce(t.Context(), api.ProduceRequest{Topic: none, Value: "x"})
	e.cluster.Reset(t.Context(), api.ResetRequest{Group: "g", Topic: none, To: "earliest"})
	there := e.topic("there", 1)
	e.put(there, 0, 0, "x")
	e.messages(api.MessageQuery{Topic: there})
	topics, err := e.admin.ListTopics(t.Context())
	if err != nil || topics.Has(none) || len(topics) != 1 {
		t.Errorf("got %v, %v", topics.Names(), err)
	}
	groups, err := e.admin.ListGroups(t.Context())
	if err != nil || len(groups) != 0 {
		t.Errorf("got groups %v, %v", groups.Groups(), err)
	}
}
