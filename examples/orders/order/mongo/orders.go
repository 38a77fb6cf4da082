package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/order"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/saga"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const ordersCollection = "orders"

// document is an order with its timeline. Times are microseconds, as on SQL: a Date has
// milliseconds.
type document struct {
	ID             bson.ObjectID `bson:"_id"`
	CustomerID     string        `bson:"customerId"`
	RestaurantID   string        `bson:"restaurantId"`
	Items          []item        `bson:"items"`
	Price          int64         `bson:"price"`
	Status         string        `bson:"status"`
	Awaiting       string        `bson:"awaiting"`
	Reason         string        `bson:"reason"`
	IdempotencyKey string        `bson:"idempotencyKey,omitempty"`
	RequestHash    string        `bson:"requestHash,omitempty"`
	CreatedAt      int64         `bson:"createdAt"`
	ChangedAt      int64         `bson:"changedAt"`
	Timeline       []step        `bson:"timeline"`
}

type item struct {
	ProductID string `bson:"productId"`
	Quantity  int64  `bson:"quantity"`
}

type step struct {
	Status   string `bson:"status"`
	Awaiting string `bson:"awaiting"`
	Note     string `bson:"note"`
	Cause    string `bson:"cause"`
	CauseID  string `bson:"causeId"`
	At       int64  `bson:"at"`
}

// orders are order.Orders.
type orders struct {
	saga.Store[*Tx]
	db *mongo.Database
}

func newOrders(db database) *orders { return &orders{db, db.Database()} }

func (o *orders) index(ctx context.Context) error {
	for collection, indexes := range map[string][]mongo.IndexModel{
		ordersCollection: {{Keys: bson.D{{Key: "idempotencyKey", Value: 1}}, Options: options.Index().SetUnique(true).
			SetPartialFilterExpression(bson.D{{Key: "idempotencyKey", Value: bson.D{{Key: "$exists", Value: true}}}})}},
		viewCollection: {{Keys: bson.D{{Key: "customerId", Value: 1}, {Key: "_id", Value: 1}}}, {Keys: bson.D{{Key: "status", Value: 1}, {Key: "_id", Value: 1}}}},
	} {
		if _, err := o.db.Collection(collection).Indexes().CreateMany(ctx, indexes); err != nil {
			return fmt.Errorf("make the indexes of %s: %w", collection, err)
		}
	}
	return indexRequests(ctx, o.db)
}

// NewID implements order.Orders.
func (o *orders) NewID() string { return bson.NewObjectID().Hex() }

// Insert implements order.Orders.
func (o *orders) Insert(ctx context.Context, tx *Tx, fresh order.Stored) (bool, error) {
	id, err := bson.ObjectIDFromHex(fresh.ID)
	if err != nil {
		return false, fmt.Errorf("order %s: %w", fresh.ID, err)
	}
	ctx = tx.Context(ctx)
	same := bson.A{byID(id)}
	if fresh.IdempotencyKey != "" {
		same = append(same, bson.D{{Key: "idempotencyKey", Value: fresh.IdempotencyKey}})
	}
	n, err := o.db.Collection(ordersCollection).CountDocuments(ctx, bson.D{{Key: "$or", Value: same}})
	if err != nil || n > 0 {
		return false, err
	}
	d := document{
		ID: id, CustomerID: fresh.CustomerID, RestaurantID: fresh.RestaurantID, Price: fresh.Price, Status: string(fresh.Status),
		Awaiting: string(fresh.Order.Awaiting()), Reason: fresh.Reason, IdempotencyKey: fresh.IdempotencyKey, RequestHash: fresh.RequestHash,
		CreatedAt: fresh.CreatedAt.UnixMicro(), ChangedAt: fresh.CreatedAt.UnixMicro(), Timeline: []step{},
	}
	for _, line := range fresh.Items {
		d.Items = append(d.Items, item(line))
	}
	_, err = o.db.Collection(ordersCollection).InsertOne(ctx, d)
	if mongo.IsDuplicateKeyError(err) {
		return false, errTwin
	}
	return err == nil, err
}

// PlacedBefore implements order.Orders.
func (o *orders) PlacedBefore(ctx context.Context, tx *Tx, key string) (orderID, requestHash string, err error) {
	var d document
	err = o.db.Collection(ordersCollection).FindOne(tx.Context(ctx), bson.D{{Key: "idempotencyKey", Value: key}}).Decode(&d)
	return d.ID.Hex(), d.RequestHash, notFound(err)
}

// Change implements order.Orders: one write for each order.
func (o *orders) Change(ctx context.Context, tx *Tx, changes []order.Changed, steps []order.Step) error {
	type update struct {
		set  bson.D
		push []step
	}
	updates := map[string]*update{}
	of := func(id string) *update {
		if updates[id] == nil {
			updates[id] = &update{}
		}
		return updates[id]
	}
	for _, c := range changes {
		of(c.OrderID).set = bson.D{{Key: "status", Value: c.Status}, {Key: "awaiting", Value: c.Awaiting},
			{Key: "reason", Value: c.Reason}, {Key: "changedAt", Value: c.At.UnixMicro()}}
	}
	for _, s := range steps {
		u := of(s.OrderID)
		u.push = append(u.push, step{s.Status, s.Awaiting, s.Note, s.Cause, s.CauseID, s.At.UnixMicro()})
	}
	var writes []mongo.WriteModel
	for orderID, u := range updates {
		id, err := bson.ObjectIDFromHex(orderID)
		if err != nil {
			return fmt.Errorf("order %s: %w", orderID, err)
		}
		change := bson.D{{Key: "$push", Value: bson.D{{Key: "timeline", Value: bson.D{{Key: "$each", Value: u.push}}}}}}
		if u.set != nil {
			change = append(change, bson.E{Key: "$set", Value: u.set})
		}
		writes = append(writes, mongo.NewUpdateOneModel().SetFilter(byID(id)).SetUpdate(change))
	}
	if len(writes) == 0 {
		return nil
	}
	_, err := o.db.Collection(ordersCollection).BulkWrite(tx.Context(ctx), writes)
	return err
}

// Load implements order.Orders.
func (o *orders) Load(ctx context.Context, tx *Tx, id string) (order.Stored, []order.Step, error) {
	return o.Read(tx.Context(ctx), id)
}

// Read implements order.Orders.
func (o *orders) Read(ctx context.Context, id string) (order.Stored, []order.Step, error) {
	var d document
	key, err := bson.ObjectIDFromHex(id)
	if err != nil {
		return order.Stored{}, nil, fmt.Errorf("order %s: %w", id, order.ErrNotFound)
	}
	if err := o.db.Collection(ordersCollection).FindOne(ctx, byID(key)).Decode(&d); err != nil {
		return order.Stored{}, nil, fmt.Errorf("load order %s: %w", id, notFound(err))
	}
	return d.stored(), d.steps(), nil
}

func (d *document) stored() order.Stored {
	o := order.Stored{
		Order: domain.Order{ID: d.ID.Hex(), CustomerID: d.CustomerID, RestaurantID: d.RestaurantID, Price: d.Price,
			Status: domain.Status(d.Status), Reason: d.Reason},
		Awaiting: d.Awaiting, CreatedAt: fromMicros(d.CreatedAt), ChangedAt: fromMicros(d.ChangedAt),
	}
	for _, line := range d.Items {
		o.Items = append(o.Items, domain.Item(line))
	}
	return o
}

func (d *document) steps() (out []order.Step) {
	for _, s := range d.Timeline {
		out = append(out, order.Step{OrderID: d.ID.Hex(), Status: s.Status, Awaiting: s.Awaiting, Note: s.Note, Cause: s.Cause,
			CauseID: s.CauseID, At: fromMicros(s.At)})
	}
	return out
}

func byID(id bson.ObjectID) bson.D { return bson.D{{Key: "_id", Value: id}} }

func notFound(err error) error {
	if errors.Is(err, mongo.ErrNoDocuments) {
		return order.ErrNotFound
	}
	return err
}

func fromMicros(at int64) time.Time { return time.UnixMicro(at).UTC() }
