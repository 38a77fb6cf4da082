// Command broker is a Kafka broker for trying the four services on a machine
// without Kafka; see --help. For data you need, use Kafka.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/kafka/broker"
)

type flags struct {
	Listen  string `help:"Address to serve on." default:"127.0.0.1:9092"`
	DataDir string `help:"Folder that keeps the log over restarts, not over crashes. Default: in memory."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("broker"), kong.Description("A Kafka broker in one process, for trying things out."))
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
	fmt.Println("ready at", b.Addr()+":", b.Durability())
	<-ctx.Done()
	return b.Stop(context.WithoutCancel(ctx))
}
