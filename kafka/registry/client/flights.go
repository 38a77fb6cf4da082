package client

import (
	"context"
	"sync"
)

// flights lets callers with the same question wait for one answer.
type flights struct {
	mu  sync.Mutex
	all map[string]*flight
}

type flight struct {
	done  chan struct{}
	value any
	err   error
	// abandoned: the context of who asked ended.
	abandoned bool
}

// do asks, or waits for who asks already. Where that one gave up because its own context ended, the
// next one asks.
func (f *flights) do(ctx context.Context, key string, ask func() (any, error)) (any, error) {
	for {
		f.mu.Lock()
		other := f.all[key]
		if other == nil {
			break
		}
		f.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if !other.abandoned {
			return other.value, other.err
		}
	}
	own := &flight{done: make(chan struct{})}
	if f.all == nil {
		f.all = map[string]*flight{}
	}
	f.all[key] = own
	f.mu.Unlock()
	own.value, own.err = ask()
	own.abandoned = own.err != nil && ctx.Err() != nil
	f.mu.Lock()
	delete(f.all, key)
	f.mu.Unlock()
	close(own.done)
	return own.value, own.err
}
