package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// Exit codes of Command.
const (
	ExitOK    = 0
	ExitError = 1
	ExitUsage = 2
)

// Main is Command with the process's arguments, until it is interrupted.
func Main(d Definition) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Command(ctx, d, os.Args[1:], os.Stdout, os.Stderr)
}

// Command is the service as a program: it reads args and the environment, runs
// until ctx ends, and returns the exit code. stdout gets what was asked for
// (--help), stderr the log and errors.
func Command(ctx context.Context, d Definition, args []string, stdout, stderr io.Writer) int {
	config, err := parse(ctx, d, args, stdout, stderr)
	switch {
	case errors.Is(err, errAnswered):
		return ExitOK
	case err != nil:
		fmt.Fprintf(stderr, "%s: %s\n", d.Name, err)
		return ExitUsage
	}
	s, err := New(d, config)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return ExitUsage
	}
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(stderr, oneLine(err))
		return ExitError
	}
	return ExitOK
}

func run(ctx context.Context, s *Service) error {
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.Start(starting); err != nil {
		if ctx.Err() != nil {
			return nil // asked to end while starting
		}
		return hint(err)
	}
	<-ctx.Done()
	s.config.Logger.Info("stopping")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return s.Stop(stopping)
}

func hint(err error) error {
	switch {
	case errors.Is(err, ErrListen):
		return fmt.Errorf("%w; choose another address with --listen", err)
	case errors.Is(err, client.ErrUnavailable):
		return fmt.Errorf("%w; say where the schema registry is with --registry, or write JSON with --codec=json", err)
	case errors.Is(err, kafka.ErrUnreachable):
		return fmt.Errorf("%w; say where it is with --kafka", err)
	}
	return err
}

// oneLine is an error as one line, however many were joined.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
