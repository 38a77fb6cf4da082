package orders_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
)

const avroType = "application/vnd.confluent.avro"

// TestAvroIsWritten where there is a registry and nobody says otherwise.
func TestAvroIsWritten(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	at, _ := systemtest.Registry(t, s.Kafka)
	s.All(func(c *service.Config) { c.Registry = []string{at} })
	s.approved(10)
	types := s.contentTypes(message.TypeOrderChanged, message.TypePaymentRequest, message.TypePaymentResponse,
		message.TypeApprovalRequest, message.TypeApprovalResponse, message.TypeCustomerCreated, message.TypeRestaurantChanged)
	for topic, all := range types {
		if len(all) != 1 || all[0] != avroType {
			t.Errorf("%s has %v", topic, all)
		}
	}
	a, _ := systemtest.Call("GET", at+"/subjects", nil) // no object
	if strings.Count(a.Text, "-value") != 7 || !strings.Contains(a.Text, `"order-changed-value"`) {
		t.Errorf("the registry has %s", a.Text)
	}
}

// TestJSONAndAvroSideBySide: services move one after the other, under orders, and back.
func TestJSONAndAvroSideBySide(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	at, _ := systemtest.Registry(t, s.Kafka)
	s.All(systemtest.Writes(service.CodecJSON, at))
	s.approved(2)
	for _, codec := range []string{service.CodecAvro, service.CodecJSON} {
		for _, name := range []string{"order", "customer", "payment", "restaurant"} {
			s.Stop(name)
			s.Start(name, systemtest.Writes(codec, at))
			s.approved(2)
		}
	}
	for topic, all := range s.contentTypes(message.TypeOrderChanged, message.TypePaymentResponse, message.TypeApprovalResponse) {
		if !slices.Contains(all, avroType) || !slices.Contains(all, "application/json") {
			t.Errorf("%s has only %v", topic, all)
		}
	}
	s.noDeadLetters()
}

// TestBreakingSchemaIsRefused when the service that would write it starts: with the reason, before it
// has done anything. What ran goes on.
func TestBreakingSchemaIsRefused(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	at, stop := systemtest.Registry(t, s.Kafka)
	avro := systemtest.Writes(service.CodecAvro, at)
	s.All(avro)
	s.approved(1)

	d, err := orders.System().Find("order")
	if err != nil {
		t.Fatal(err)
	}
	d.Schemas = maps.Clone(d.Schemas)
	d.Schemas[message.TypeOrderChanged] = service.SchemaOf[changedOrder](`{"type": "record", "name": "OrderChanged", "namespace": "dev.pabal.orders",
		"fields": [{"name": "orderId", "type": "string"}, {"name": "table", "type": "long"}]}`)
	config := service.Config{Listen: "127.0.0.1:0", Database: s.Database("order-next"), Kafka: s.Kafka, Logger: systemtest.Log()}
	avro(&config)
	next, err := service.New(d, config)
	if err != nil {
		t.Fatal(err)
	}
	err = next.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "order-changed-value") || !strings.Contains(err.Error(), "table") {
		t.Fatalf("a breaking schema: %v", err)
	}
	s.approved(1)

	stop() // what is known goes on
	s.approved(1)
	s.noDeadLetters()
}

type changedOrder struct {
	OrderID string `avro:"orderId"`
	Table   int64  `avro:"table"`
}

// TestEventsWaitForTheRegistry where it is away and their schemas are not known: they cost no attempt
// and are no dead letters.
func TestEventsWaitForTheRegistry(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	at, _ := systemtest.Registry(t, s.Kafka)
	away, stop := systemtest.Registry(t, s.Kafka)
	stop()
	s.Start("customer", systemtest.Writes(service.CodecAvro, at))
	s.Start("payment", systemtest.Writes(service.CodecJSON, away))
	id := s.Must(201, "POST", "customer", "/customers", obj{"username": "jenny", "email": "jenny@example.com"}).Body["id"].(string)
	s.Wait("the message to wait", func() bool {
		c := s.status("payment").Consumers[0].Stats
		return c.Waiting > 0 && c.Dead == 0
	})
	s.Stop("payment")
	s.Start("payment", systemtest.Writes(service.CodecJSON, at))
	s.Wait("the credit", func() bool { return s.Call("GET", "payment", "/credits/"+id, nil).Status == 200 })
	s.noDeadLetters()
}

// approved places orders one after the other, and waits until each is.
func (s *system) approved(n int) {
	s.t.Helper()
	customer := s.customer(1000)
	restaurant, product := s.restaurant(10, 100)
	for range n {
		s.ends(s.place(customer, restaurant, 10, obj{"productId": product, "quantity": 1}), "APPROVED", "")
	}
}

// contentTypes are those of the events in topics.
func (s *system) contentTypes(topics ...string) map[string][]string {
	s.t.Helper()
	found := map[string][]string{}
	for _, topic := range topics {
		for _, r := range s.Log(topic) {
			if !slices.Contains(found[topic], r.Event.ContentType) {
				found[topic] = append(found[topic], r.Event.ContentType)
			}
		}
		if found[topic] == nil {
			s.t.Errorf("nothing is in %s", topic)
		}
	}
	return found
}

func (s *system) noDeadLetters() {
	s.t.Helper()
	for _, name := range []string{"order", "payment", "restaurant"} {
		if all := s.Log(name + "-service.dead-letters"); len(all) > 0 {
			s.t.Errorf("%d dead letters of %s; the first one: %+v", len(all), name, all[0])
		}
	}
}
