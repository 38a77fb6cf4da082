// Package interrupt is what Ctrl-C means: the first one finishes what is under way,
// the second one ends at once.
package interrupt

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// ErrAborted: interrupted before it could finish.
var ErrAborted = errors.New("aborted")

// Signals delivers Ctrl-C and requests to terminate until stop.
func Signals() (interrupts <-chan struct{}, stop func()) {
	signals, out := make(chan os.Signal, 2), make(chan struct{}, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
				select {
				case out <- struct{}{}:
				default: // two are enough
				}
			case <-done:
				return
			}
		}
	}()
	return out, func() { signal.Stop(signals); close(done) }
}

// Twice turns the first interrupt into a closed channel and the second one into an
// abort with ErrAborted. It ends with ctx.
func Twice(ctx context.Context, interrupts <-chan struct{}, abort context.CancelCauseFunc) (finish <-chan struct{}) {
	first := make(chan struct{})
	go func() {
		for i := range 2 {
			select {
			case <-interrupts:
			case <-ctx.Done():
				return
			}
			if i == 0 {
				close(first)
			}
		}
		abort(ErrAborted)
	}()
	return first
}

// Bound is ctx for so long, and until finish closes. stop ends it and returns when
// nothing watches any more.
func Bound(ctx context.Context, most time.Duration, finish <-chan struct{}) (bounded context.Context, stop func()) {
	bounded, cancel := context.WithTimeout(ctx, most)
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-finish:
			cancel()
		case <-bounded.Done():
		}
	})
	return bounded, func() {
		cancel()
		watching.Wait()
	}
}
