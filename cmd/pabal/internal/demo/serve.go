package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/lifecycle"
)

// Serve runs one service as a child of a demo: it reads its settings from in
// and stops when in ends, which it does at the latest with the parent.
func Serve(ctx context.Context, in io.Reader, stderr io.Writer) error {
	// Ctrl-C goes to all processes of a terminal; the parent decides.
	signal.Ignore(os.Interrupt)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	decoder := json.NewDecoder(in)
	var s settings
	if err := decoder.Decode(&s); err != nil {
		return fmt.Errorf("read the service's settings from standard input: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	one, err := s.begin(ctx, newLogger(stderr, s.LogLevel))
	if err != nil {
		return err
	}
	<-ctx.Done()
	stopping, stopped := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer stopped()
	return one.Stop(stopping)
}

const (
	startTimeout = 3 * time.Minute
	// startPause is before another attempt.
	startPause = 200 * time.Millisecond
)

// begin builds and starts it, again where the broker is away: that may be killed as well, and
// comes again.
func (s settings) begin(ctx context.Context, log *slog.Logger) (lifecycle.Service, error) {
	ctx, done := context.WithTimeout(ctx, startTimeout)
	defer done()
	for {
		one, err := s.build(log)
		if err == nil {
			err = one.Start(ctx)
		}
		if err == nil || !errors.Is(err, kafka.ErrUnreachable) && !errors.Is(err, client.ErrUnavailable) {
			return one, err
		}
		log.Warn("not started, tried again", "service", s.Name, "error", err)
		if wait(ctx, startPause) != nil {
			return nil, err
		}
	}
}
