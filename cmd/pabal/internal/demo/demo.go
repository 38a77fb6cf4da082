// Package demo runs systems with traffic and then counts everything again: the
// subcommand demo without its flags.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/interrupt"
)

// Errors that end a demo otherwise than well.
var (
	// ErrViolated: an invariant does not hold, or an order is stuck.
	ErrViolated = errors.New("the invariants do not hold")
	// ErrAborted: it was interrupted before it could finish.
	ErrAborted = interrupt.ErrAborted
)

// Run is one demo, from the check of the flags to the report. It writes the
// report itself. Errors are a *UsageError, ErrViolated, ErrAborted, or what
// kept it from starting or going on.
func Run(ctx context.Context, o Options) error {
	begun := time.Now()
	if err := o.Validate(); err != nil {
		return err
	}
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	finish := interrupt.Twice(ctx, o.Interrupts, abort)
	s := &session{o: o, started: begun, finish: finish, view: newView(o)}
	err := s.run(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrAborted) {
		_ = s.close(cause) // complains of what was cut short
		return cause
	}
	return errors.Join(err, s.close(err))
}

func newView(o Options) *view {
	v := &view{out: o.text()}
	if o.Live {
		v.width = o.Width
	}
	return v
}

// text is where people read; standard output belongs to the report in JSON.
func (o Options) text() io.Writer {
	if o.JSON {
		return o.Stderr
	}
	return o.Stdout
}

// run starts everything, waits, and finishes.
func (s *session) run(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	s.view.say("%s", s.banner())
	if err := s.flow(ctx); err != nil {
		return err
	}
	report, err := s.settle(ctx)
	if err != nil {
		return err
	}
	return s.publish(report)
}

func (s *session) publish(r *Report) error {
	r.WriteText(s.o.text())
	if s.o.JSON {
		if err := r.WriteJSON(s.o.Stdout); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	if !r.OK() {
		return ErrViolated
	}
	return nil
}
