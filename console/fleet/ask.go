package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/outbox"
)

// Bounds of asking: each instance for askTimeout, so many at a time, all of them
// for roundTimeout. What was learned is good for freshFor.
const (
	askTimeout   = 2 * time.Second
	roundTimeout = 5 * time.Second
	maxAsked     = 128
	freshFor     = time.Second
	maxStatus    = 512 << 10 // bytes
	maxProblem   = 500
)

// round asks every instance once.
type round struct {
	done     chan struct{}
	at       time.Time // when it was done
	services []api.Service
}

// Services implements api.Services. The statuses are shared with other callers:
// nobody may change them.
func (f *Fleet) Services(ctx context.Context) ([]api.Service, error) {
	r, err := f.round()
	if err != nil {
		return nil, err
	}
	select {
	case <-r.done:
		return slices.Clone(r.services), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: asking the services: %w", api.ErrUnavailable, ctx.Err())
	}
}

// round is the one under way, the last one while it is fresh, or a new one.
func (f *Fleet) round() (*round, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running == nil {
		return nil, fmt.Errorf("%w: announcements are not read", api.ErrUnavailable)
	}
	if r := f.last; r != nil {
		select {
		case <-r.done:
			if age := f.cfg.Now().Sub(r.at); age >= 0 && age < freshFor {
				return r, nil
			}
		default:
			return r, nil
		}
	}
	r, ctx := &round{done: make(chan struct{})}, f.running
	f.last = r
	f.work.Go(func() {
		defer close(r.done)
		r.services = f.askAll(ctx)
		r.at = f.cfg.Now()
	})
	return r, nil
}

// askAll asks at the same time, those first that answered before: an instance
// that does not answer must not hide one that does.
func (f *Fleet) askAll(ctx context.Context) []api.Service {
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	all := f.registry.live(f.cfg.Now())
	services := make([]api.Service, len(all))
	var order []int
	for i, x := range all {
		services[i] = api.Service{Name: x.Name, Instance: x.Instance, URL: x.URL, Version: x.Version, Seen: x.seen.UTC(), Problem: x.refused}
		if x.refused == "" {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case all[a].answered == all[b].answered:
			return 0
		case all[a].answered:
			return -1
		}
		return 1
	})
	var asking sync.WaitGroup
	slots := make(chan struct{}, maxAsked)
	for _, i := range order {
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			f.ask(ctx, &services[i])
			f.registry.note(all[i].Announcement, services[i].Status != nil)
		})
	}
	asking.Wait()
	return services
}

// ask fills in the status, or why there is none.
func (f *Fleet) ask(ctx context.Context, s *api.Service) {
	status, err := f.statusAt(ctx, s)
	if err != nil {
		text := err.Error()
		s.Problem = text[:min(len(text), maxProblem)]
		return
	}
	s.Status = &status
}

func (f *Fleet) statusAt(ctx context.Context, s *api.Service) (admin.Status, error) {
	client, err := f.client(s.URL, askTimeout, maxStatus)
	if err != nil {
		return admin.Status{}, err
	}
	status, err := client.Status(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return status, fmt.Errorf("it did not answer within %s", askTimeout)
	case err != nil:
		return status, err
	case status.Name != s.Name || status.Instance != s.Instance:
		return status, fmt.Errorf("another service answers there: %.100q, instance %.100q", status.Name, status.Instance)
	}
	return status, nil
}

func (f *Fleet) client(url string, timeout time.Duration, most int64) (*admin.Client, error) {
	return admin.NewClient(admin.ClientConfig{URL: url, Token: f.cfg.Token, Timeout: timeout, MaxAnswer: most, Transport: f.http})
}

// At implements api.Services: an instance that answers, the one whose relay holds
// the lease before others.
func (f *Fleet) At(ctx context.Context, service string) (admin.API, error) {
	all, err := f.Services(ctx)
	if err != nil {
		return nil, err
	}
	var best *api.Service
	problem := ""
	for i, s := range all {
		switch {
		case s.Name != service:
		case s.Status == nil:
			problem = s.Problem
		case best == nil || leads(s) && !leads(*best):
			best = &all[i]
		}
	}
	switch {
	case best != nil:
		return f.client(best.URL, 0, 0)
	case problem != "":
		return nil, fmt.Errorf("%w: service %s: %s", api.ErrUnavailable, service, problem)
	}
	return nil, fmt.Errorf("%w: no service %q announced itself", api.ErrNotFound, service)
}

// leads says whether the instance's relay is the active one, or would be.
func leads(s api.Service) bool {
	if s.Status.Outbox == nil {
		return false
	}
	switch s.Status.Outbox.Relay.State {
	case outbox.Active, outbox.Held, outbox.Recovering:
		return true
	}
	return false
}
