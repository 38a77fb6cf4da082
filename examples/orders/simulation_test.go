package orders_test

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// simulation runs the services' own handlers, endpoints and SQL, without Kafka:
// it takes the messages out of the outboxes itself, and decides when each is
// handled, how often, and which transactions fail. There is no inbox between,
// so what holds here holds for every replay.
type simulation struct {
	t        *testing.T
	services map[string]*simulated
	handlers map[string]handler // by topic
	log      []outbox.Message   // all that was ever sent
	underWay []outbox.Message
}

type simulated struct {
	env    service.Env
	router *service.Router
	read   int64 // the last outbox row taken
}

type handler struct {
	name   string // of its service
	db     storage.DB
	handle inbox.Handler[storage.Tx]
}

func newSimulation(t *testing.T, database func(name string) string) *simulation {
	s := &simulation{t: t, services: map[string]*simulated{}, handlers: map[string]handler{}}
	for _, d := range orders.Definitions() {
		db, err := open.DB(t.Context(), database(d.Name), open.Config{Schema: d.Name, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if err := db.Migrate(t.Context(), d.Name, d.Migrations); err != nil {
			t.Fatal(err)
		}
		env := service.Env{DB: db, Topics: message.Topics{}.WithDefaults(), Log: testLog(), Metrics: metrics.NewSet()}
		router := service.NewRouter(env)
		d.Routes(env, router)
		s.services[d.Name] = &simulated{env: env, router: router}
		if d.Handlers != nil {
			for topic, handle := range d.Handlers(env) {
				s.handlers[topic] = handler{d.Name, db, handle}
			}
		}
	}
	return s
}

func sqliteFiles(t *testing.T) func(string) string {
	folder := t.TempDir()
	return func(name string) string { return "sqlite:" + filepath.Join(folder, name+".db") }
}

// rest calls an endpoint and takes what it sent.
func (s *simulation) rest(method, name, path, body string) answer {
	s.t.Helper()
	a := s.ask(method, name, path, body)
	s.collect(name)
	return a
}

// ask calls an endpoint; it may be used concurrently.
func (s *simulation) ask(method, name, path, body string) answer {
	s.t.Helper()
	recorder := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	s.services[name].router.ServeHTTP(recorder, r)
	a, err := read(recorder.Result(), nil)
	if err != nil {
		s.t.Error(err)
	}
	return a
}

// collect takes what a service sent since the last time.
func (s *simulation) collect(name string) {
	s.t.Helper()
	from := s.services[name]
	for {
		rows, err := from.env.DB.Pending(s.t.Context(), from.read, outbox.Exclusion{}, 1000, 1<<20)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(rows) == 0 {
			return
		}
		for _, row := range rows {
			from.read = row.ID
			s.log = append(s.log, row.Message)
			if _, handled := s.handlers[row.Topic]; handled {
				s.underWay = append(s.underWay, row.Message)
			}
		}
	}
}

var errCrash = errors.New("crash before commit")

// handle lets a handler have an event, again where the database gives up.
func handle(t *testing.T, h handler, e event.Event) {
	t.Helper()
	err := service.Env{DB: h.db}.Update(t.Context(), func(tx storage.Tx) error {
		return h.handle(t.Context(), tx, inbox.Message{Event: e, Attempt: 1})
	})
	if err != nil {
		t.Errorf("%s %s: %v", e.Type, e.Payload, err)
	}
}

// deliver handles a message; where crash is set, its transaction fails at the
// very end.
func (s *simulation) deliver(m outbox.Message, crash bool) {
	s.t.Helper()
	h := s.handlers[m.Topic]
	err := h.db.Update(s.t.Context(), func(tx storage.Tx) error {
		if err := h.handle(s.t.Context(), tx, inbox.Message{Event: m.Event, Topic: m.Topic, Attempt: 1}); err != nil {
			return err
		}
		if crash {
			return errCrash
		}
		return nil
	})
	if err != nil && !errors.Is(err, errCrash) {
		s.t.Fatalf("%s %s: %v", m.Topic, m.Payload, err)
	}
	s.collect(h.name)
}

// drain handles what is under way in a random order; some of it twice, some
// after a crash.
func (s *simulation) drain(random *rand.Rand, between func()) {
	for len(s.underWay) > 0 && !s.t.Failed() {
		i := random.IntN(len(s.underWay))
		m := s.underWay[i]
		switch random.IntN(10) {
		case 0: // it stays, to be handled again
			s.deliver(m, false)
		case 1:
			s.deliver(m, true)
		default:
			s.underWay[i] = s.underWay[len(s.underWay)-1]
			s.underWay = s.underWay[:len(s.underWay)-1]
			s.deliver(m, false)
		}
		between()
	}
}

func (s *simulation) databases() databases {
	return databases{s.services["order"].env.DB, s.services["payment"].env.DB, s.services["restaurant"].env.DB}
}

// customer has heard of by payment, with a credit.
func (s *simulation) customer(credit string) (id string) {
	s.t.Helper()
	id = s.rest("POST", "customer", "/customers", `{"username":"jenny","email":"jenny@example.com"}`).body["id"].(string)
	s.deliver(s.underWay[len(s.underWay)-1], false)
	if a := s.rest("POST", "payment", "/credits/"+id+"/deposits", `{"amount":`+credit+`}`); a.status != 201 {
		s.t.Fatal(a)
	}
	return id
}

func (s *simulation) restaurant(price, quantity string) (id, product string) {
	s.t.Helper()
	id = s.rest("POST", "restaurant", "/restaurants", `{"name":"Soup"}`).body["id"].(string)
	product = s.rest("POST", "restaurant", "/restaurants/"+id+"/products", `{"name":"soup","price":`+price+`,"quantity":`+quantity+`}`).body["id"].(string)
	return id, product
}

func (s *simulation) place(customer, restaurant, product, price string) (id string) {
	s.t.Helper()
	a := s.rest("POST", "order", "/orders", `{"customerId":"`+customer+`","restaurantId":"`+restaurant+
		`","price":`+price+`,"items":[{"productId":"`+product+`","quantity":1}]}`)
	if a.status != 202 {
		s.t.Fatal(a)
	}
	return a.body["orderId"].(string)
}

// TestAnyOrderOfMessagesKeepsMoneyAndStock lets messages of many orders be
// handled in any order, repeatedly and with crashes, while customers cancel;
// then replays every topic from its beginning.
func TestAnyOrderOfMessagesKeepsMoneyAndStock(t *testing.T) {
	random := testenv.Rand(t)
	for range 2 {
		s := newSimulation(t, sqliteFiles(t))
		customers := []string{s.customer("1000"), s.customer("300"), "nobody"}
		open, product := s.restaurant("100", "12")
		restaurants := []string{open, open, open, "nowhere"}
		var ids []string
		for range 40 {
			price := []string{"100", "100", "100", "99"}[random.IntN(4)]
			ids = append(ids, s.place(customers[random.IntN(3)], restaurants[random.IntN(4)], product, price))
		}
		s.drain(random, func() {
			if random.IntN(8) == 0 {
				id := ids[random.IntN(len(ids))]
				if a := s.rest("DELETE", "order", "/orders/"+id, ""); a.status != 200 && a.status != 409 {
					t.Errorf("cancel: %s", a)
				}
			}
		})
		s.databases().checkEnded(t)
		before := table(t, s.databases().order, 3, `SELECT id, status, reason FROM orders`)

		for _, m := range s.log {
			if _, handled := s.handlers[m.Topic]; handled {
				s.underWay = append(s.underWay, m)
			}
		}
		s.drain(random, func() {})
		s.databases().checkEnded(t)
		for id, after := range table(t, s.databases().order, 3, `SELECT id, status, reason FROM orders`) {
			if strings.Join(after, " ") != strings.Join(before[id], " ") {
				t.Errorf("replaying changed order %s from %v to %v", id, before[id], after)
			}
		}
		ends := map[string]int{}
		for _, o := range before {
			ends[o[0]+" "+strings.SplitN(o[1], ":", 2)[0]]++
		}
		t.Logf("%d messages; %v", len(s.log), ends)
	}
}
