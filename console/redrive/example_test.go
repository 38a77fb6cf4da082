package redrive_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/audit"
	"github.com/pabal-dev/pabal/console/redrive"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// Dead letters of one kind are found together, and a dry run says what would be
// sent. Where a service with that consumer is known, Redrive sends them.
func Example() {
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	b, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		panic(err)
	}
	defer b.Stop(ctx)
	cluster := kafka.Config{Brokers: []string{b.Addr()}, Logger: quiet}
	giveUp(ctx, cluster, "no account 4711", "no account 4712")

	log, err := audit.Open("")
	if err != nil {
		panic(err)
	}
	center, err := redrive.New(cluster, redrive.Config{Audit: log, Logger: quiet})
	if err != nil {
		panic(err)
	}
	if err := center.Start(ctx); err != nil {
		panic(err)
	}
	defer center.Stop(ctx)

	kinds, err := center.Fingerprints(ctx, api.FingerprintQuery{})
	for err == nil && (len(kinds.Items) == 0 || kinds.Items[0].Open < 2) {
		time.Sleep(20 * time.Millisecond)
		kinds, err = center.Fingerprints(ctx, api.FingerprintQuery{})
	}
	if err != nil {
		panic(err)
	}
	for _, k := range kinds.Items {
		fmt.Println(k.Consumer, k.Topic, k.Open)
		plan, err := center.Redrive(ctx, api.RedriveRequest{Fingerprint: k.ID, DryRun: true})
		if err != nil {
			panic(err)
		}
		fmt.Println(plan.State, plan.Total, plan.Preview[0].Obstacle)
	}
	// Output:
	// payment orders 2
	// planned 2 there are no services to ask about consumer payment
}

// giveUp writes dead letters, as the consumer payment does.
func giveUp(ctx context.Context, cluster kafka.Config, reasons ...string) {
	client, err := kafka.NewClient(cluster)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	if err := kafka.EnsureTopics(ctx, client, cluster, kafka.Topic{Name: "payment.dead-letters"}); err != nil {
		panic(err)
	}
	for _, reason := range reasons {
		e := event.New("order-placed", "order-1", nil)
		e.Source = "/orders/order"
		e.Headers = map[string]string{inbox.HeaderConsumer: "payment", inbox.HeaderTopic: "orders", inbox.HeaderPartition: "0", inbox.HeaderOffset: "7",
			inbox.HeaderAttempts: "5", inbox.HeaderTime: "2026-01-02T03:04:05Z", inbox.HeaderError: reason}
		if err := client.ProduceSync(ctx, kafka.ToRecord(cluster.Topic("payment.dead-letters"), e)).FirstErr(); err != nil {
			panic(err)
		}
	}
}
