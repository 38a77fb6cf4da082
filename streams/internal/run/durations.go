package run

import (
	"sync"
	"time"
)

// durations are those of the commits so far.
type durations struct {
	mu      sync.Mutex
	n       int64
	sum     time.Duration
	longest time.Duration
}

func (d *durations) add(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	d.sum += t
	d.longest = max(d.longest, t)
}

// ms on average and at most.
func (d *durations) ms() (mean, longest float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n == 0 {
		return 0, 0
	}
	const ms = float64(time.Millisecond)
	return float64(d.sum) / float64(d.n) / ms, float64(d.longest) / ms
}
