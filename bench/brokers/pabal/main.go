// Pabal is the broker of package kafka/broker as a process of its own, so that its processor time
// and memory are nobody else's:
//
//	pabal -addr 127.0.0.1:9092 -dir d -durability fsync
//
// It serves until SIGTERM. With -pprof it also serves net/http/pprof, and CPU profiles of a stretch:
// /profile/start, and /profile/stop, which answers with the profile.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/pabal-dev/pabal/kafka/broker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pabal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	config := broker.Config{
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Settings: map[string]string{},
	}
	flags := flag.NewFlagSet("pabal", flag.ContinueOnError)
	flags.StringVar(&config.Addr, "addr", broker.DefaultAddr, "address to serve")
	flags.StringVar(&config.DataDir, "dir", "", "data folder")
	flags.StringVar((*string)(&config.Durability), "durability", "", "fsync, os or memory")
	syncDelay := flags.Duration("sync-delay", 0, "what each sync of the disk takes at least")
	pprofAddr := flags.String("pprof", "", "address to serve profiles at")
	flags.Func("set", "a setting of the broker, name=value; may be repeated", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%q is not name=value", s)
		}
		config.Settings[name] = value
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	config.Faults = new(broker.Faults)
	config.Faults.SlowSync(*syncDelay)
	if *pprofAddr != "" {
		stop, err := serveProfiles(*pprofAddr)
		if err != nil {
			return err
		}
		defer stop()
	}
	b, err := broker.Start(ctx, config)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return b.Stop(context.WithoutCancel(ctx))
}
