package browsertest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/twmb/franz-go/pkg/kgo"
)

type object map[string]any

// call is a request of a service's REST API; its status and answer.
func (s *site) call(method, url string, body any) (int, object) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	data, err := json.Marshal(body)
	if err != nil {
		s.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(data))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	var answer object
	_ = json.NewDecoder(response.Body).Decode(&answer) // some answers have no body
	return response.StatusCode, answer
}

// made posts and returns the id of what was made.
func (s *site) made(url string, body any) string {
	s.Helper()
	status, answer := s.call("POST", url, body)
	if status != http.StatusCreated && status != http.StatusAccepted {
		s.Fatalf("POST %s: %d %v", url, status, answer)
	}
	for _, name := range []string{"id", "orderId"} {
		if id, ok := answer[name].(string); ok {
			return id
		}
	}
	return ""
}

// customer is one that can pay.
func (s *site) customer(name string) string {
	s.Helper()
	id := s.made(s.at("customer", "/customers"), object{"username": name, "email": "jenny@example.com"})
	testenv.Wait(s, "the customer's credit", stateTimeout, func() bool {
		status, _ := s.call("GET", s.at("payment", "/credits/%s", id), nil)
		return status == http.StatusOK
	})
	s.made(s.at("payment", "/credits/%s/deposits", id), object{"amount": 100_000})
	return id
}

// shop is a customer and a restaurant with one product.
type shop struct {
	*site
	buyer, restaurant, product string
}

func (s *site) shop() *shop {
	s.Helper()
	restaurant := s.made(s.at("restaurant", "/restaurants"), object{"name": "Soup & Rice"})
	product := s.made(s.at("restaurant", "/restaurants/%s/products", restaurant), object{"name": "soup", "price": 500, "quantity": 1000})
	return &shop{s, s.customer("jenny"), restaurant, product}
}

// place orders one soup.
func (s *shop) place() string {
	s.Helper()
	return s.made(s.at("order", "/orders"), object{
		"customerId": s.buyer, "restaurantId": s.restaurant, "price": 500,
		"items": []object{{"productId": s.product, "quantity": 1}},
	})
}

// approved waits until the order has gone all its way.
func (s *shop) approved(order string) {
	s.Helper()
	testenv.Wait(s, "the end of order "+order, stateTimeout, func() bool {
		_, answer := s.call("GET", s.at("order", "/orders/%s", order), nil)
		return answer["awaiting"] == nil && answer["status"] == "APPROVED"
	})
}

// publish writes an event with any bytes as its payload.
func (s *site) publish(topic, eventType, key, payload string) {
	s.Helper()
	e := event.New(eventType, key, object{})
	record := &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(payload)}
	e.Source = "/browsertest"
	for _, h := range e.RecordHeaders() {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	if err := s.cluster.Client(s.T).ProduceSync(ctx, record).FirstErr(); err != nil {
		s.Fatal(err)
	}
}
