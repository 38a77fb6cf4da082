package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

// StreamsApps lists the applications of the services; see api.Streams.
func (f *Fleet) StreamsApps(ctx context.Context) (api.StreamsList, error) {
	services, err := f.Services(ctx)
	if err != nil {
		return api.StreamsList{}, err
	}
	return api.ListStreams(services), nil
}

// StreamsApp is one application, with the topology that the first instance tells; see
// api.Streams.
func (f *Fleet) StreamsApp(ctx context.Context, application string) (api.StreamsApp, error) {
	app, places, err := f.application(ctx, application)
	if err != nil {
		return app, err
	}
	err = f.eachUntil(places, func(s admin.Streams) error {
		topology, err := s.StreamsTopology(ctx, app.ID)
		if err == nil {
			app.Topology = &topology
		}
		return err
	})
	if err != nil {
		app.TopologyProblem = err.Error()
	}
	return app, nil
}

// QueryStore asks the instances in turn until one can answer; see api.Streams.
func (f *Fleet) QueryStore(ctx context.Context, q api.StoreQuery) (page admin.StorePage, err error) {
	app, places, err := f.application(ctx, q.Application)
	if err != nil {
		return page, err
	}
	q.Application = app.ID
	return page, f.eachUntil(places, func(s admin.Streams) (err error) {
		page, err = s.QueryStore(ctx, q.StoreQuery)
		return err
	})
}

// PauseStreams asks all instances; see api.Streams.
func (f *Fleet) PauseStreams(ctx context.Context, p api.PauseStreams) (api.Count, error) {
	app, places, err := f.application(ctx, p.Application)
	if err != nil {
		return api.Count{}, err
	}
	do := admin.Streams.ResumeStreams
	if p.Paused {
		do = admin.Streams.PauseStreams
	}
	failed := make([]error, len(places))
	var asking sync.WaitGroup
	for i, at := range places {
		asking.Go(func() {
			s, err := f.client(at.URL, 0, 0)
			if err == nil {
				err = do(s, ctx, app.ID)
			}
			if err != nil {
				failed[i] = fmt.Errorf("instance %s of %s: %w", at.Instance, at.Name, err)
			}
		})
	}
	asking.Wait()
	f.forget()
	done := slices.DeleteFunc(slices.Clone(failed), func(err error) bool { return err != nil })
	return api.Count{Count: int64(len(done))}, errors.Join(failed...)
}

// application is one that runs, and the instances that run it.
func (f *Fleet) application(ctx context.Context, name string) (api.StreamsApp, []api.Service, error) {
	services, err := f.Services(ctx)
	if err != nil {
		return api.StreamsApp{}, nil, err
	}
	all := api.RunningStreams(services)
	away := api.ListStreams(services).Problems
	i := slices.IndexFunc(all, func(a api.StreamsApp) bool { return a.Application == name })
	if i < 0 {
		kind := api.ErrNotFound
		if len(away) > 0 {
			kind = api.ErrUnavailable
		}
		return api.StreamsApp{}, nil, fmt.Errorf("%w: no service that answers runs an application %.200q", kind, name)
	}
	var places []api.Service
	for _, s := range services {
		if slices.ContainsFunc(all[i].Parts, func(p api.StreamsInstance) bool { return p.Service == s.Name && p.Instance == s.Instance }) {
			places = append(places, s)
		}
	}
	all[i].Away = away
	return all[i], places, nil
}

// eachUntil asks one instance after the other until one answers, or says what every other
// would.
func (f *Fleet) eachUntil(places []api.Service, ask func(admin.Streams) error) error {
	var last error
	for _, at := range places {
		s, err := f.client(at.URL, 0, 0)
		if err == nil {
			err = ask(s)
		}
		if !errors.Is(err, admin.ErrUnavailable) {
			return err
		}
		last = err
	}
	return last
}

// forget has the next question ask the services anew.
func (f *Fleet) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = nil
}
