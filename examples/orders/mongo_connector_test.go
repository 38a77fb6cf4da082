package orders_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect"
	connectmongo "github.com/pabal-dev/pabal/connect/mongodb"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/connect/rest"
	"github.com/pabal-dev/pabal/connect/transform"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// requestConnector is the one that people have; only its connection string is filled in.
const requestConnector = `{"name": "order-payment-request-connector",
     "config": {"connector.class": "io.debezium.connector.mongodb.MongoDbConnector",
      "tasks.max": "1", "mongodb.connection.string": "%s",
      "mongodb.authSource": "admin",
      "collection.include.list": "orders.payment_outboxes",
      "topic.prefix": "debezium", "tombstones.on.delete": "false"}}`

// worker of connectors, with its REST API.
func (s *system) worker() (url string) {
	s.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	w, err := connect.New(connect.Config{Kafka: s.Kafka, ID: "here", Logger: systemtest.Log(), Plugins: plugin.Set{
		Sources: []plugin.Source{connectmongo.Source{}}, Transforms: transform.Plugins(), Predicates: transform.Predicates(),
		Converters: converters.Plugins(), Headers: converters.Headers(),
	}})
	if err == nil {
		err = w.Start(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	server.Config.Handler = rest.New(rest.Config{Worker: w, Local: true, Logger: systemtest.Log()})
	server.Start()
	s.t.Cleanup(func() {
		server.Close()
		if err := w.Stop(context.Background()); err != nil {
			s.t.Error(err)
		}
	})
	return server.URL
}

// register posts a connector until the worker is ready for it.
func (s *system) register(url, body string) (status int, answer string) {
	s.t.Helper()
	s.Wait("the worker of connectors", func() bool {
		resp, err := http.Post(url+"/connectors/", "application/json", strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			s.t.Fatal(err)
		}
		status, answer = resp.StatusCode, string(text)
		return status == http.StatusCreated || status == http.StatusBadRequest
	})
	return status, answer
}

// TestOrdersThroughConnector: the order service on MongoDB, with no relay: requests for payment go
// through the connector as it is posted, all else through one with the outbox event router. Rows that
// were there before the connectors are not lost, what was answered or published is deleted, and a
// deletion is no request.
func TestOrdersThroughConnector(t *testing.T) {
	server := testenv.StartMongoDB(t)
	base, options, _ := strings.Cut(server.URL, "?")
	where := strings.TrimRight(base, "/") + "/orders?" + options
	s := newSystem(t, systemtest.Backend{Name: "MongoDB", Start: func(t testing.TB) (kafka.Config, func(string) string) {
		cluster, database := systemtest.Embedded.Start(t)
		return cluster, func(service string) string {
			if service == "order" {
				return where
			}
			return database(service)
		}
	}})
	s.Start("payment")
	s.Start("restaurant")
	s.Start("customer")
	s.Start("order", func(c *service.Config) { c.Outbox, c.OutboxHistory = service.OutboxCDC, -1 })
	db, err := mongodb.Open(t.Context(), where, mongodb.Config{Logger: systemtest.Log()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	customer := s.customer(1000)
	restaurant, product := s.restaurant(300, 9)
	early := s.place(customer, restaurant, 300, line(product, 1)) // before the connectors
	cancelled := s.place(customer, restaurant, 300, line(product, 1))
	s.Must(200, "DELETE", "order", "/orders/"+cancelled, nil)

	url := s.worker()
	if status, answer := s.register(url, fmt.Sprintf(requestConnector, "")); status != http.StatusBadRequest || !strings.Contains(answer, "mongodb.connection.string") {
		t.Errorf("an empty connection string is answered %d %s", status, answer)
	}
	for _, body := range []string{fmt.Sprintf(requestConnector, where), others(where, "orders")} {
		if status, answer := s.register(url, body); status != http.StatusCreated {
			t.Fatalf("%d %s", status, answer)
		}
	}
	s.ends(early, "APPROVED", "")
	s.ends(cancelled, "CANCELLED", "cancelled by the customer")
	s.ends(s.place(customer, restaurant, 600, line(product, 2)), "APPROVED", "")
	s.ends(s.place(customer, restaurant, 300, line(product, 1)), "CANCELLED", "not enough credit")
	s.Wait("the answered requests to be deleted", func() bool {
		n, err := db.Database().Collection("payment_outboxes").CountDocuments(t.Context(), bson.M{})
		return err == nil && n == 0
	})
	s.ends(s.place(customer, restaurant, 300, line(product, 1)), "CANCELLED", "not enough credit") // after the deletions
	s.Wait("what was published to be swept", func() bool {
		b, err := db.Backlog(t.Context())
		return err == nil && b.Started == 0
	})
	if credit := s.credit(customer); credit != 100 {
		t.Errorf("credit %d", credit)
	}
	if n := systemtest.Count(t, s.DB("payment"), `SELECT COUNT(*) FROM pabal_outbox_history WHERE topic = 'payment-response'`); n != 6 {
		t.Errorf("%d answers to 6 requests", n)
	}
	if n := systemtest.Count(t, s.DB("payment"), `SELECT COUNT(*) FROM pabal_inbox WHERE outcome = 'dead'`); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	databases{payment: s.DB("payment"), restaurant: s.DB("restaurant")}.checkMoney(t)
}

// others is the connector of what the order service has to say besides.
func others(where, database string) string {
	config := outbox.MongoConnector{URL: where, Database: database, Prefix: "order-outbox"}.Config()
	text, _ := json.Marshal(map[string]any{"name": "order-outbox", "config": config})
	return string(text)
}
