package payment

import (
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
)

// after is a document in each form of extended JSON, escaped as it is in an envelope.
var after = map[string]string{
	"canonical": `{"_id": {"$oid": "65f0c0ffee65f0c0ffee0001"}, "type": "payment-request", "payload": {"orderId": "65f0c0ffee65f0c0ffee0002",
		"customerId": {"$oid": "65f0c0ffee65f0c0ffee0003"}, "price": {"$numberLong": "9007199254740993"},
		"createdAt": {"$date": {"$numberLong": "1700000000123"}}, "paymentOrderStatus": "PENDING"}, "orderStatus": "PENDING",
		"outboxStatus": "STARTED", "createdAt": {"$date": {"$numberLong": "1700000000123"}}, "processedAt": null}`,
	"first version": `{"_id": {"$oid": "65f0c0ffee65f0c0ffee0001"}, "payload": {"orderId": {"$oid": "65f0c0ffee65f0c0ffee0002"},
		"customerId": {"$oid": "65f0c0ffee65f0c0ffee0003"}, "price": {"$numberLong": "9007199254740993"},
		"createdAt": {"$date": 1700000000123}, "paymentOrderStatus": "PENDING"}}`,
	"relaxed": `{"_id": {"$oid": "65f0c0ffee65f0c0ffee0001"}, "payload": {"orderId": "65f0c0ffee65f0c0ffee0002",
		"customerId": "65f0c0ffee65f0c0ffee0003", "price": 9007199254740993,
		"createdAt": {"$date": "2023-11-14T22:13:20.123Z"}, "paymentOrderStatus": "PENDING"}}`,
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, "\n", " ", "\t", " ").Replace(text) + `"`
}

func TestChangesAreRead(t *testing.T) {
	want := message.PaymentRequest{ID: "65f0c0ffee65f0c0ffee0002", CustomerID: "65f0c0ffee65f0c0ffee0003", Price: 9007199254740993,
		PaymentOrderStatus: "PENDING", CreatedAt: time.UnixMilli(1700000000123).UTC()}
	for name, text := range after {
		for _, op := range []string{"c", "r"} {
			payload := `{"before": null, "after": ` + quoted(text) + `, "source": {"collection": "payment_outboxes"}, "op": "` + op + `", "ts_ms": 1}`
			for _, value := range []string{payload, `{"schema": {"type": "struct"}, "payload": ` + payload + `}`} {
				c, err := parseChange([]byte(value))
				if err != nil || !c.created() || c.Document.request() != want {
					t.Errorf("%s, %s: %+v, %v", name, op, c.Document.request(), err)
				}
				e, err := readChange(event.Event{Key: "k", Payload: []byte(value)})
				if err != nil || e.ID != "65f0c0ffee65f0c0ffee0001" || e.Type != message.TypePaymentRequest || e.CorrelationID != want.ID {
					t.Errorf("%s, %s: the message is %+v, %v", name, op, e, err)
				}
			}
		}
	}
}

func TestOtherChangesAreNone(t *testing.T) {
	ids := map[string]bool{}
	for _, value := range []string{"", `{"before": null, "after": null, "op": "d"}`, `{"after": "{}", "op": "u"}`, `{"payload": {"op": "d"}}`, `{}`} {
		c, err := parseChange([]byte(value))
		e, read := readChange(event.Event{Key: "k", Payload: []byte(value)})
		if err != nil || read != nil || c.created() || e.ID == "" || ids[e.ID] {
			t.Errorf("%s: %+v, %v; %+v, %v", value, c, err, e, read)
		}
		ids[e.ID] = true
	}
	for _, value := range []string{"nonsense", `{"op": "c"}`, `{"op": "c", "after": "{"}`, `{"op": "c", "after": "{}"}`, `{"op": 7}`,
		`{"op": "r", "after": "{\"_id\": \"a\", \"payload\": {\"price\": \"much\"}}"}`} {
		if _, err := parseChange([]byte(value)); err == nil {
			t.Errorf("%s was read", value)
		}
		if _, err := readChange(event.Event{Payload: []byte(value)}); err == nil {
			t.Errorf("%s is a message", value)
		}
	}
}
