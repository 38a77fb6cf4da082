package avro

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// events of all topics, with the codecs that write them.
type events struct {
	kinds []kind
	free  []func()
}

// kind is what the events of one topic can do.
type kind interface {
	prepare(ctx context.Context) error
	count() int
	encodeAvro(ctx context.Context) error
	decodeAvro(ctx context.Context) error
	encodeJSON(ctx context.Context) error
	decodeJSON(ctx context.Context) error
	bytes() (avro, json [][]byte)
	schema() string
}

// newEvents are those of orders as the order system has them: one in eight is not approved.
func newEvents(ctx context.Context, orders int) (*events, error) {
	e := &events{}
	c, err := e.registry(ctx)
	if err != nil {
		e.close()
		return nil, err
	}
	requests, responses := &topic[paymentRequest]{name: "payment-request"}, &topic[paymentResponse]{name: "payment-response"}
	approvals, answers := &topic[approvalRequest]{name: "order-approval-request"}, &topic[approvalResponse]{name: "order-approval-response"}
	changes := &topic[orderChanged]{name: "order-changed"}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for i := range orders {
		tick := func() time.Time { at = at.Add(7_123 * time.Microsecond).Truncate(time.Microsecond); return at }
		order, customer, restaurant := newID(), newID(), newID()
		var lines []product
		for n := range 1 + i%3 {
			lines = append(lines, product{ProductID: newID(), Quantity: int64(1 + n)})
		}
		price, approved := int64(995+i*37%20_000), i%8 != 7
		changed := func(status orderStatus, reason string) {
			changes.values = append(changes.values, orderChanged{OrderID: order, CustomerID: customer, RestaurantID: restaurant, Items: lines, Price: price, Status: status, Reason: reason, ChangedAt: tick()})
		}
		changed("PENDING", "")
		requests.values = append(requests.values, paymentRequest{ID: order, CustomerID: customer, Price: price, PaymentOrderStatus: "PENDING", CreatedAt: tick()})
		responses.values = append(responses.values, paymentResponse{ID: order, CustomerID: customer, Price: price, PaymentStatus: "COMPLETED", CreatedAt: tick()})
		changed("PAID", "")
		approvals.values = append(approvals.values, approvalRequest{OrderID: order, RestaurantID: restaurant, Price: price, Products: lines, CreatedAt: tick()})
		if approved {
			answers.values = append(answers.values, approvalResponse{OrderID: order, RestaurantID: restaurant, OrderApprovalStatus: "APPROVED", CreatedAt: tick()})
			changed("APPROVED", "")
			continue
		}
		const why = "a product is not available"
		answers.values = append(answers.values, approvalResponse{OrderID: order, RestaurantID: restaurant, OrderApprovalStatus: "REJECTED", Reason: why, CreatedAt: tick()})
		changed("CANCELLING", why)
		requests.values = append(requests.values, paymentRequest{ID: order, CustomerID: customer, Price: price, PaymentOrderStatus: "CANCELLING", CreatedAt: tick()})
		responses.values = append(responses.values, paymentResponse{ID: order, CustomerID: customer, Price: price, PaymentStatus: "CANCELLED", Reason: why, CreatedAt: tick()})
		changed("CANCELLED", why)
	}
	e.kinds = []kind{requests.with(c), responses.with(c), approvals.with(c), answers.with(c), changes.with(c)}
	for _, k := range e.kinds {
		if err := k.prepare(ctx); err != nil {
			e.close()
			return nil, err
		}
	}
	return e, nil
}

func newID() id { return id(event.NewID()) }

// registry in this process.
func (e *events) registry(ctx context.Context) (*client.Client, error) {
	b, err := broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: measure.Quiet})
	if err != nil {
		return nil, err
	}
	e.free = append(e.free, func() { _ = b.Stop(context.WithoutCancel(ctx)) })
	r, err := registry.Open(ctx, registry.Config{Kafka: kafka.Config{Brokers: []string{b.Addr()}}, Logger: measure.Quiet})
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(r.Handler())
	c, err := client.New(client.Config{URLs: []string{server.URL}, Logger: measure.Quiet})
	e.free = append(e.free, r.Close, server.Close)
	if err == nil {
		e.free = append(e.free, func() { _ = c.Close() })
	}
	return c, err
}

func (e *events) close() {
	for i := range e.free {
		e.free[len(e.free)-1-i]()
	}
}

// topic has the values of one type, and their bytes.
type topic[T any] struct {
	name       string
	codec      *codec.Codec[T]
	registry   *client.Client
	values     []T
	avro, json [][]byte
}

func (t *topic[T]) with(c *client.Client) kind { t.registry = c; return t }

func (t *topic[T]) prepare(ctx context.Context) (err error) {
	if t.codec, err = newCodec[T](t.registry); err != nil {
		return err
	}
	for _, v := range t.values {
		avro, err := t.codec.Encode(ctx, t.name, v)
		if err != nil {
			return err
		}
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		t.avro, t.json = append(t.avro, avro), append(t.json, text)
		var fromJSON T
		if err := json.Unmarshal(text, &fromJSON); err != nil {
			return err
		}
		if fromAvro, err := t.codec.Decode(ctx, avro); err != nil || !reflect.DeepEqual(fromAvro, v) || !reflect.DeepEqual(fromJSON, v) {
			return fmt.Errorf("%+v is %+v as Avro and %+v as JSON (%w)", v, fromAvro, fromJSON, err)
		}
	}
	return nil
}

func (t *topic[T]) count() int                   { return len(t.values) }
func (t *topic[T]) bytes() (avro, json [][]byte) { return t.avro, t.json }
func (t *topic[T]) schema() string               { return t.codec.Schema().Text }

func (t *topic[T]) encodeAvro(ctx context.Context) error {
	for i := range t.values {
		if _, err := t.codec.Encode(ctx, t.name, t.values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *topic[T]) decodeAvro(ctx context.Context) error {
	for _, b := range t.avro {
		if _, err := t.codec.Decode(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (t *topic[T]) encodeJSON(context.Context) error {
	for i := range t.values {
		if _, err := json.Marshal(&t.values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *topic[T]) decodeJSON(context.Context) error {
	for _, b := range t.json {
		var v T
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
	}
	return nil
}
