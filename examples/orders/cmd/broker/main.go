// Command broker is a Kafka broker with a schema registry, for trying the four services on a
// machine without Kafka; see --help. For data you need, use Kafka.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/registry"
)

type flags struct {
	Listen   string `help:"Address to serve on." default:"127.0.0.1:9092"`
	Registry string `help:"Address to serve a schema registry on, whose topic is in this broker; off has none." default:"127.0.0.1:8081"`
	DataDir  string `help:"Folder that keeps the log over restarts, not over crashes. Default: in memory."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("broker"), kong.Description("A Kafka broker and a schema registry in one process, for trying things out."))
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "broker:", err)
		os.Exit(1)
	}
}

func run(f flags) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b, err := broker.Start(ctx, broker.Config{Addr: f.Listen, DataDir: f.DataDir})
	if err != nil {
		return fmt.Errorf("%w; choose another address with --listen or another folder with --data-dir", err)
	}
	end, err := serveRegistry(ctx, f.Registry, b.Addr())
	if err != nil {
		return errors.Join(err, b.Stop(context.WithoutCancel(ctx)))
	}
	fmt.Println("ready at", b.Addr()+":", b.Durability())
	<-ctx.Done()
	end()
	return b.Stop(context.WithoutCancel(ctx))
}

// serveRegistry returns when it is ready, and how to end it.
func serveRegistry(ctx context.Context, address, kafkaAddress string) (end func(), err error) {
	if address == "off" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address with --registry, or off", err)
	}
	r, err := registry.Open(ctx, registry.Config{Kafka: kafka.Config{Brokers: []string{kafkaAddress}}, Local: true})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s := &http.Server{Handler: r.Handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l) // it ends with Close
	}()
	return func() {
		s.Close()
		<-served
		r.Close()
	}, nil
}
