package registry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

func Example() {
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	b, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Stop(ctx)
	r, err := registry.Open(ctx, registry.Config{Kafka: kafka.Config{Brokers: []string{b.Addr()}, Logger: quiet}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	server := httptest.NewServer(r.Handler())
	defer server.Close()

	c, err := client.New(client.Config{URLs: []string{server.URL}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	order := `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}`
	id, err := c.Register(ctx, "orders-value", client.Schema{Text: order})
	fmt.Println(id, err)
	order = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"total","type":"long"}]}`
	_, err = c.Register(ctx, "orders-value", client.Schema{Text: order})
	fmt.Println(errors.Is(err, client.ErrIncompatible)) // total has no default
	// Output:
	// 1 <nil>
	// true
}
