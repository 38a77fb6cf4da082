// Nats is a NATS server with JetStream on a data folder, as a process of its own:
//
//	nats -addr 127.0.0.1:4222 -dir d -durability fsync
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("nats", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:4222", "address to serve")
	dir := flags.String("dir", "", "data folder")
	durability := flags.String("durability", "os", "os, or fsync for each message")
	if err := flags.Parse(args); err != nil {
		return err
	}
	host, text, err := net.SplitHostPort(*addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		Host: host, Port: port, NoLog: true, NoSigs: true,
		JetStream: true, StoreDir: *dir, SyncAlways: *durability == "fsync",
	})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return errors.New("not ready within a minute")
	}
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
