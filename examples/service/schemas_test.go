package service_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	hotel "github.com/pabal-dev/pabal/examples/hotel/message"
	library "github.com/pabal-dev/pabal/examples/library/message"
	orders "github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestEveryMessageInAvro comes back as it was.
func TestEveryMessageInAvro(t *testing.T) {
	env := avroOnly(t)
	now := time.Date(2026, 11, 20, 1, 2, 3, 4000, time.UTC)
	id := event.NewID()
	products := []orders.Product{{ProductID: id, Quantity: 2}, {ProductID: event.NewID(), Quantity: 1}}
	in := env(orders.Schemas())
	size := [2]int{}
	add := func(sizes [2]int) { size[0], size[1] = size[0]+sizes[0], size[1]+sizes[1] }
	add(same(t, in, orders.TypePaymentRequest, orders.PaymentRequest{ID: id, CustomerID: id, Price: 1250, PaymentOrderStatus: orders.OrderPending, CreatedAt: now}))
	add(same(t, in, orders.TypePaymentResponse, orders.PaymentResponse{ID: id, CustomerID: id, Price: 1250, PaymentStatus: orders.PaymentCompleted, CreatedAt: now}))
	add(same(t, in, orders.TypeApprovalRequest, orders.ApprovalRequest{OrderID: id, RestaurantID: id, Price: 1250, Products: products, CreatedAt: now}))
	add(same(t, in, orders.TypeApprovalResponse, orders.ApprovalResponse{OrderID: id, RestaurantID: id, OrderApprovalStatus: orders.ApprovalRejected, Reason: "sold out", CreatedAt: now}))
	add(same(t, in, orders.TypeCustomerCreated, orders.CustomerCreated{ID: id, Username: "jenny", Email: "jenny@example.com"}))
	for _, status := range []string{"PENDING", "PAID", "APPROVED", "CANCELLING", "CANCELLED"} {
		add(same(t, in, orders.TypeOrderChanged, orders.OrderChanged{OrderID: id, CustomerID: id, RestaurantID: id, Items: products, Price: 1250, Status: status, ChangedAt: now}))
	}
	add(same(t, in, orders.TypeRestaurantChanged, orders.RestaurantChanged{RestaurantID: id, Name: "Soup", Active: true, ChangedAt: now}))
	if 2*size[0] > size[1] {
		t.Errorf("%d bytes in Avro, %d in JSON; half of them is wanted", size[0], size[1])
	}

	in = env(hotel.Schemas())
	from, err := hotel.ParseDate("1969-12-31")
	if err != nil {
		t.Fatal(err)
	}
	to := hotel.DateOf(now)
	same(t, in, hotel.RoomReserve, hotel.ReservationMessage{ReservationID: 1, RoomID: 2, CheckInDate: from, CheckOutDate: to})
	same(t, in, hotel.RoomCancel, hotel.ReservationMessage{ReservationID: 1})
	same(t, in, hotel.TransactionResult, hotel.ReservationMessageResponse{ReservationID: 1, Status: hotel.Cancel, Message: "no"})

	in = env(library.Schemas())
	who, item := library.IDName{ID: "jenny", Name: "제니"}, library.Item{No: 1, Title: "t"}
	same(t, in, library.RentalRent, library.ItemRented{IDName: who, Item: item, Point: 10})
	same(t, in, library.RentalReturn, library.ItemReturned{IDName: who, Item: item, Point: 10, RentalID: id})
	same(t, in, library.OverdueClear, library.OverdueCleared{IDName: who, Point: 10})
	same(t, in, library.RentalResult, library.EventResult{EventType: library.Use, IDName: who})
	same(t, in, library.RentalResult, library.EventResult{
		EventType: library.Rent, IDName: who, Item: item, Point: 10, Success: true, Reason: "r", SourceEventID: id, Participant: library.Book, Compensation: true,
	})
	same(t, in, library.PointUse, library.PointUseCommand{IDName: who, Point: 10})
	same(t, in, library.PointUse, library.PointUseCommand{IDName: who, Point: 10, EventType: library.Overdue})
	same(t, in, library.RentCancel, library.CancelCommand{IDName: who, Item: item})
	same(t, in, library.ReturnCancel, library.CancelCommand{IDName: who, Item: item, Point: 10, Participant: library.BestBook})
}

// TestTopicsShareAType: each is read with its own schema, also where one of them has more fields.
func TestTopicsShareAType(t *testing.T) {
	type said struct {
		Who  string `json:"who" avro:"who"`
		Note string `json:"note" avro:"note"`
	}
	const plain = `{"type": "record", "name": "Said", "fields": [{"name": "who", "type": "string"}]}`
	const noted = `{"type": "record", "name": "Said", "fields": [{"name": "who", "type": "string"}, {"name": "note", "type": "string"}]}`
	in := avroOnly(t)(map[string]service.Schema{
		"a-plain": service.SchemaOf[said](plain), "b-noted": service.SchemaOf[said](noted), "c-plain": service.SchemaOf[said](plain),
	})
	same(t, in, "a-plain", said{Who: "jenny"})
	same(t, in, "b-noted", said{"jenny", "is read"})
	same(t, in, "c-plain", said{Who: "jenny"})
}

// avroOnly makes services' environments with a registry for the test.
func avroOnly(t *testing.T) func(map[string]service.Schema) service.Env {
	cluster := kafkatest.Start(t).Config
	at, _ := systemtest.Registry(t, cluster)
	return func(schemas map[string]service.Schema) service.Env {
		p, err := service.NewPayloads(service.PayloadConfig{Registry: []string{at}, Codec: service.CodecAvro, Schemas: schemas, Topic: cluster.Topic})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return service.Env{Payloads: p}
	}
}

// same sends a message there and back, also as stream processing reads it, and returns its bytes in Avro
// and in JSON.
func same[T any](t *testing.T, env service.Env, topic string, m T) [2]int {
	t.Helper()
	e := env.Event(topic, "k", m)
	if err := e.Validate(); err != nil || e.ContentType != "application/vnd.confluent.avro" {
		t.Errorf("%s: %v, %s", topic, err, e.ContentType)
		return [2]int{}
	}
	got, err := service.Payload[T](env, e)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%s: %+v (%v), want %+v", topic, got, err, m)
	}
	read := service.SerdeOf[T](env.Payloads, topic)
	plain := event.New(topic, "k", m)
	for _, data := range [][]byte{e.Payload, plain.Payload} {
		if got, err := read.Decode(data); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: %+v (%v), want %+v", topic, got, err, m)
		}
	}
	return [2]int{len(e.Payload), len(plain.Payload)}
}
