package kafka_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kgo"
)

// An event written with franz-go and read back: what NewClient returns is its client.
func Example() {
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	inProcess, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		panic(err)
	}
	defer inProcess.Stop(ctx)

	cluster := kafka.Config{Brokers: []string{inProcess.Addr()}, Prefix: "shop.", Logger: quiet}
	client, err := kafka.NewClient(cluster, kgo.ConsumeTopics(cluster.Topic("greetings")))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	if err := kafka.EnsureTopics(ctx, client, cluster, kafka.Topic{Name: "greetings", Partitions: 1}); err != nil {
		panic(err)
	}

	hello := event.New("greeted", "jenny", "hello")
	hello.Source = "/example" // the outbox relay would fill it in
	if err := client.ProduceSync(ctx, kafka.ToRecord(cluster.Topic("greetings"), hello)).FirstErr(); err != nil {
		panic(err)
	}
	for record := range client.PollFetches(ctx).RecordsAll() {
		e, err := kafka.FromRecord(record)
		fmt.Println(record.Topic, e.Type, e.Key, string(e.Payload), err)
	}
	// Output: shop.greetings greeted jenny "hello" <nil>
}
