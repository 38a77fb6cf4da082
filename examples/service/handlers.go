package service

import (
	"context"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// AllHandlers are the handlers of all topics, those of the sagas among them: what the
// consumer does, for tests that do without one.
func (p Parts) AllHandlers() map[string]inbox.GroupHandler[storage.Tx] {
	all := p.groups()
	for topic, handle := range p.Handlers {
		all[topic] = oneByOne(handle)
	}
	return all
}

func oneByOne(handle inbox.Handler[storage.Tx]) inbox.GroupHandler[storage.Tx] {
	return func(ctx context.Context, tx storage.Tx, ms []inbox.Message) error {
		for _, m := range ms {
			if err := handle(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	}
}
