package lens

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/fleet"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/storage"
)

// shop is the four services of the orders example, and a lens that sees them.
type shop struct {
	t       *testing.T
	kafka   kafka.Config
	folder  string
	running map[string]*service.Service
	fleet   *fleet.Fleet
	lens    *Lens
}

func openShop(t *testing.T) *shop {
	s := &shop{t: t, kafka: kafkatest.Start(t).Config, folder: t.TempDir(), running: map[string]*service.Service{}}
	s.kafka.Prefix = "shop."
	t.Cleanup(func() {
		for name := range s.running {
			s.stop(name)
		}
	})
	for _, name := range []string{"order", "payment", "restaurant", "customer"} {
		s.start(name)
	}
	var err error
	if s.fleet, err = fleet.New(s.kafka, fleet.Config{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if err := s.fleet.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.fleet.Stop(context.Background()) })
	s.lens, _ = run(t, s.kafka, Config{Services: s.fleet, StallAfter: time.Second, UnpublishedAfter: time.Second})
	s.lens.watch.age = 200 * time.Millisecond
	await(t, "four services", func() bool {
		list, err := s.fleet.Services(t.Context())
		return err == nil && len(list) == 4 && !slices.ContainsFunc(list, func(i api.Service) bool { return i.Status == nil })
	})
	return s
}

func (s *shop) start(name string) {
	s.t.Helper()
	running, err := orders.System().New(name, service.Config{
		Listen: "127.0.0.1:0", Database: "sqlite:" + filepath.Join(s.folder, name+".db"), Kafka: s.kafka,
		PollInterval: 100 * time.Millisecond, Partitions: 1, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := running.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.running[name] = running
}

func (s *shop) stop(name string) {
	running := s.running[name]
	delete(s.running, name)
	if err := running.Stop(context.Background()); err != nil {
		s.t.Errorf("stop %s: %v", name, err)
	}
}

func (s *shop) call(method, name, path string, body any) (status int, answer map[string]any) {
	s.t.Helper()
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		content = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.running[name].Addr()+path, content)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode < 300 {
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil && err != io.EOF {
			s.t.Fatal(err)
		}
	}
	return response.StatusCode, answer
}

func (s *shop) made(name, path string, body any) string {
	s.t.Helper()
	status, answer := s.call("POST", name, path, body)
	if status != 201 && status != 202 {
		s.t.Fatalf("POST %s: %d", path, status)
	}
	for _, field := range []string{"id", "orderId"} {
		if id, ok := answer[field].(string); ok {
			return id
		}
	}
	s.t.Fatalf("POST %s: no id in %v", path, answer)
	return ""
}

type obj = map[string]any

// customer is one with credit, and a restaurant with a product.
func (s *shop) customer() (customer, restaurant, product string) {
	customer = s.made("customer", "/customers", obj{"username": "jenny", "email": "jenny@example.com"})
	await(s.t, "the credit", func() bool { status, _ := s.call("GET", "payment", "/credits/"+customer, nil); return status == 200 })
	s.call("POST", "payment", "/credits/"+customer+"/deposits", obj{"amount": 100_000})
	restaurant = s.made("restaurant", "/restaurants", obj{"name": "Soup & Rice"})
	product = s.made("restaurant", "/restaurants/"+restaurant+"/products", obj{"name": "soup", "price": 500, "quantity": 100})
	return customer, restaurant, product
}

func (s *shop) order(customer, restaurant, product string) string {
	return s.made("order", "/orders", obj{"customerId": customer, "restaurantId": restaurant, "price": 500,
		"items": []obj{{"productId": product, "quantity": 1}}})
}

// TestOrders: the whole of an order is found by its id; a relay that is paused is
// named as what keeps the next one, in its outbox only; resumed, that goes on.
func TestOrders(t *testing.T) {
	s := openShop(t)
	customer, restaurant, product := s.customer()
	first := s.order(customer, restaurant, product)
	var trace api.Trace
	await(t, "the whole order", func() bool {
		var err error
		trace, err = s.lens.Trace(t.Context(), first)
		return err == nil && trace.Complete && len(trace.Hops) > 12
	})
	t.Log("\n" + picture(trace))
	checkShape(t, trace)
	for _, want := range []struct {
		kind api.HopKind
		who  string
	}{
		{api.HopRequest, "order"}, {api.HopOutbox, "order"}, {api.HopConsume, "payment-service"}, {api.HopOutbox, "payment"},
		{api.HopConsume, "order-service"}, {api.HopConsume, "restaurant-service"}, {api.HopOutbox, "restaurant"}, {api.HopRecord, ""},
	} {
		if !slices.ContainsFunc(trace.Hops, func(h api.Hop) bool {
			return h.Kind == want.kind && (h.Consumer == want.who || h.Consumer == "" && h.Service == want.who)
		}) {
			t.Errorf("no %s of %q", want.kind, want.who)
		}
	}
	for _, h := range trace.Hops {
		if h.Kind == api.HopConsume && (h.LatencyMicros < 0 || h.LatencyMicros > int64(patience/time.Microsecond)) {
			t.Errorf("hop %+v took %d µs", h, h.LatencyMicros)
		}
	}

	s.pauseAndResume(customer, restaurant, product)
	s.stopAndStart(customer, restaurant, product)
	s.giveUp()
	s.falsify()
}

func (s *shop) pauseAndResume(customer, restaurant, product string) {
	t := s.t
	order, err := s.fleet.At(t.Context(), "order")
	if err != nil {
		t.Fatal(err)
	}
	if err := order.PauseRelay(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	second := s.order(customer, restaurant, product)
	await(t, "the paused relay's name", func() bool {
		trace, err := s.lens.Trace(t.Context(), second)
		return err == nil && trace.Stuck != nil && trace.Stuck.Cause == api.CauseRelayStopped && trace.Stuck.Action != nil &&
			trace.Stuck.Action.Path == "services/order/outbox/relay"
	})
	await(t, "the violation", func() bool {
		list, err := s.lens.Violations(t.Context())
		return err == nil && slices.ContainsFunc(list, func(v api.Violation) bool {
			return v.Rule == ruleUnpublished && v.Service == "order" && v.Action != nil
		})
	})
	if err := order.ResumeRelay(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, "the end of the second order", func() bool {
		trace, err := s.lens.Trace(t.Context(), second)
		return err == nil && trace.Complete && len(trace.Hops) > 12
	})
}

// stopAndStart takes a service away: the lens remembers what it owes.
func (s *shop) stopAndStart(customer, restaurant, product string) {
	t := s.t
	s.stop("payment")
	third := s.order(customer, restaurant, product)
	await(t, "the name of the service that is away", func() bool {
		trace, err := s.lens.Trace(t.Context(), third)
		return err == nil && trace.Stuck != nil && trace.Stuck.Cause == api.CauseServiceAway && len(trace.Notes) > 0
	})
	s.start("payment")
	await(t, "the end of the third order", func() bool {
		trace, err := s.lens.Trace(t.Context(), third)
		return err == nil && trace.Complete && len(trace.Hops) > 12
	})
}

// giveUp sends what no handler can read: it becomes a dead letter that the trace
// shows, with the action that redrives it.
func (s *shop) giveUp() {
	t := s.t
	client, err := kafka.NewClient(s.kafka)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	bad := event.New("payment-request", "order-x", []int{1})
	produce(t, client, s.kafka.Topic("payment-request"), bad)
	await(t, "the dead letter", func() bool {
		trace, err := s.lens.Trace(t.Context(), "order-x")
		if err != nil || trace.Stuck == nil || trace.Stuck.Cause != api.CauseDeadLetter || trace.Stuck.Action == nil {
			return false
		}
		checkShape(t, trace)
		return strings.Contains(string(trace.Stuck.Action.Body), `"shop.payment-service.dead-letters/`) &&
			slices.ContainsFunc(trace.Hops, func(h api.Hop) bool { return h.Kind == api.HopRecord && h.State == api.Dead })
	})
}

// falsify takes a mark from an inbox: that is noticed. Until then nothing is.
func (s *shop) falsify() {
	t := s.t
	calm := func() bool {
		list, err := s.lens.Violations(t.Context())
		return err == nil && len(list) == 0
	}
	await(t, "no violation", calm)
	db := s.running["payment"].DB()
	var id string
	err := db.Update(t.Context(), func(tx storage.Tx) error {
		if err := tx.QueryRow(t.Context(), "SELECT id FROM pabal_inbox WHERE consumer = 'payment-service' ORDER BY marked_at DESC LIMIT 1").Scan(&id); err != nil {
			return err
		}
		n, err := tx.Exec(t.Context(), "DELETE FROM pabal_inbox WHERE id = $1", id)
		if err == nil && n == 0 {
			err = fmt.Errorf("no mark %s", id)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the lost mark", func() bool {
		list, err := s.lens.Violations(t.Context())
		return err == nil && slices.ContainsFunc(list, func(v api.Violation) bool { return v.Rule == ruleAhead && v.Service == "payment" })
	})
}
