package service

import (
	"context"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/saga"
)

// AllHandlers are the handlers of all topics, those of the sagas among them: what the
// consumer does, for tests that do without one.
func (p PartsOf[T]) AllHandlers() map[string]inbox.GroupHandler[T] {
	all := p.groups()
	for topic, handle := range p.Handlers {
		all[topic] = oneByOne(handle)
	}
	return all
}

func oneByOne[T saga.Tx](handle inbox.Handler[T]) inbox.GroupHandler[T] {
	return func(ctx context.Context, tx T, ms []inbox.Message) error {
		for _, m := range ms {
			if err := handle(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	}
}
