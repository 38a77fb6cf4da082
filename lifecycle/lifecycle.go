// Package lifecycle is the one contract of everything that runs in the
// background: relays, consumers, cleaners, servers.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Service runs in the background between Start and Stop.
type Service interface {
	// Start acquires what the service needs and returns once it runs, or an
	// error, having released everything. ctx bounds the start only.
	Start(ctx context.Context) error
	// Stop finishes what is under way, releases everything and returns when no
	// goroutine of the service is left. Where ctx ends first, it stops at once:
	// work under way is given up (and is redone after a restart), and ctx's
	// error is returned. Stopping twice, or before Start, does nothing.
	Stop(ctx context.Context) error
}

// Group starts services in order and stops them in reverse. It is a Service
// itself. The zero Group is ready to use.
type Group struct {
	mu      sync.Mutex
	all     []member
	started int
}

type member struct {
	name    string
	service Service
}

// Add appends a service; name appears in errors. Call it before Start.
func (g *Group) Add(name string, s Service) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all = append(g.all, member{name, s})
}

// stopAfterFailure bounds the cleaning up after a failed Start.
const stopAfterFailure = 10 * time.Second

// Start starts every service; where one fails, those before it are stopped.
func (g *Group) Start(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.all[g.started:] {
		if err := m.service.Start(ctx); err != nil {
			cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopAfterFailure)
			defer cancel()
			return errors.Join(fmt.Errorf("%s: %w", m.name, err), g.stop(cleanup))
		}
		g.started++
	}
	return nil
}

// Stop stops the started services, the last one first, all of them even where
// one fails.
func (g *Group) Stop(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stop(ctx)
}

func (g *Group) stop(ctx context.Context) error {
	var failed []error
	for _, m := range slices.Backward(g.all[:g.started]) {
		if err := m.service.Stop(ctx); err != nil {
			failed = append(failed, fmt.Errorf("stopping %s: %w", m.name, err))
		}
	}
	g.started = 0
	return errors.Join(failed...)
}
