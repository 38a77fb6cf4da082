// Package hello behaves as those who greet: it sends commands to every variant of the
// hello service at a rate, over REST and without knowing its code, and knows what each one
// must answer and what must be left of it.
package hello

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/traffic"
)

// Config says what traffic to make.
type Config struct {
	// URL is the base URL of the service.
	URL string
	// Run is part of every id and Idempotency-Key, so that two runs never share one.
	Run  string
	Seed uint64
	// Rate is in commands per second.
	Rate float64
	// MaxOpen is how many commands may be under way; further ones wait.
	MaxOpen int
	// GiveUp bounds one command with its repeats; traffic.GiveUp by default.
	GiveUp time.Duration
}

// variants of the service, and their entity types.
var variants = []struct{ path, entity string }{{"sourced", "HelloEvents"}, {"durable", "HelloState"}, {"topic", "HelloTopic"}}

// connections bound the requests under way.
const connections = 64

// Traffic is a source of commands; Run runs it once.
type Traffic struct {
	Config
	client *traffic.Client
	people [names][]*person // by variant

	inside                               atomic.Int64
	sent, answered, refused, forgotten   atomic.Int64
	repeats, failed, unanswered, lastEnd atomic.Int64
	firstError                           atomic.Pointer[string]
	first                                chan struct{}
	once                                 sync.Once
	latency                              traffic.Histogram
}

// person is somebody in one variant.
type person struct {
	entity, path, id string

	mu sync.Mutex // commands to one come one after the other
	// state is what it must be; unknown after a command that was never answered.
	state   model
	unknown bool
}

// New returns traffic that does not flow yet.
func New(c Config) *Traffic {
	if c.GiveUp == 0 {
		c.GiveUp = traffic.GiveUp
	}
	t := &Traffic{Config: c, first: make(chan struct{})}
	t.client = traffic.NewClient(connections, c.GiveUp, func() { t.repeats.Add(1) })
	for i := range t.people {
		for _, v := range variants {
			t.people[i] = append(t.people[i], &person{entity: v.entity, path: v.path, id: fmt.Sprintf("%s.%d", c.Run, i), state: model{happy: true}})
		}
	}
	return t
}

// Stats are counts since the start.
type Stats struct {
	// Sent commands, those Answered, of which some were Refused as they must, and Forgotten.
	Sent, Answered, Refused, Forgotten int64
	// Repeats are commands sent again because no answer came; Unanswered never got one.
	Repeats, Unanswered int64
	// Failed were answered wrongly or never; FirstFailure is one.
	Failed       int64
	FirstFailure string
	LastEnd      time.Time
}

// Stats may be called at any time.
func (t *Traffic) Stats() Stats {
	s := Stats{
		Sent: t.sent.Load(), Answered: t.answered.Load(), Refused: t.refused.Load(), Forgotten: t.forgotten.Load(),
		Repeats: t.repeats.Load(), Unanswered: t.unanswered.Load(), Failed: t.failed.Load(),
	}
	if at := t.lastEnd.Load(); at != 0 {
		s.LastEnd = time.Unix(0, at)
	}
	if first := t.firstError.Load(); first != nil {
		s.FirstFailure = *first
	}
	return s
}

// Latency is from when a command was due until it was answered.
func (t *Traffic) Latency() *traffic.Histogram { return &t.latency }

// First is closed when a greeting was answered.
func (t *Traffic) First() <-chan struct{} { return t.first }

// Run sends commands until stop is closed, then waits for the answers under way. The end of
// ctx gives those up.
func (t *Traffic) Run(ctx context.Context, stop <-chan struct{}) {
	defer t.client.Close()
	plan, number := newPlan(t.Seed), 0
	traffic.Flow[job]{
		Rate: t.Rate, Workers: connections, Do: t.do, Counts: func(job) bool { return true },
		Full: func() bool { return t.MaxOpen > 0 && t.inside.Load() >= int64(t.MaxOpen) },
		Next: func() job {
			number++
			t.inside.Add(1)
			return job{plan.next(), number, time.Now()}
		},
	}.Run(ctx, stop)
}

// job is an intent and when it was due.
type job struct {
	intent
	number int
	due    time.Time
}

func (t *Traffic) do(ctx context.Context, j job) {
	defer t.inside.Add(-1)
	to := t.people[j.name][j.variant]
	to.mu.Lock()
	defer to.mu.Unlock()
	t.sent.Add(1)
	if err := t.command(ctx, to, j); err != nil {
		if ctx.Err() != nil {
			to.unknown = true
			return
		}
		t.failed.Add(1)
		text := err.Error()
		t.firstError.CompareAndSwap(nil, &text)
		return
	}
	now := time.Now()
	t.answered.Add(1)
	t.lastEnd.Store(now.UnixNano())
	t.latency.Add(now.Sub(j.due))
}

// command sends one and looks at the answer.
func (t *Traffic) command(ctx context.Context, to *person, j job) error {
	after, want := to.state.after(j.kind)
	method, at, body := j.kind.request()
	var got struct {
		Message string `json:"message"`
		Count   *int64 `json:"count"`
	}
	err := t.client.Call(ctx, method, t.URL+"/"+to.path+"/"+to.id+at, fmt.Sprintf("%s-%d", t.Config.Run, j.number), body, &got)
	switch {
	case err == nil && want.refused:
		return fmt.Errorf("%s %s: it should have been refused", method, at)
	case want.refused && traffic.StatusOf(err) == http.StatusConflict:
		t.refused.Add(1)
		return nil
	case err != nil:
		to.unknown = true
		t.unanswered.Add(1)
		return err
	}
	to.state = after
	if j.kind == forget {
		t.forgotten.Add(1)
	}
	if got.Message == kotlin {
		t.once.Do(func() { close(t.first) })
	}
	return t.compare(to, want, got.Message, got.Count)
}

// compare: entities carry out a greeting twice that was sent twice.
func (t *Traffic) compare(to *person, want expected, message string, count *int64) error {
	switch {
	case message != want.message:
		return fmt.Errorf("%s %s: answered %q, not %q", to.path, to.id, message, want.message)
	case want.count == nil:
		return nil
	case count == nil:
		return errors.New("the answer has no count")
	case *count < *want.count || *count > *want.count+t.slack(to):
		return fmt.Errorf("%s %s: answered %d, not %d", to.path, to.id, *count, *want.count)
	}
	return nil
}

// slack is by how much the counts of one may be above the greetings answered.
func (t *Traffic) slack(to *person) int64 {
	if to.path == "topic" {
		return 0
	}
	return t.repeats.Load()
}

// Expected is what must be left of each one in the topic, by persistence id. Nothing may be
// under way.
func (t *Traffic) Expected() map[string]invariants.HelloState {
	all := map[string]invariants.HelloState{}
	for _, each := range t.people {
		for _, p := range each {
			if p.path == "sourced" {
				continue
			}
			p.mu.Lock()
			if !p.unknown {
				all[p.entity+"|"+p.id] = p.state.left(t.slack(p))
			}
			p.mu.Unlock()
		}
	}
	return all
}
