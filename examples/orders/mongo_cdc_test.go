package orders_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const paymentOutboxes = "debezium.orders.payment_outboxes"

// connector plays the part of one: it publishes envelopes about the documents that are
// there, and about those that come. Each comes twice, with its schema and without.
func (s *system) connector(db *mongodb.DB) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	client := s.client()
	go func() {
		defer close(ended)
		defer client.Close()
		var last bson.ObjectID
		for op := "r"; ctx.Err() == nil; op = "c" {
			cursor, err := db.Database().Collection("payment_outboxes").Find(ctx, bson.M{"_id": bson.M{"$gt": last}}, options.Find().SetSort(bson.M{"_id": 1}))
			var found []bson.Raw
			if err == nil {
				err = cursor.All(ctx, &found)
			}
			for _, d := range found {
				last = d.Lookup("_id").ObjectID()
				text, _ := bson.MarshalExtJSON(d, true, false)
				after, _ := json.Marshal(string(text))
				plain := fmt.Sprintf(`{"before":null,"after":%s,"source":{"collection":"payment_outboxes"},"op":%q,"ts_ms":1}`, after, op)
				key := fmt.Sprintf(`{"id":"{\"$oid\": \"%s\"}"}`, last.Hex())
				for _, value := range []string{plain, `{"schema":{"type":"struct"},"payload":` + plain + `}`, ""} {
					r := &kgo.Record{Topic: s.Kafka.Topic(paymentOutboxes), Key: []byte(key), Value: []byte(value)}
					if value == "" {
						r.Value = []byte(`{"after":null,"op":"d"}`)
					}
					err = errors.Join(err, client.ProduceSync(ctx, r).FirstErr())
				}
			}
			if err != nil && ctx.Err() == nil {
				s.t.Errorf("the connector: %v", err)
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond): // between two looks
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// TestOrdersThroughCDC: requests for payment leave as documents that a connector captures,
// and each is handled once. What else the order service has to say leaves by a connector, too.
func TestOrdersThroughCDC(t *testing.T) {
	s, db := onMongoDB(t)
	s.Start("payment")
	s.Start("restaurant")
	s.Start("customer")
	s.Start("order", func(c *service.Config) { c.Outbox = service.OutboxCDC })
	customer := s.customer(1000)
	restaurant, product := s.restaurant(300, 9)
	early := s.place(customer, restaurant, 300, line(product, 1)) // before the connector
	cancelled := s.place(customer, restaurant, 300, line(product, 1))
	s.Must(200, "DELETE", "order", "/orders/"+cancelled, nil)

	rows, err := db.Database().Collection("payment_outboxes").CountDocuments(t.Context(), bson.M{})
	if err != nil || rows != 3 {
		t.Fatalf("%d requests for payment, %v; a cancel is one of its own", rows, err)
	}
	var d bson.M
	if err := db.Database().Collection("payment_outboxes").FindOne(t.Context(), bson.M{"payload.orderId": cancelled, "payload.paymentOrderStatus": "CANCELLING"}).Decode(&d); err != nil {
		t.Fatal(err)
	}
	if d["orderStatus"] != "CANCELLED" || d["outboxStatus"] != "STARTED" || d["type"] != "payment-request" || d["createdAt"] == nil {
		t.Errorf("the document is %+v", d)
	}

	defer s.connector(db)()
	if status, answer := s.register(s.worker(), others(s.Database("order"), db.Database().Name())); status != http.StatusCreated {
		t.Fatalf("%d %s", status, answer)
	}
	s.ends(early, "APPROVED", "")
	s.ends(cancelled, "CANCELLED", "cancelled by the customer")
	s.ends(s.place(customer, restaurant, 600, line(product, 2)), "APPROVED", "")
	s.ends(s.place(customer, restaurant, 300, line(product, 1)), "CANCELLED", "not enough credit")
	if credit := s.credit(customer); credit != 100 {
		t.Errorf("credit %d", credit)
	}
	if n := systemtest.Count(t, s.DB("payment"), `SELECT COUNT(*) FROM pabal_outbox_history WHERE topic = 'payment-response'`); n != 5 {
		t.Errorf("%d answers to 5 requests", n)
	}
	databases{payment: s.DB("payment"), restaurant: s.DB("restaurant")}.checkMoney(t)
}
