package traffic

import (
	"context"
	"sync/atomic"
	"time"
)

// pace hands out intents at the rate, whether or not earlier ones were
// answered, until stop is closed. Where requests or open orders reach their
// bounds it waits, and what could not be sent is not made good: the rate falls.
func (t *Traffic) pace(ctx context.Context, stop <-chan struct{}, work chan<- job) {
	plan := NewPlan(t.Seed)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	var number int64
	clock := pacer{rate: t.Rate, last: time.Now()}
	for {
		for clock.owed >= 1 && !t.full() {
			number++
			j := job{Intent: plan.Next(), number: number, due: time.Now()}
			if j.IsOrder() {
				clock.owed--
				t.gate.enter()
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
		case <-t.Tracker.freed:
		case <-stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// full says whether as many orders are under way as may be.
func (t *Traffic) full() bool {
	return t.MaxOpen > 0 && t.Tracker.Open()+t.gate.inside() >= t.MaxOpen
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

// gate counts orders whose POST is under way.
type gate struct{ n atomic.Int64 }

func (g *gate) enter()      { g.n.Add(1) }
func (g *gate) leave()      { g.n.Add(-1) }
func (g *gate) inside() int { return int(g.n.Load()) }
