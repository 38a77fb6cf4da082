package main

import (
	"context"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/demo"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/telemetry"
)

// serviceCommand is how a demo runs a service in a process of its own.
type serviceCommand struct {
	Name string `arg:"" help:"Of the service, for the process list."`
}

// Run is called by kong.
func (c *serviceCommand) Run(ctx context.Context, s *streams) error {
	stop, err := telemetry.Start(ctx, c.Name, version(), "")
	if err != nil {
		return err
	}
	defer flush(ctx, stop)
	return demo.Serve(ctx, s.in, s.err)
}
