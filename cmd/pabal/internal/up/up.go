// Package up runs a broker and the console: the subcommand up without its flags.
package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/connectors"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/interrupt"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/schemas"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/webconsole"
	"github.com/pabal-dev/pabal/console/audit"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// Options of Run; all are required.
type Options struct {
	Config  *config.Loaded
	Version string
	// Stdout gets the banner, Stderr the log.
	Stdout, Stderr io.Writer
	// Interrupts delivers requests to finish; the second one aborts.
	Interrupts <-chan struct{}
}

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// Run starts everything, says where it is, and stops it at the first interrupt or
// when ctx ends. Errors are interrupt.ErrAborted or what kept it from starting.
func Run(ctx context.Context, o Options) error {
	aborted, abort := context.WithCancelCause(context.WithoutCancel(ctx))
	defer abort(nil)
	s := &session{o: o, finish: interrupt.Twice(aborted, o.Interrupts, abort)}
	err := s.start(ctx)
	if err == nil {
		s.say("%s", s.banner())
		s.wait(ctx)
		s.say("Stopping; once more Ctrl-C ends at once.\n")
	}
	stopping, cancel := context.WithTimeout(aborted, stopTimeout)
	defer cancel()
	stopped := s.stop(stopping)
	if cause := context.Cause(aborted); errors.Is(cause, interrupt.ErrAborted) {
		return cause
	}
	return errors.Join(err, stopped)
}

// session is one run: what it holds is taken in the order of the fields and given
// back in reverse.
type session struct {
	o      Options
	finish <-chan struct{}

	log     *slog.Logger
	kafkaAt string // where the broker in this process listens
	at      string // where the console listens, "" for none
	// connectAt is where the connectors' REST API listens, "" for none.
	connectAt string
	// registryAt is where the schema registry listens, "" for none.
	registryAt string
	files      files
	audit      *audit.Log // where the API of connectors writes to it, too; nil is the console's own
	broker     *broker.Broker
	cluster    kafka.Config
	connect    *connectors.Server
	registry   *schemas.Server
	console    *webconsole.Running

	undo []func(context.Context) error
}

// onStop has something done at the end; the last one first.
func (s *session) onStop(do func(context.Context) error) { s.undo = append(s.undo, do) }

func (s *session) stop(ctx context.Context) error {
	var errs []error
	for i := len(s.undo) - 1; i >= 0; i-- {
		errs = append(errs, s.undo[i](ctx))
	}
	return errors.Join(errs...)
}

// start checks everything that can be checked before it starts anything.
func (s *session) start(ctx context.Context) error {
	ctx, stop := interrupt.Bound(ctx, startTimeout, s.finish)
	defer stop()
	for _, step := range []func(context.Context) error{
		s.readFiles, s.takeAddresses, s.takeFolder, s.startBroker, s.startRegistry, s.startConnect, s.startConsole,
	} {
		err := step(ctx)
		switch {
		case err == nil:
		case s.finishing():
			return fmt.Errorf("%w while starting", interrupt.ErrAborted)
		default:
			return err
		}
	}
	return nil
}

func (s *session) finishing() bool {
	select {
	case <-s.finish:
		return true
	default:
		return false
	}
}

func (s *session) wait(ctx context.Context) {
	select {
	case <-s.finish:
	case <-ctx.Done():
	}
}

func (s *session) say(format string, args ...any) { fmt.Fprintf(s.o.Stdout, format, args...) }
