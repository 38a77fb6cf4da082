// Package cluster finds out whether Kafka is there, before anything needs it.
package cluster

import (
	"context"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/kafka"
)

const timeout = 10 * time.Second

// Check asks a cluster for its id; its error says what is wrong.
func Check(ctx context.Context, c kafka.Config) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c.Logger = slog.New(slog.DiscardHandler) // the error says it
	client, err := kafka.NewClient(c)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = kafka.ClusterID(ctx, client, c)
	return err
}
