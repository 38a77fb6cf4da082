package main

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/interrupt"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/telemetry"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/up"
)

// Help is what --help says about the subcommand.
func (upCommand) Help() string {
	return `Starts a Kafka broker in this process, unless --kafka names another, and the console.
Services that announce themselves on that Kafka appear in it. Nothing but this program is
needed; without --data-dir everything is gone when it ends.

With --data-dir records are kept, and one that was acknowledged is on the disk: it survives
a kill and a power cut (--durability says otherwise).

It listens on 127.0.0.1. Another address for the console needs users (pabal user) and TLS,
one for the broker TLS and users (--broker-users) or clients' certificates.
Each setting is a flag, a PABAL_ variable, a line of a file, or of a configuration server
(--config-server): see pabal config explain.`
}

type upCommand struct{ configured }

// Run is called by kong.
func (c *upCommand) Run(ctx context.Context, s *streams) error {
	loaded, err := c.load(ctx)
	if err != nil {
		return err
	}
	for _, warning := range loaded.Warnings {
		fmt.Fprintln(s.err, warning)
	}
	stop, err := telemetry.Start(ctx, "pabal-up", version(), loaded.OTel.Endpoint)
	if err != nil {
		return err
	}
	defer flush(ctx, stop)
	interrupts, end := interrupt.Signals()
	defer end()
	return up.Run(ctx, up.Options{Config: loaded, Version: version(), Stdout: s.out, Stderr: s.err, Interrupts: interrupts})
}
