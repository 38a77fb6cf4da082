package projection

import "context"

// erased is a store seen through the ports only: everything below Projection is
// written once for all transaction types.
type erased struct {
	Admin
	update func(context.Context, func(Tx) error) error
}

func (s erased) Update(ctx context.Context, fn func(Tx) error) error { return s.update(ctx, fn) }

func eraseStore[T Tx](store Store[T]) Store[Tx] {
	return erased{store, func(ctx context.Context, fn func(Tx) error) error {
		return store.Update(ctx, func(tx T) error { return fn(tx) })
	}}
}

// eraseHandlers is the configuration with handlers of any transaction.
func eraseHandlers[T Tx](c Config[T]) Config[Tx] {
	e := Config[Tx]{
		Name: c.Name, Query: c.Query, Registry: c.Registry, Outside: c.Outside,
		BatchSize: c.BatchSize, GroupSize: c.GroupSize, GroupWindow: c.GroupWindow,
		OnFailure: c.OnFailure, Retries: c.Retries, Backoff: c.Backoff, Restart: c.Restart, DeadLetterTopic: c.DeadLetterTopic,
		Workers: c.Workers, Slices: c.Slices, Tables: c.Tables,
		PollInterval: c.PollInterval, BeatInterval: c.BeatInterval, Start: c.Start,
		Clock: c.Clock, Logger: c.Logger, Metrics: c.Metrics,
	}
	if c.Handler != nil {
		e.Handler = func(ctx context.Context, tx Tx, event Envelope) error { return c.Handler(ctx, tx.(T), event) }
	}
	if c.Grouped != nil {
		e.Grouped = func(ctx context.Context, tx Tx, events []Envelope) error { return c.Grouped(ctx, tx.(T), events) }
	}
	return e
}
