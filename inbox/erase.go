package inbox

import "context"

// erased is a store seen through the ports only: everything below Consumer is
// written once for all transaction types.
type erased[T Tx] struct {
	Admin
	update func(context.Context, func(T) error) error
}

func (s erased[T]) Update(ctx context.Context, fn func(Tx) error) error {
	return s.update(ctx, func(tx T) error { return fn(tx) })
}

func eraseStore[T Tx](store Store[T]) Store[Tx] { return erased[T]{store, store.Update} }

// eraseConfig wraps the handlers so that they get their own transaction type.
func eraseConfig[T Tx](c Config[T]) Config[Tx] {
	topics := make(map[string]Handler[Tx], len(c.Topics))
	for topic, handle := range c.Topics {
		topics[topic] = func(ctx context.Context, tx Tx, m Message) error {
			return handle(ctx, tx.(T), m)
		}
	}
	groups := make(map[string]GroupHandler[Tx], len(c.Groups))
	for topic, handle := range c.Groups {
		groups[topic] = func(ctx context.Context, tx Tx, ms []Message) error {
			return handle(ctx, tx.(T), ms)
		}
	}
	return Config[Tx]{
		Name: c.Name, Topics: topics, Groups: groups, Foreign: c.Foreign,
		BatchSize: c.BatchSize, Lanes: c.Lanes, Attempts: c.Attempts, Backoff: c.Backoff,
		AfterDeadLetter: c.AfterDeadLetter, DeadLetterTopic: c.DeadLetterTopic, MaxDeadLetterBytes: c.MaxDeadLetterBytes,
		MaxWaitingBytes: c.MaxWaitingBytes, MaxBufferedBytes: c.MaxBufferedBytes,
		StartAt: c.StartAt, InstanceID: c.InstanceID, SessionTimeout: c.SessionTimeout,
		OffsetCopyInterval: c.OffsetCopyInterval, CheckInterval: c.CheckInterval,
		Logger: c.Logger, Metrics: c.Metrics,
	}
}

// hasSingleWriter asks a store for its optional capability.
func hasSingleWriter(store any) bool {
	s, ok := store.(interface{ SingleWriter() bool })
	return ok && s.SingleWriter()
}
