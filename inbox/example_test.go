package inbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

func ExampleConsumer() {
	ctx := context.Background()
	folder, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(folder)
	quiet := slog.New(slog.DiscardHandler)
	kafkaBroker, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		panic(err)
	}
	defer kafkaBroker.Stop(ctx)
	db, err := sqlite.Open(ctx, filepath.Join(folder, "payment.db"), sqlite.Config{})
	if err != nil {
		panic(err)
	}
	defer db.Close()

	// The order, its answer and the mark that it was seen commit together.
	paid := make(chan string)
	pay := func(ctx context.Context, tx *sqlite.Tx, m inbox.Message) error {
		price, err := event.Decode[int64](m.Event)
		if err != nil {
			return err // no retry can mend it: a dead letter at once
		}
		paid <- fmt.Sprintf("%s pays %d", m.Key, price)
		return outbox.Enqueue(ctx, tx, event.New("payment-response", m.Key, "COMPLETED").CausedBy(m.Event))
	}
	cluster := kafka.Config{Brokers: []string{kafkaBroker.Addr()}, Logger: quiet}
	consumer, err := inbox.NewConsumer(db, cluster, inbox.Config[*sqlite.Tx]{
		Name: "payment", Topics: map[string]inbox.Handler[*sqlite.Tx]{"payment-request": pay}, Logger: quiet,
	})
	if err != nil {
		panic(err)
	}
	if err := consumer.Start(ctx); err != nil {
		panic(err)
	}
	defer consumer.Stop(ctx)

	client, err := kafka.NewClient(cluster)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	if err := kafka.EnsureTopics(ctx, client, cluster, kafka.Topic{Name: "payment-request"}); err != nil {
		panic(err)
	}
	request := event.New("payment-request", "order-1", 4200)
	request.Source = "/orders"
	client.ProduceSync(ctx, kafka.ToRecord("payment-request", request))
	fmt.Println(<-paid)
	// Output: order-1 pays 4200
}
