package mongo

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/outbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Requests is the collection of requests for payment: one document per message, also for
// a cancel, so that a connector's consumer sees each as a creation.
const Requests = "payment_outboxes"

// request is its document. It is STARTED until payment has answered it, then COMPLETED.
type request struct {
	ID           bson.ObjectID  `bson:"_id"`
	Type         string         `bson:"type"`
	Payload      requestPayload `bson:"payload"`
	OrderStatus  string         `bson:"orderStatus"`
	OutboxStatus outbox.Status  `bson:"outboxStatus"`
	CreatedAt    time.Time      `bson:"createdAt"`
	ProcessedAt  *time.Time     `bson:"processedAt"`
}

type requestPayload struct {
	OrderID string `bson:"orderId"`
	// CustomerID is an ObjectId, or a text where the customer service has other ids.
	CustomerID         any       `bson:"customerId"`
	Price              int64     `bson:"price"`
	CreatedAt          time.Time `bson:"createdAt"`
	PaymentOrderStatus string    `bson:"paymentOrderStatus"`
}

func (tx *Tx) insertRequests(ctx context.Context, messages []outbox.Message) error {
	if len(messages) == 0 {
		return nil
	}
	documents := make([]any, len(messages))
	for i, m := range messages {
		r, err := service.Payload[message.PaymentRequest](tx.db.env, m.Event)
		if err != nil {
			return fmt.Errorf("request for the payment of order %s: %w", m.Key, err)
		}
		status, err := tx.status(ctx, r.ID)
		if err != nil {
			return err
		}
		documents[i] = request{
			ID: bson.NewObjectID(), Type: m.Type, OrderStatus: status, OutboxStatus: outbox.Started, CreatedAt: m.Time,
			Payload: requestPayload{r.ID, idOrText(r.CustomerID), r.Price, r.CreatedAt, r.PaymentOrderStatus},
		}
	}
	_, err := tx.Database().Collection(Requests).InsertMany(tx.Context(ctx), documents)
	return err
}

// status of an order within the transaction.
func (tx *Tx) status(ctx context.Context, orderID string) (string, error) {
	id, err := bson.ObjectIDFromHex(orderID)
	var d document
	if err == nil {
		err = tx.Database().Collection(ordersCollection).FindOne(tx.Context(ctx), byID(id),
			options.FindOne().SetProjection(bson.D{{Key: "status", Value: 1}})).Decode(&d)
	}
	if err != nil {
		return "", fmt.Errorf("status of order %s: %w", orderID, err)
	}
	return d.Status, nil
}

func idOrText(id string) any {
	if parsed, err := bson.ObjectIDFromHex(id); err == nil {
		return parsed
	}
	return id
}

// indexRequests is for the cleaner.
func indexRequests(ctx context.Context, db *mongo.Database) error {
	_, err := db.Collection(Requests).Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "processedAt", Value: 1}}})
	return err
}
