package orders_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/examples/orders/service"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
	stateTimeout = 30 * time.Second
)

// backend is what the services run on.
type backend struct {
	name  string
	start func(t testing.TB) (kafka.Config, func(service string) string)
}

// backends are the default, which needs nothing, and the real servers.
var backends = []backend{
	{"embedded", func(t testing.TB) (kafka.Config, func(string) string) {
		folder := t.TempDir()
		return kafkatest.Start(t).Config, func(name string) string {
			return "sqlite:" + filepath.Join(folder, name+".db")
		}
	}},
	{"real", func(t testing.TB) (kafka.Config, func(string) string) {
		brokers, database := testenv.Kafka(t), testenv.Postgres(t)
		return kafka.Config{Brokers: brokers, Prefix: testenv.Prefix(t), Logger: testLog()}, func(string) string { return database }
	}},
}

// on is a backend that exists already.
func on(cluster kafka.Config, database func(string) string) backend {
	return backend{"given", func(testing.TB) (kafka.Config, func(string) string) { return cluster, database }}
}

// onEach runs a test on both.
func onEach(t *testing.T, test func(t *testing.T, s *system)) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) { test(t, newSystem(t, b)) })
	}
}

// system is the four services, or some of them.
type system struct {
	t        testing.TB
	kafka    kafka.Config
	database func(string) string
	running  map[string]*service.Service
}

func newSystem(t testing.TB, b backend) *system {
	cluster, database := b.start(t)
	s := &system{t: t, kafka: cluster, database: database, running: map[string]*service.Service{}}
	t.Cleanup(func() {
		for name := range s.running {
			s.stop(name)
		}
	})
	return s
}

// all starts the four services.
func (s *system) all() *system {
	s.t.Helper()
	for _, name := range []string{"order", "payment", "restaurant", "customer"} {
		s.start(name)
	}
	return s
}

func (s *system) start(name string) *service.Service {
	s.t.Helper()
	running := s.launch(name, func(*service.Config) {})
	s.running[name] = running
	return running
}

// launch starts a service that the caller stops.
func (s *system) launch(name string, change func(*service.Config)) *service.Service {
	s.t.Helper()
	config := service.Config{
		Listen: "127.0.0.1:0", Database: s.database(name), Kafka: s.kafka,
		PollInterval: 100 * time.Millisecond, Logger: testLog(),
	}
	change(&config)
	running, err := orders.New(name, config)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := running.Start(ctx); err != nil {
		s.t.Fatal(err)
	}
	return running
}

func (s *system) stop(name string) {
	s.t.Helper()
	if running := s.running[name]; running != nil {
		delete(s.running, name)
		stop(s.t, running)
	}
}

func stop(t testing.TB, running *service.Service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := running.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// testLog is quiet unless PABAL_TEST_LOG is set.
func testLog() *slog.Logger {
	if os.Getenv("PABAL_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// answer is a REST response.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.text) }

func (s *system) call(method, name, path string, body any, headers ...string) answer {
	s.t.Helper()
	a, err := call(method, "http://"+s.running[name].Addr()+path, body, headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// call sends a body as it is where it is a string, as JSON otherwise. headers
// are names and values.
func call(method, url string, body any, headers ...string) (answer, error) {
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		data, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(data)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return answer{}, err
	}
	if content != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return read(http.DefaultClient.Do(r))
}

func read(response *http.Response, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	a := answer{status: response.StatusCode, header: response.Header, text: strings.TrimSpace(string(text))}
	if err == nil && strings.Contains(response.Header.Get("Content-Type"), "json") {
		err = json.Unmarshal(text, &a.body)
	}
	return a, err
}

// must is a call that has to succeed with that status.
func (s *system) must(status int, method, name, path string, body any, headers ...string) answer {
	s.t.Helper()
	a := s.call(method, name, path, body, headers...)
	if a.status != status {
		s.t.Fatalf("%s %s: %s, want %d", method, path, a, status)
	}
	return a
}

type obj map[string]any

// customer registers one and deposits, where credit is above 0, once payment
// has heard of it.
func (s *system) customer(credit int64) (id string) {
	s.t.Helper()
	id = s.must(201, "POST", "customer", "/customers", obj{"username": "jenny", "email": "jenny@example.com"}).body["id"].(string)
	testenv.Wait(s.t, "the credit of customer "+id, stateTimeout, func() bool {
		return s.call("GET", "payment", "/credits/"+id, nil).status == 200
	})
	if credit > 0 {
		s.must(201, "POST", "payment", "/credits/"+id+"/deposits", obj{"amount": credit})
	}
	return id
}

func (s *system) credit(customer string) int64 {
	s.t.Helper()
	return int64(s.must(200, "GET", "payment", "/credits/"+customer, nil).body["balance"].(float64))
}

// restaurant makes one that sells one product.
func (s *system) restaurant(price, quantity int64) (id, product string) {
	s.t.Helper()
	id = s.must(201, "POST", "restaurant", "/restaurants", obj{"name": "Soup & Rice"}).body["id"].(string)
	product = s.must(201, "POST", "restaurant", "/restaurants/"+id+"/products",
		obj{"name": "soup", "price": price, "quantity": quantity}).body["id"].(string)
	return id, product
}

func (s *system) stock(restaurant string) int64 {
	s.t.Helper()
	products := s.must(200, "GET", "restaurant", "/restaurants/"+restaurant, nil).body["products"].([]any)
	return int64(products[0].(map[string]any)["quantity"].(float64))
}

// line is one line of an order.
func line(product string, quantity int64) obj { return obj{"productId": product, "quantity": quantity} }

func orderBody(customer, restaurant string, price int64, items ...obj) obj {
	return obj{"customerId": customer, "restaurantId": restaurant, "price": price, "items": items}
}

func (s *system) place(customer, restaurant string, price int64, items ...obj) (id string) {
	s.t.Helper()
	return s.must(202, "POST", "order", "/orders", orderBody(customer, restaurant, price, items...)).body["orderId"].(string)
}

// final waits until the order's saga has ended.
func (s *system) final(id string) answer {
	s.t.Helper()
	var a answer
	testenv.Wait(s.t, "the end of order "+id, stateTimeout, func() bool {
		a = s.must(200, "GET", "order", "/orders/"+id, nil)
		return a.body["awaiting"] == nil && (a.body["status"] == "APPROVED" || a.body["status"] == "CANCELLED")
	})
	return a
}

// ends waits and checks how an order ended; reason is part of it.
func (s *system) ends(id, status, reason string) answer {
	s.t.Helper()
	a := s.final(id)
	got, _ := a.body["reason"].(string)
	if a.body["status"] != status || !strings.Contains(got, reason) || (reason == "") != (got == "") {
		s.t.Errorf("order %s ended %v, reason %q; want %s, reason %q", id, a.body["status"], got, status, reason)
	}
	return a
}
