// Package kafkatest gives a test a Kafka broker of its own, in milliseconds:
//
//	cluster := kafkatest.Start(t)
//	client := cluster.Client(t)
//
// It is the broker of package kafka/broker, in memory, on a free port. What a test wants
// to see survive is thrown at it: cluster.RefuseProduce, MoveCoordinators, SlowSync,
// CutConnections and what else broker.Faults have, and cluster.Advance moves its clock.
package kafkatest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Cluster is a running broker, with the faults it can be given.
type Cluster struct {
	*broker.Broker
	*broker.Faults
	// Config to connect with; change the copy you use, for example its Prefix.
	Config kafka.Config
}

// Start runs a broker until the test ends. It creates topics only where it is
// told to (Topics), so that a missing one shows, and allows short session
// timeouts, so that a test need not wait for a dead member. Each change is made to the
// configuration before the start, for example to keep the log in a folder.
func Start(t testing.TB, changes ...func(*broker.Config)) *Cluster {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	c := broker.Config{
		Addr: "127.0.0.1:0", NoAutoCreate: true, MinSessionTimeout: 100 * time.Millisecond, Logger: quiet, Faults: &broker.Faults{},
	}
	for _, change := range changes {
		change(&c)
	}
	b, err := broker.Start(t.Context(), c)
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	t.Cleanup(func() { b.Stop(context.Background()) })
	return &Cluster{Broker: b, Faults: c.Faults, Config: kafka.Config{Brokers: []string{b.Addr()}, Logger: quiet}}
}

// Client connects to the broker until the test ends; opts as for kgo.NewClient.
func (c *Cluster) Client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kafka.NewClient(c.Config, opts...)
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	t.Cleanup(client.Close)
	return client
}

// Topics creates topics with 4 partitions.
func (c *Cluster) Topics(t testing.TB, names ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	topics := make([]kafka.Topic, len(names))
	for i, name := range names {
		topics[i].Name = name
	}
	if err := kafka.EnsureTopics(ctx, c.Client(t), c.Config, topics...); err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
}
