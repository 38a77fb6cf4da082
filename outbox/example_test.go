package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What a transaction enqueued is published after it committed; what one enqueued that
// failed is not.
func ExampleRelay() {
	ctx := context.Background()
	db, cluster, closeAll := surroundings(ctx)
	defer closeAll()

	relay, err := outbox.NewRelay(db, cluster, outbox.RelayConfig{Logger: cluster.Logger})
	if err != nil {
		panic(err)
	}
	if err := relay.Start(ctx); err != nil {
		panic(err)
	}
	defer relay.Stop(ctx)

	enqueue := func(order string, result error) error {
		return db.Update(ctx, func(tx *sqlite.Tx) error {
			return errors.Join(outbox.Enqueue(ctx, tx, event.New("order-placed", order, nil)), result)
		})
	}
	fmt.Println(enqueue("order-1", errors.New("no such restaurant")))
	fmt.Println(enqueue("order-2", nil))

	consumer, err := kafka.NewClient(cluster, kgo.ConsumeTopics("order-placed"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		panic(err)
	}
	defer consumer.Close()
	for record := range consumer.PollFetches(ctx).RecordsAll() {
		fmt.Println("published:", string(record.Key))
	}
	// Output:
	// no such restaurant
	// <nil>
	// published: order-2
}

// surroundings are a broker in process, with the topic, and a database file.
func surroundings(ctx context.Context) (*sqlite.DB, kafka.Config, func()) {
	quiet := slog.New(slog.DiscardHandler)
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	inProcess, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		panic(err)
	}
	db, err := sqlite.Open(ctx, filepath.Join(folder, "orders.db"), sqlite.Config{Logger: quiet})
	if err != nil {
		panic(err)
	}
	cluster := kafka.Config{Brokers: []string{inProcess.Addr()}, Logger: quiet}
	client, err := kafka.NewClient(cluster)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	if err := kafka.EnsureTopics(ctx, client, cluster, kafka.Topic{Name: "order-placed"}); err != nil {
		panic(err)
	}
	return db, cluster, func() {
		db.Close()
		inProcess.Stop(ctx)
		os.RemoveAll(folder)
	}
}
