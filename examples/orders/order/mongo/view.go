package mongo

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order"
	"github.com/pabal-dev/pabal/examples/service"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const viewCollection = "order_view"

// line is a document of the view.
type line struct {
	ID           bson.ObjectID `bson:"_id"`
	CustomerID   string        `bson:"customerId"`
	RestaurantID string        `bson:"restaurantId"`
	Items        []item        `bson:"items"`
	Price        int64         `bson:"price"`
	Status       string        `bson:"status"`
	Reason       string        `bson:"reason"`
	ChangedAt    int64         `bson:"changedAt"`
}

// Project implements order.Orders. An order's changes come in their order, so the last one
// is the newest.
func (o *orders) Project(ctx context.Context, tx *Tx, c message.OrderChanged) error {
	id, err := bson.ObjectIDFromHex(c.OrderID)
	if err != nil {
		return fmt.Errorf("order %s: %w", c.OrderID, err)
	}
	l := line{ID: id, CustomerID: c.CustomerID, RestaurantID: c.RestaurantID, Price: c.Price, Status: c.Status, Reason: c.Reason, ChangedAt: c.ChangedAt.UnixMicro()}
	for _, product := range c.Items {
		l.Items = append(l.Items, item(product))
	}
	_, err = o.db.Collection(viewCollection).ReplaceOne(tx.Context(ctx), byID(id), l, options.Replace().SetUpsert(true))
	return err
}

// Find implements order.Orders.
func (o *orders) Find(ctx context.Context, s order.Search) ([]order.Line, error) {
	filter := bson.D{}
	if s.After != "" {
		id, err := bson.ObjectIDFromHex(s.After)
		if err != nil {
			return nil, service.BadField("after", "%.64q is no id of an order", s.After)
		}
		filter = append(filter, bson.E{Key: "_id", Value: bson.D{{Key: "$gt", Value: id}}})
	}
	for _, field := range []struct{ name, value string }{{"customerId", s.Customer}, {"status", s.Status}} {
		if field.value != "" {
			filter = append(filter, bson.E{Key: field.name, Value: field.value})
		}
	}
	cursor, err := o.db.Collection(viewCollection).Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(s.Limit)+1))
	var lines []line
	if err == nil {
		err = cursor.All(ctx, &lines)
	}
	found := []order.Line{}
	for _, l := range lines {
		one := order.Line{OrderID: l.ID.Hex(), CustomerID: l.CustomerID, RestaurantID: l.RestaurantID, Price: l.Price, Status: l.Status,
			Reason: l.Reason, ChangedAt: fromMicros(l.ChangedAt)}
		for _, i := range l.Items {
			one.Items = append(one.Items, message.Product(i))
		}
		found = append(found, one)
	}
	return found, err
}
