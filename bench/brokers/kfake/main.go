// Kfake is franz-go's kfake with a data folder, as a process of its own:
//
//	kfake -addr 127.0.0.1:9092 -dir d -durability fsync
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kfake:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("kfake", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:9092", "address to serve")
	dir := flags.String("dir", "", "data folder")
	durability := flags.String("durability", "os", "os, or fsync for each batch")
	if err := flags.Parse(args); err != nil {
		return err
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.DataDir(*dir),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return net.Listen("tcp", *addr) }),
	}
	if *durability == "fsync" {
		opts = append(opts, kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return err
	}
	<-ctx.Done()
	cluster.Close()
	return nil
}
