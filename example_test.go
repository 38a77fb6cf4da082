package pabal_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

type Order struct {
	ID    string `json:"id"`
	Price int64  `json:"price"`
}

// An order and the request to pay it commit together; the payment is made
// exactly once, in the transaction that marks the request as handled.
func Example() {
	ctx := context.Background()
	db, cluster, paid, closeAll := surroundings(ctx)
	defer closeAll()

	pay := func(ctx context.Context, tx *sqlite.Tx, m inbox.Message) error {
		order, err := event.Decode[Order](m.Event)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO payments (order_id, price) VALUES ($1, $2)`, order.ID, order.Price)
		return err
	}
	consumer, err := inbox.NewConsumer(db, cluster, inbox.Config[*sqlite.Tx]{
		Name:   "payment",
		Topics: map[string]inbox.Handler[*sqlite.Tx]{"payment-request": announce(pay, paid)},
	})
	must(err)
	relay, err := outbox.NewRelay(db, cluster, outbox.RelayConfig{})
	must(err)
	var services lifecycle.Group
	services.Add("consumer", consumer)
	services.Add("relay", relay)
	must(services.Start(ctx))
	defer services.Stop(ctx)

	order := Order{ID: "order-1", Price: 1200}
	err = db.Update(ctx, func(tx *sqlite.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO orders (id, price) VALUES ($1, $2)`, order.ID, order.Price); err != nil {
			return err
		}
		return outbox.Enqueue(ctx, tx, event.New("payment-request", order.ID, order))
	})
	must(err)
	fmt.Println("paid", <-paid)
	// Output: paid order-1
}

// announce tells the example that a payment was handled.
func announce(handle inbox.Handler[*sqlite.Tx], paid chan<- string) inbox.Handler[*sqlite.Tx] {
	return func(ctx context.Context, tx *sqlite.Tx, m inbox.Message) error {
		err := handle(ctx, tx, m)
		if err == nil {
			paid <- m.Key
		}
		return err
	}
}

// surroundings are a broker in process and a database file with two tables.
func surroundings(ctx context.Context) (db *sqlite.DB, cluster kafka.Config, paid chan string, closeAll func()) {
	quiet := slog.New(slog.DiscardHandler)
	slog.SetDefault(quiet)
	dir, err := os.MkdirTemp("", "pabal-example")
	must(err)
	b, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0"})
	must(err)
	cluster = kafka.Config{Brokers: []string{b.Addr()}}
	db, err = sqlite.Open(ctx, filepath.Join(dir, "shop.db"), sqlite.Config{})
	must(err)
	must(db.Update(ctx, func(tx *sqlite.Tx) error {
		for _, table := range []string{`orders (id TEXT PRIMARY KEY, price BIGINT)`, `payments (order_id TEXT PRIMARY KEY, price BIGINT)`} {
			if _, err := tx.Exec(ctx, `CREATE TABLE `+table); err != nil {
				return err
			}
		}
		return nil
	}))
	client, err := kafka.NewClient(cluster)
	must(err)
	must(kafka.EnsureTopics(ctx, client, cluster, kafka.Topic{Name: "payment-request", Config: kafka.KeepForever()}))
	client.Close()
	return db, cluster, make(chan string, 1), func() {
		db.Close()
		b.Stop(ctx)
		os.RemoveAll(dir)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
