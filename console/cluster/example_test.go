package cluster_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// A topic is created, written to and looked into.
func Example() {
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	b, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		panic(err)
	}
	defer b.Stop(ctx)
	c, err := cluster.New(kafka.Config{Brokers: []string{b.Addr()}, Logger: quiet}, cluster.Config{Logger: quiet})
	if err != nil {
		panic(err)
	}
	if err := c.Start(ctx); err != nil {
		panic(err)
	}
	defer c.Stop(ctx)

	if err := c.CreateTopic(ctx, api.NewTopic{Name: "orders", Partitions: 1}); err != nil {
		panic(err)
	}
	for _, value := range []string{`{"total":20}`, `{"total":7}`} {
		if _, err := c.Produce(ctx, api.ProduceRequest{Topic: "orders", Key: "order-1", Value: value}); err != nil {
			panic(err)
		}
	}
	found, err := c.Messages(ctx, api.MessageQuery{Topic: "orders", From: "earliest", Filter: "value:20"})
	if err != nil {
		panic(err)
	}
	for _, m := range found.Items {
		fmt.Printf("%s[%d]@%d %s %s\n", m.Topic, m.Partition, m.Offset, m.Key.Text, m.Value.Text)
	}
	fmt.Println(found.Scanned, "looked at")
	// Output:
	// orders[0]@0 order-1 {"total":20}
	// 2 looked at
}
