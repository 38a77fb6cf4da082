package traffic

import (
	"context"
	"sync"
	"time"
)

// Flow hands out work at a rate, whether or not earlier work was done, until it is
// stopped. Where workers or what is under way reach their bounds it waits, and what
// could not be begun is not made good: the rate falls.
type Flow[J any] struct {
	// Rate is of the work that Counts, per second.
	Rate   float64
	Counts func(J) bool
	// Next is asked by one goroutine, Do by as many as there are Workers.
	Next    func() J
	Do      func(context.Context, J)
	Workers int
	// Full holds the flow while it is true; Freed has it look again.
	Full  func() bool
	Freed <-chan struct{}
}

// Run hands out work until stop is closed, then waits for what is under way. The end of
// ctx gives that up.
func (f Flow[J]) Run(ctx context.Context, stop <-chan struct{}) {
	work := make(chan J)
	var workers sync.WaitGroup
	for range f.Workers {
		workers.Go(func() {
			for j := range work {
				f.Do(ctx, j)
			}
		})
	}
	f.pace(ctx, stop, work)
	close(work)
	workers.Wait()
}

func (f Flow[J]) pace(ctx context.Context, stop <-chan struct{}, work chan<- J) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	clock := pacer{rate: f.Rate, last: time.Now()}
	for {
		for clock.owed >= 1 && !f.Full() {
			j := f.Next()
			if f.Counts(j) {
				clock.owed--
			}
			select {
			case work <- j:
			case <-stop:
				return
			case <-ctx.Done():
				return
			}
		}
		select {
		case now := <-tick.C:
			clock.advance(now)
		case <-f.Freed:
		case <-stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// pacer turns time into orders owed.
type pacer struct {
	rate, owed float64
	last       time.Time
}

// burst is the most time whose orders may be owed at once.
const burst = 50 * time.Millisecond

func (p *pacer) advance(now time.Time) {
	p.owed += p.rate * now.Sub(p.last).Seconds()
	p.owed = min(p.owed, max(2, p.rate*burst.Seconds()))
	p.last = now
}
