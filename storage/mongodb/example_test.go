package mongodb_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// A document and the message about it commit together, or not at all.
func ExampleDB_Update() {
	cancelOrder := func(ctx context.Context, db *mongodb.DB, id string) error {
		return db.Update(ctx, func(tx *mongodb.Tx) error {
			done, err := tx.Database().Collection("orders").UpdateOne(tx.Context(ctx),
				bson.M{"_id": id, "status": "OPEN"}, bson.M{"$set": bson.M{"status": "CANCELLED"}})
			if err != nil {
				return err
			}
			if done.ModifiedCount == 0 {
				return errors.New("the order is not open")
			}
			return outbox.Enqueue(ctx, tx, event.New("order-cancelled", id, nil))
		})
	}
	_ = cancelOrder
}

// A URL without a database is refused before anything is connected.
func ExampleOpen() {
	_, err := mongodb.Open(context.Background(), "mongodb://127.0.0.1:27017/?replicaSet=rs0", mongodb.Config{})
	fmt.Println(err)
	// Output: mongodb: no database is named: mongodb://host:port/database, or Config.Database
}

// A read model is a mapping; view.Handler(customers) is for projection.Config.Outside.
func ExampleView_Handler() {
	type renamed struct{ Name string }
	customers := func(e projection.Envelope) (id string, document any, err error) {
		if event, ok := e.Value.(renamed); ok {
			return e.PersistenceID, bson.M{"name": event.Name}, nil
		}
		return "", nil, nil
	}
	handlerOf := func(ctx context.Context, db *mongodb.DB) (projection.OutsideHandler, error) {
		view, err := db.View(ctx, "customers", mongodb.ViewConfig{})
		if err != nil {
			return nil, err
		}
		return view.Handler(customers), nil
	}
	_ = handlerOf

	changes, _ := projection.Changes(customers, []projection.Envelope{
		{Event: journal.Event{PersistenceID: "customer|1", SeqNr: 7}, Value: renamed{"Jenny"}},
		{Event: journal.Event{PersistenceID: "customer|1", SeqNr: 8}, Value: renamed{"Jen"}},
	})
	fmt.Println(changes)
	// Output: [{customer|1 8 {"name":"Jen"}}]
}
