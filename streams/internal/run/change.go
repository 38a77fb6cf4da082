package run

import "sync"

// change tells those who wait that something has changed.
type change struct {
	mu sync.Mutex
	ch chan struct{}
}

// wait returns what is closed at the next change.
func (c *change) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ch == nil {
		c.ch = make(chan struct{})
	}
	return c.ch
}

func (c *change) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ch != nil {
		close(c.ch)
		c.ch = nil
	}
}
