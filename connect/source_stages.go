package connect

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// stages until one fails or ctx ends. What was polled by then is committed.
func (s *sourceRun) stages(ctx context.Context) error {
	polling, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(s.ready)
		stage(s.polled, stop, s.gather)
	})
	wg.Go(func() {
		stage(s.ready, stop, func() error {
			for b := range s.ready {
				if err := s.commit(b); err != nil {
					return err
				}
			}
			return nil
		})
	})
	err := func() error {
		defer wg.Wait() // also where the source panics
		defer close(s.polled)
		return s.poll(polling)
	}()
	if cause := context.Cause(polling); cause != nil && ctx.Err() == nil {
		return cause
	}
	if ctx.Err() != nil {
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
		defer cancel()
		s.tell(farewell)
		return ctx.Err()
	}
	return err
}

// stage does its work until in is closed. Where it fails, or a plugin panics in it, it ends the run
// and drops what still comes, so that nobody waits for it.
func stage[T any](in <-chan T, stop context.CancelCauseFunc, work func() error) {
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		return work()
	}()
	if err != nil {
		stop(err)
		for range in {
		}
	}
}

// commitSpacing is the least time between the beginnings of two transactions that are not full: a
// fast broker would else get one for each change, which costs both of them more than the changes do.
const commitSpacing = 5 * time.Millisecond

// gather what is polled to batches. While one is committed the next one grows, so that a broker
// that is slow to commit gets larger transactions, not fewer records.
func (s *sourceRun) gather() error {
	var b batch
	next := time.NewTimer(0) // when a batch may be committed that is not full
	defer next.Stop()
	early := true
	for {
		in, out := s.polled, s.ready
		due := s.due(&b)
		full := b.bytes >= s.most()
		if !due || early && !full {
			out = nil
		}
		if due && (full || s.boundary() == byConnector) {
			in = nil
		}
		select {
		case <-next.C:
			early = false
		case records, more := <-in:
			if !more {
				if due {
					s.ready <- b
				}
				return nil
			}
			if err := s.add(&b, records); err != nil {
				return err
			}
		case out <- b:
			b, early = batch{}, true
			next.Reset(commitSpacing)
		}
	}
}

// most bytes of a batch: one is gathered while another one is committed, and the producer has its
// own copies.
func (s *sourceRun) most() int { return int(s.w.cfg.TaskBytes) / 32 }

// Values of transaction.boundary other than poll.
const (
	byInterval  = "interval"
	byConnector = "connector"
)

func (s *sourceRun) boundary() string {
	return strings.ToLower(s.common.String("transaction.boundary"))
}

// due says whether the batch is to be committed now.
func (s *sourceRun) due(b *batch) bool {
	if b.at == nil {
		return false
	}
	if len(b.records) == 0 || b.bytes >= s.most() {
		return true
	}
	switch s.boundary() {
	case byInterval:
		wait := s.common.Millis("transaction.boundary.interval.ms")
		if wait == 0 {
			wait = time.Minute
		}
		return time.Since(b.began) >= wait
	case byConnector:
		return b.ended
	}
	return true
}
