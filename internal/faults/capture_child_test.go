//go:build unix

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/kafka"
)

const roleCapture = "capture"

// captureSettings are those of a process that is a worker of connectors, with one of PostgreSQL.
type captureSettings struct {
	Brokers    []string
	Prefix, ID string
	Connector  map[string]string
}

// runCapture is that process; it returns its exit code.
func runCapture(ctx context.Context, c captureSettings) int {
	if err := captureUntil(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func captureUntil(ctx context.Context, c captureSettings) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	json := "org.apache.kafka.connect.json.JsonConverter"
	w, err := connect.New(connect.Config{
		Kafka: kafka.Config{Brokers: c.Brokers, Prefix: c.Prefix, ClientID: c.ID, Logger: log}, ID: c.ID, Logger: log,
		SessionTimeout: 2 * time.Second,
		Plugins:        plugin.Set{Sources: []plugin.Source{postgres.Connector{}}, Converters: converters.Plugins(), Headers: converters.Headers()},
		Converters: map[string]string{
			"key.converter": json, "key.converter.schemas.enable": "false", "value.converter": json, "value.converter.schemas.enable": "false",
		},
	})
	if err != nil {
		return err
	}
	if err := w.Start(ctx); err != nil {
		return err
	}
	keepCapturing(ctx, w, c.Connector)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	return w.Stop(stopping)
}

// keepCapturing makes the connector where it is missing, and its task run again where it failed, as
// an operator would.
func keepCapturing(ctx context.Context, w *connect.Worker, config map[string]string) {
	const name = "capture"
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if w.Ready() != nil {
			continue
		}
		status, err := w.Status(name)
		if errors.Is(err, connect.ErrNotFound) {
			_, err = w.Create(ctx, name, config, connect.Started)
		}
		if err == nil && len(status.Tasks) > 0 && status.Tasks[0].State == "FAILED" {
			fmt.Fprintln(os.Stderr, "the task failed:", status.Tasks[0].Trace)
			_, err = w.Restart(ctx, name, true, true)
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}
