package lens_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/lens"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// An order and its answer share a correlation id, and are found by the order's key.
func Example() {
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	b, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		panic(err)
	}
	defer b.Stop(ctx)
	cluster := kafka.Config{Brokers: []string{b.Addr()}, Logger: quiet}
	placeAnOrder(ctx, cluster)

	l, err := lens.New(cluster, lens.Config{Logger: quiet})
	if err != nil {
		panic(err)
	}
	if err := l.Start(ctx); err != nil {
		panic(err)
	}
	defer l.Stop(ctx)

	found, err := l.Search(ctx, api.TraceQuery{PageQuery: api.PageQuery{Search: "order-1"}})
	for err == nil && (len(found.Items) == 0 || found.Items[0].Events < 2) { // it reads the log
		time.Sleep(20 * time.Millisecond)
		found, err = l.Search(ctx, api.TraceQuery{PageQuery: api.PageQuery{Search: "order-1"}})
	}
	if err != nil {
		panic(err)
	}
	for _, t := range found.Items {
		fmt.Println(t.Key, "from", t.First, "to", t.Last, "in", t.Events, "events")
	}
	// Output: order-1 from order-placed to order-paid in 2 events
}

func placeAnOrder(ctx context.Context, cluster kafka.Config) {
	client, err := kafka.NewClient(cluster)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	if err := kafka.EnsureTopics(ctx, client, cluster, kafka.Topic{Name: "orders", Partitions: 1}); err != nil {
		panic(err)
	}
	placed := event.New("order-placed", "order-1", nil)
	placed.CorrelationID = placed.ID
	paid := event.New("order-paid", "order-1", nil)
	paid.CorrelationID, paid.CausationID = placed.ID, placed.ID
	for _, e := range []event.Event{placed, paid} {
		e.Source = "/example"
		if err := client.ProduceSync(ctx, kafka.ToRecord(cluster.Topic("orders"), e)).FirstErr(); err != nil {
			panic(err)
		}
	}
}
