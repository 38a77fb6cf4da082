package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pabal-dev/pabal/kafka/broker"
)

// startBroker starts the broker in process: in memory in a temporary folder,
// which nobody uses again, else with its log in the folder.
func startBroker(ctx context.Context, address string, f *folder, log *slog.Logger) (stop func(context.Context) error, err error) {
	config := broker.Config{Addr: address, Logger: log}
	if !f.temporary {
		if config.DataDir, err = f.file("kafka"); err != nil {
			return nil, err
		}
	}
	b, err := broker.Start(ctx, config)
	switch {
	case errors.Is(err, broker.ErrAddr):
		return nil, fmt.Errorf("%w; choose another port with --kafka-port", err)
	case err != nil:
		return nil, err
	}
	return b.Stop, nil
}
