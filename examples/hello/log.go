package hello

import (
	"context"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

// Topic has the latest state of each entity under its persistence id. It is
// compacted; a null value says that the entity was deleted.
const Topic = "hello-log-store"

// publishing is the projection of the states to the topic: a state's message goes
// into the outbox in the transaction that stores how far the projection has come.
func publishing(types *journal.Registry) projection.Config[storage.Tx] {
	return projection.Config[storage.Tx]{
		Name: "hello-log", Registry: types,
		Query: journal.Query{Kind: journal.States, EntityType: DurableType},
		Handler: func(ctx context.Context, tx storage.Tx, e projection.Envelope) error {
			message := event.New(Topic, e.PersistenceID, e.Value)
			if e.Deleted {
				message.Payload, message.ContentType = nil, ""
			}
			return outbox.Enqueue(ctx, tx, message)
		},
	}
}
