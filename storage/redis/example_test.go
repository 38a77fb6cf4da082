package redis_test

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/redis"
)

type placed struct{ Customer string }

type cancelled struct{}

// order is a document of the read model.
type order struct {
	Customer string `json:"customer"`
}

// orders is the whole of a read model: its documents by the events.
func orders(e projection.Envelope) (id string, document any, err error) {
	switch event := e.Value.(type) {
	case placed:
		return e.PersistenceID, order{event.Customer}, nil
	case cancelled:
		return e.PersistenceID, nil, nil
	}
	return "", nil, nil
}

// A read model in Redis is a mapping and a projection; offsets are where the events are.
// What a group of events changes can be seen without Redis.
func ExampleView() {
	run := func(ctx context.Context, db storage.DB, events journal.Reader, registry *journal.Registry) error {
		cache, err := redis.Open(ctx, "redis://127.0.0.1:6379", redis.Config{})
		if err != nil {
			return err
		}
		defer cache.Close()
		view, err := cache.View("orders:", redis.ViewConfig{})
		if err != nil {
			return err
		}
		p, err := projection.New(db, events, projection.Config[storage.Tx]{Name: "orders", Registry: registry, Outside: view.Handler(orders)})
		if err != nil {
			return err
		}
		if err := p.Start(ctx); err != nil {
			return err
		}
		<-ctx.Done()
		return p.Stop(context.WithoutCancel(ctx))
	}
	_ = run

	event := func(id string, seqNr int64, value any) projection.Envelope {
		return projection.Envelope{Event: journal.Event{PersistenceID: id, SeqNr: seqNr}, Value: value}
	}
	changes, err := projection.Changes(orders, []projection.Envelope{
		event("order|1", 1, placed{"jenny"}), event("order|2", 1, placed{"joe"}), event("order|1", 2, cancelled{}),
	})
	for _, c := range changes {
		fmt.Println(c.ID, c.Version, c.Document)
	}
	fmt.Println(err)
	// Output:
	// order|1 2 <nil>
	// order|2 1 {joe}
	// <nil>
}
