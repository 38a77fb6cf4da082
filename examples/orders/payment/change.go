package payment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
)

// change is an envelope about a document of orders.payment_outboxes.
type change struct {
	// Op is c (created), r (read by a snapshot), u, d, or "" for a tombstone.
	Op       string
	Document document // of c and r
}

// document is a request for payment, as the order service stores it.
type document struct {
	ID      objectID `json:"_id"`
	Payload struct {
		OrderID            objectID `json:"orderId"`
		CustomerID         objectID `json:"customerId"`
		Price              long     `json:"price"`
		CreatedAt          date     `json:"createdAt"`
		PaymentOrderStatus string   `json:"paymentOrderStatus"`
	} `json:"payload"`
}

func (c change) created() bool { return c.Op == "c" || c.Op == "r" }

func (d document) request() message.PaymentRequest {
	return message.PaymentRequest{
		ID: string(d.Payload.OrderID), CustomerID: string(d.Payload.CustomerID), Price: int64(d.Payload.Price),
		PaymentOrderStatus: d.Payload.PaymentOrderStatus, CreatedAt: d.Payload.CreatedAt.Time,
	}
}

// parseChange reads a value with its schema or without: {"schema":…,"payload":…}, or the
// payload alone. after is a document in extended JSON, as a text.
func parseChange(value []byte) (change, error) {
	if len(bytes.TrimSpace(value)) == 0 {
		return change{}, nil
	}
	var whole struct {
		Schema  json.RawMessage `json:"schema"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(value, &whole); err != nil {
		return change{}, fmt.Errorf("change of a payment outbox: %w", err)
	}
	if whole.Payload != nil {
		value = whole.Payload
	}
	var envelope struct {
		Op    string  `json:"op"`
		After *string `json:"after"`
	}
	if err := json.Unmarshal(value, &envelope); err != nil {
		return change{}, fmt.Errorf("change of a payment outbox: %w", err)
	}
	c := change{Op: envelope.Op}
	if !c.created() {
		return c, nil
	}
	if envelope.After == nil {
		return c, fmt.Errorf("change of a payment outbox: op is %q and there is no after", c.Op)
	}
	if err := json.Unmarshal([]byte(*envelope.After), &c.Document); err != nil {
		return c, fmt.Errorf("document of a payment outbox: %w", err)
	}
	if c.Document.ID == "" {
		return c, errors.New("document of a payment outbox: it has no _id")
	}
	return c, nil
}

// readChange is an inbox.Reader. A document's id is the message's, so that its creation and
// a snapshot's look at it are one message, however often a connector tells of it.
func readChange(e event.Event) (event.Event, error) {
	c, err := parseChange(e.Payload)
	if err != nil {
		return e, err
	}
	if c.created() {
		e.ID, e.Type, e.CorrelationID = string(c.Document.ID), message.TypePaymentRequest, string(c.Document.Payload.OrderID)
		return e, nil
	}
	sum := sha256.Sum256(append([]byte(e.Key), e.Payload...))
	e.ID, e.Type = hex.EncodeToString(sum[:16]), "payment-outbox-changed"
	return e, nil
}
