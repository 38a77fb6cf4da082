package saga

import (
	"context"
	"errors"
	"sync"
	"time"
)

// runner runs a manager's loops between Start and Stop.
type runner struct {
	// loops end when soft does; hard bounds their transactions.
	loops []func(soft, hard context.Context)

	mu      sync.Mutex
	started bool
	drain   context.CancelFunc
	kill    context.CancelFunc
	wg      sync.WaitGroup
}

// Start begins; it acquires nothing.
func (r *runner) Start(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started {
		return errors.New("the saga manager is started already")
	}
	hard, kill := context.WithCancel(context.Background())
	soft, drain := context.WithCancel(hard)
	r.started, r.drain, r.kill = true, drain, kill
	for _, loop := range r.loops {
		r.wg.Go(func() { loop(soft, hard) })
	}
	return nil
}

// Stop lets the transactions under way finish; where ctx ends first, they are
// rolled back.
func (r *runner) Stop(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.started {
		return nil
	}
	r.drain()
	done := make(chan struct{})
	go func() { r.wg.Wait(); close(done) }()
	var late error
	select {
	case <-done:
	case <-ctx.Done():
		late = ctx.Err()
		r.kill()
		<-done
	}
	r.kill()
	r.started = false
	return late
}

// sleep waits that long, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
