package broker_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pabal-dev/pabal/kafka/broker"
)

// Any Kafka client connects to Addr.
func ExampleStart() {
	ctx := context.Background()
	b, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	fmt.Println(b.Durability())
	fmt.Println(b.Stop(ctx))
	// Output:
	// in memory: everything is gone when this process ends
	// <nil>
}
