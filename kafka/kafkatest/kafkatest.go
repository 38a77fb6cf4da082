// Package kafkatest gives a test a Kafka broker of its own, in milliseconds:
//
//	cluster := kafkatest.Start(t)
//	client := cluster.Client(t)
//
// It is the broker of package kafka/broker, in memory, on a free port.
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

// Cluster is a running broker.
type Cluster struct {
	*broker.Broker
	// Config to connect with; change the copy you use, for example its Prefix.
	Config kafka.Config
}

// Start runs a broker until the test ends. It creates topics only where it is
// told to (Topics), so that a missing one shows, and allows short session
// timeouts, so that a test need not wait for a dead member.
func Start(t testing.TB) *Cluster {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	b, err := broker.Start(t.Context(), broker.Config{
		Addr: "127.0.0.1:0", NoAutoCreate: true, MinSessionTimeout: 100 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	t.Cleanup(func() { b.Stop(context.Background()) })
	return &Cluster{Broker: b, Config: kafka.Config{Brokers: []string{b.Addr()}, Logger: quiet}}
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
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	topics := make([]kafka.Topic, len(names))
	for i, name := range names {
		topics[i].Name = name
	}
	if err := kafka.EnsureTopics(ctx, c.Client(t), c.Config, topics...); err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
}
