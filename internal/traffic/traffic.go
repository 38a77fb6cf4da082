// Package traffic behaves as the customers of the order system: it places
// orders at a rate, over REST and without knowing the services' code, among
// them such as must be refused, are cancelled or are sent twice.
package traffic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Config says what traffic to make.
type Config struct {
	Addresses Addresses
	// Run is part of every Idempotency-Key and user name, so that two runs
	// never share one.
	Run  string
	Seed uint64
	// Rate is in orders per second.
	Rate float64
	// MaxOpen is how many orders may be under way; further ones wait.
	MaxOpen int
	// Connections bounds the requests under way; 128 by default.
	Connections int
	// GiveUp bounds one request with its repeats; the constant GiveUp by default.
	GiveUp time.Duration
	// Tracker and Ledger learn of every accepted order.
	Tracker *Tracker
	Ledger  *Ledger
}

// Traffic is a source of requests; Run runs it once.
type Traffic struct {
	Config
	run    string
	client *client
	world  world
	stats  stats
	gate   Gate

	plan  *Plan // of bursts
	burst int64 // the last number of one
}

type stats struct {
	repeats, failed, duplicates, mismatches, cancels, cancelled, late atomic.Int64
	firstError                                                        atomic.Pointer[string]
}

// Stats are counts since the start.
type Stats struct {
	// Repeats are requests sent again because no answer came.
	Repeats int64
	// Failed requests were answered wrongly or never; FirstFailure is one.
	Failed       int64
	FirstFailure string
	// Duplicates are orders sent twice on purpose; Mismatches of them got two
	// different orders.
	Duplicates, Mismatches int64
	// Cancels were asked for by customers; CancelsTaken came in time.
	Cancels, CancelsTaken int64
}

// GiveUp is how long a request is repeated by default. A service that is killed again and again on a
// machine with much else to do is back for seconds only.
const GiveUp = 3 * time.Minute

// New returns traffic that does not flow yet.
func New(c Config) *Traffic {
	if c.Connections == 0 {
		c.Connections = 128
	}
	if c.GiveUp == 0 {
		c.GiveUp = GiveUp
	}
	t := &Traffic{Config: c, run: c.Run}
	t.client = &client{NewClient(c.Connections, c.GiveUp, func() { t.stats.repeats.Add(1) }), c.Addresses}
	return t
}

// Stats may be called at any time.
func (t *Traffic) Stats() Stats {
	s := Stats{
		Repeats: t.stats.repeats.Load(), Failed: t.stats.failed.Load(),
		Duplicates: t.stats.duplicates.Load(), Mismatches: t.stats.mismatches.Load(),
		Cancels: t.stats.cancels.Load(), CancelsTaken: t.stats.cancelled.Load(),
	}
	if first := t.stats.firstError.Load(); first != nil {
		s.FirstFailure = *first
	}
	return s
}

// Prepare creates the first customers, restaurants and products.
func (t *Traffic) Prepare(ctx context.Context) error {
	if err := t.setUp(ctx); err != nil {
		return fmt.Errorf("create customers and restaurants: %w", err)
	}
	return nil
}

// Run makes requests until stop is closed, then waits for the answers under
// way. The end of ctx gives those up.
func (t *Traffic) Run(ctx context.Context, stop <-chan struct{}) {
	defer t.client.Close()
	plan, number := NewPlan(t.Seed), int64(0)
	Flow[job]{
		Rate: t.Rate, Workers: t.Connections, Full: t.full, Freed: t.Tracker.Freed(), Do: t.do,
		Counts: func(j job) bool { return j.IsOrder() },
		Next: func() job {
			number++
			j := job{Intent: plan.Next(), number: number, due: time.Now()}
			if j.IsOrder() {
				t.gate.Enter()
			}
			return j
		},
	}.Run(ctx, stop)
}

// full says whether as many orders are under way as may be.
func (t *Traffic) full() bool {
	return t.MaxOpen > 0 && t.Tracker.Open()+t.gate.Inside() >= t.MaxOpen
}

// Burst places the next orders of the plan, with what keeps them going, and
// returns when every one was answered. Instead of Run, not beside it.
func (t *Traffic) Burst(ctx context.Context, orders int) {
	if t.plan == nil {
		t.plan = NewPlan(t.Seed)
	}
	var all sync.WaitGroup
	for orders > 0 {
		t.burst++
		j := job{Intent: t.plan.Next(), number: t.burst, due: time.Now()}
		if j.IsOrder() {
			orders--
			t.gate.Enter()
		}
		all.Go(func() { t.do(ctx, j) })
	}
	all.Wait()
}

// job is an intent and when it was due.
type job struct {
	Intent
	number int64
	due    time.Time
}

func (t *Traffic) do(ctx context.Context, j job) {
	if err := t.perform(ctx, j); err != nil && !errors.Is(err, context.Canceled) {
		t.stats.failed.Add(1)
		text := err.Error()
		t.stats.firstError.CompareAndSwap(nil, &text)
	}
}

func (t *Traffic) perform(ctx context.Context, j job) error {
	switch j.Kind {
	case Deposit:
		return t.client.deposit(ctx, t.customer(j.Customer), j.Price)
	case NewCustomer:
		return t.addCustomer(ctx, j.Customer, j.Price)
	case NewProduct:
		return t.addProduct(ctx, j.Restaurant, j.Items[0].Product, j.Quantity)
	}
	return t.order(ctx, j)
}

// order places an order and does to it what its kind says.
func (t *Traffic) order(ctx context.Context, j job) error {
	defer t.gate.Leave()
	key := fmt.Sprintf("%s-%d", t.run, j.number)
	body := t.body(j.Intent)
	if j.Kind == Duplicate && j.Together {
		return t.orderTogether(ctx, j, key, body)
	}
	id, err := t.place(ctx, j, key, body)
	if err != nil {
		return err
	}
	switch j.Kind {
	case Duplicate:
		return t.again(ctx, key, body, id)
	case CustomerCancel:
		return t.cancel(ctx, id, j.CancelAfter)
	}
	return nil
}

func (t *Traffic) place(ctx context.Context, j job, key string, body orderBody) (string, error) {
	id, err := t.client.placeOrder(ctx, key, body)
	if err != nil {
		t.Ledger.Unknown(key)
		return "", err
	}
	t.Tracker.Placed(id, j.Kind, j.due)
	return id, t.Ledger.Accepted(key, id)
}

// again repeats a request that was answered: it must name the same order.
func (t *Traffic) again(ctx context.Context, key string, body orderBody, id string) error {
	t.stats.duplicates.Add(1)
	second, err := t.client.placeOrder(ctx, key, body)
	if err != nil {
		return err
	}
	if second != id {
		t.stats.mismatches.Add(1)
		return fmt.Errorf("Idempotency-Key %s named the orders %s and %s", key, id, second)
	}
	return nil
}

// orderTogether sends the same request twice at the same time.
func (t *Traffic) orderTogether(ctx context.Context, j job, key string, body orderBody) error {
	var twin string
	var twinErr error
	var wg sync.WaitGroup
	wg.Go(func() { twin, twinErr = t.client.placeOrder(ctx, key, body) })
	id, err := t.place(ctx, j, key, body)
	wg.Wait()
	t.stats.duplicates.Add(1)
	if err != nil || twinErr != nil {
		return errors.Join(err, twinErr)
	}
	if id != twin {
		t.stats.mismatches.Add(1)
		return fmt.Errorf("Idempotency-Key %s named the orders %s and %s", key, id, twin)
	}
	return nil
}

func (t *Traffic) cancel(ctx context.Context, id string, after time.Duration) error {
	if err := Wait(ctx, after); err != nil {
		return err
	}
	t.stats.cancels.Add(1)
	taken, err := t.client.cancelOrder(ctx, id)
	if taken {
		t.stats.cancelled.Add(1)
	}
	return err
}
