// Package library behaves as the members of the library: it rents, returns, is late and
// pays at a rate, over REST and without knowing the services' code, among rents that
// must be undone.
package library

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/internal/traffic"
)

// Config says what traffic to make.
type Config struct {
	// The base URLs of the services.
	Rental, Book, Member string
	// Run is part of every member's id, so that two runs never share one.
	Run  string
	Seed uint64
	// Rate is in rents per second.
	Rate float64
	// MaxOpen is how many stories may be under way; further ones wait.
	MaxOpen int
	// Connections bounds the requests under way; 128 by default.
	Connections int
	// GiveUp bounds one request with its repeats, and the wait for the end of a
	// transaction; traffic.GiveUp by default.
	GiveUp time.Duration
	// Ledger learns of every accepted rent, return and late fee.
	Ledger *traffic.Ledger
}

// Traffic is a source of requests; Run runs it once.
type Traffic struct {
	Config
	client  *traffic.Client
	world   world
	gate    traffic.Gate
	freed   chan struct{} // buffered; a value after a story ended
	first   chan struct{} // closed at the first rent
	begin   sync.Once
	latency traffic.Histogram
	lastEnd atomic.Int64 // Unix nanoseconds
	stats   stats
}

type stats struct {
	repeats, failed, rents, ended, returned, undone, refused, wrong atomic.Int64
	firstError                                                      atomic.Pointer[string]
}

// Stats are counts since the start.
type Stats struct {
	// Repeats are requests sent again because no answer came.
	Repeats int64
	// Failed requests were answered wrongly or never; FirstFailure is one.
	Failed       int64
	FirstFailure string
	// Rents that were accepted; Ended of them are known to have come to an end, and
	// Undone of those were compensated. Returned books came back.
	Rents, Ended, Undone, Returned int64
	// Refused requests came at the wrong time, as twins of others do.
	Refused int64
	// Wrong ends: a rent that had to be undone was not.
	Wrong int64
	// LastEnd of a rent, zero before the first.
	LastEnd time.Time
}

// New returns traffic that does not flow yet.
func New(c Config) *Traffic {
	if c.Connections == 0 {
		c.Connections = 128
	}
	if c.GiveUp == 0 {
		c.GiveUp = traffic.GiveUp
	}
	t := &Traffic{Config: c, freed: make(chan struct{}, 1), first: make(chan struct{})}
	t.client = traffic.NewClient(c.Connections, c.GiveUp, func() { t.stats.repeats.Add(1) })
	return t
}

// Stats may be called at any time.
func (t *Traffic) Stats() Stats {
	s := Stats{
		Repeats: t.stats.repeats.Load(), Failed: t.stats.failed.Load(), Rents: t.stats.rents.Load(), Ended: t.stats.ended.Load(),
		Undone: t.stats.undone.Load(), Returned: t.stats.returned.Load(), Refused: t.stats.refused.Load(), Wrong: t.stats.wrong.Load(),
	}
	if at := t.lastEnd.Load(); at != 0 {
		s.LastEnd = time.Unix(0, at)
	}
	if first := t.stats.firstError.Load(); first != nil {
		s.FirstFailure = *first
	}
	return s
}

// Latency is from when a rent was due until its end was seen.
func (t *Traffic) Latency() *traffic.Histogram { return &t.latency }

// FirstRented is closed when the first book is rented.
func (t *Traffic) FirstRented() <-chan struct{} { return t.first }

// Run makes requests until stop is closed, then waits for the stories under way. The
// end of ctx gives those up.
func (t *Traffic) Run(ctx context.Context, stop <-chan struct{}) {
	defer t.client.Close()
	plan := NewPlan(t.Seed)
	traffic.Flow[job]{
		Rate: t.Rate, Workers: t.Connections, Freed: t.freed, Do: t.do,
		Counts: func(job) bool { return true },
		Full:   func() bool { return t.MaxOpen > 0 && t.gate.Inside() >= t.MaxOpen },
		Next: func() job {
			t.gate.Enter()
			return job{plan.Next(), time.Now()}
		},
	}.Run(ctx, stop)
}

// job is a story and when it was due.
type job struct {
	Intent
	due time.Time
}

func (t *Traffic) do(ctx context.Context, j job) {
	defer func() {
		t.gate.Leave()
		select {
		case t.freed <- struct{}{}:
		default:
		}
	}()
	if err := t.perform(ctx, j); err != nil && !errors.Is(err, context.Canceled) {
		t.stats.failed.Add(1)
		text := fmt.Sprintf("%s: %s", j.Kind, err)
		t.stats.firstError.CompareAndSwap(nil, &text)
	}
}
