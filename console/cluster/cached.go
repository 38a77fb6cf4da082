package cluster

import (
	"context"
	"sync"
	"time"
)

// cached keeps an answer, or a failure, for a while. Those who ask at the same time
// share one question. A failure is kept for a second at most.
type cached[T any] struct {
	age time.Duration

	mu    sync.Mutex
	value T
	err   error
	until time.Time
	// busy is closed when the question under way is answered; nil where none is.
	busy chan struct{}
}

// get returns an answer not older than age. load gets a context bounded by timeout
// that does not end with ctx: others wait for its answer, too.
func (c *cached[T]) get(ctx context.Context, timeout time.Duration, load func(context.Context) (T, error)) (T, error) {
	for {
		c.mu.Lock()
		if time.Now().Before(c.until) {
			defer c.mu.Unlock()
			return c.value, c.err
		}
		if c.busy == nil {
			c.busy = make(chan struct{})
			c.mu.Unlock()
			return c.load(ctx, timeout, load)
		}
		busy := c.busy
		c.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
}

func (c *cached[T]) load(ctx context.Context, timeout time.Duration, load func(context.Context) (T, error)) (value T, err error) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	value, err = load(bounded)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.value, c.err = value, err
	age := c.age
	if err != nil {
		age = min(age, time.Second)
	}
	c.until = time.Now().Add(age)
	close(c.busy)
	c.busy = nil
	return value, err
}

// forget has the next question asked anew.
func (c *cached[T]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = time.Time{}
}
