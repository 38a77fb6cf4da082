package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
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
	one, err := s.build(newLogger(stderr, s.LogLevel))
	if err != nil {
		return err
	}
	starting, done := context.WithTimeout(ctx, startTimeout)
	defer done()
	if err := one.Start(starting); err != nil {
		return err
	}
	<-ctx.Done()
	stopping, stopped := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer stopped()
	return one.Stop(stopping)
}

const startTimeout = 3 * time.Minute
