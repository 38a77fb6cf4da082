package orders_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/twmb/franz-go/pkg/kgo"
)

func (s *system) admin(name string) *admin.Client {
	s.t.Helper()
	client, err := admin.NewClient(admin.ClientConfig{URL: "http://" + s.Running[name].Addr() + "/admin"})
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

func (s *system) status(name string) admin.Status {
	s.t.Helper()
	status, err := s.admin(name).Status(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return status
}

// TestOperatorSeesAnOrder: an operator follows an order through the stores of
// the services, holds one back by a paused relay, and lets it go.
func TestOperatorSeesAnOrder(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		s.all()
		customer := s.customer(1000)
		restaurant, product := s.restaurant(100, 10)
		order := s.place(customer, restaurant, 100, line(product, 1))
		s.is(order, "APPROVED")

		status := s.status("payment")
		if status.Name != "payment" || status.Cluster == "" || status.Prefix != s.Kafka.Prefix || status.Outbox.ID == "" || len(status.Consumers) != 1 {
			t.Fatalf("status %+v", status)
		}
		consumer := status.Consumers[0]
		if consumer.Name != "payment-service" || consumer.Problem != "" || consumer.Stats.Handled < 2 ||
			len(consumer.Answers) != 1 || consumer.Answers["payment-request"][0] != "payment-response" {
			t.Errorf("consumer %+v", consumer)
		}

		request := s.row("order", outbox.RowQuery{Correlation: order, Topic: "payment-request"})
		if request.Status != outbox.Completed || request.Key != order || request.PublishedAt.Before(request.EnqueuedAt) {
			t.Errorf("the request's row is %+v", request)
		}
		marks, err := s.admin("payment").Marks(t.Context(), "payment-service", request.EventID, "unknown")
		if err != nil || len(marks) != 1 || marks[0].ID != request.EventID || marks[0].Outcome != inbox.Handled {
			t.Errorf("marks %+v, %v", marks, err)
		}
		answer := s.row("payment", outbox.RowQuery{Correlation: order, Payload: true})
		if answer.CausationID != request.EventID || !json.Valid(answer.Payload) {
			t.Errorf("the answer's row is %+v", answer)
		}

		s.pauseAndResume(customer, restaurant, product)
	})
}

// row is the only one that matches, once it is published.
func (s *system) row(name string, q outbox.RowQuery) (row outbox.StoredRow) {
	s.t.Helper()
	testenv.Wait(s.t, "the row in the history", systemtest.StateTimeout, func() bool {
		page, err := s.admin(name).Rows(s.t.Context(), q)
		if err != nil || len(page.Rows) > 1 {
			s.t.Fatalf("rows %+v, %v", page, err)
		}
		if len(page.Rows) == 1 {
			row = page.Rows[0]
		}
		return len(page.Rows) == 1 && row.Status == outbox.Completed
	})
	return row
}

func (s *system) pauseAndResume(customer, restaurant, product string) {
	s.t.Helper()
	relay := s.admin("payment")
	if err := relay.PauseRelay(s.t.Context(), "lunch"); err != nil {
		s.t.Fatal(err)
	}
	testenv.Wait(s.t, "the relay is held", systemtest.StateTimeout, func() bool {
		r := s.status("payment").Outbox.Relay
		return r.State == outbox.Held && r.Paused && r.Reason == "paused: lunch"
	})
	order := s.place(customer, restaurant, 100, line(product, 1))
	testenv.Wait(s.t, "an answer that waits", systemtest.StateTimeout, func() bool {
		page, err := relay.Rows(s.t.Context(), outbox.RowQuery{Correlation: order, Status: outbox.Started})
		if err != nil {
			s.t.Fatal(err)
		}
		return len(page.Rows) == 1 && page.Rows[0].Topic == "payment-response"
	})
	if err := relay.ResumeRelay(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.is(order, "APPROVED")
}

func (s *system) is(order, status string) {
	s.t.Helper()
	testenv.Wait(s.t, "order "+order+" is "+status, systemtest.StateTimeout, func() bool {
		return s.Must(200, "GET", "order", "/orders/"+order, nil).Body["status"] == status
	})
}

// TestServicesAreAnnounced from their start to their stop.
func TestServicesAreAnnounced(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		running := s.Start("customer")
		heard := s.announcements()
		first := <-heard
		want := "http://" + running.Addr() + "/admin"
		if first.Name != "customer" || first.URL != want || first.Instance != s.status("customer").Instance || time.Since(first.At).Abs() > time.Hour {
			t.Errorf("announced %+v, want %s", first, want)
		}
		if len(s.status("customer").Consumers) != 0 {
			t.Error("customer has a consumer")
		}
		s.Stop("customer")
		for last := range heard {
			if last.Instance != first.Instance {
				t.Fatalf("announced %+v", last)
			}
			if last.URL == "" {
				break
			}
		}
	})
}

// announcements reads the topic until the test ends.
func (s *system) announcements() <-chan admin.Announcement {
	s.t.Helper()
	client, err := kafka.NewClient(s.Kafka, kgo.ConsumeTopics(s.Kafka.Topic(admin.Topic)), kgo.MetadataMinAge(20*time.Millisecond))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), systemtest.StateTimeout)
	heard, done := make(chan admin.Announcement), make(chan struct{})
	go func() {
		defer close(done)
		defer close(heard)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				var a admin.Announcement
				if err := json.Unmarshal(r.Value, &a); err != nil || string(r.Key) != a.Key() {
					s.t.Errorf("record %s: %s", r.Key, r.Value)
				}
				select {
				case heard <- a:
				case <-ctx.Done():
				}
			})
		}
	}()
	s.t.Cleanup(func() { cancel(); <-done; client.Close() })
	return heard
}

// TestOpenAddressNeedsToken: on an address that others reach, /admin is there
// with a token only, and announced under the name that was given.
func TestOpenAddressNeedsToken(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	open := func(token string) *service.Service {
		running := s.Launch("customer", func(c *service.Config) {
			c.Listen, c.AdminToken, c.Advertise = "0.0.0.0:0", token, "orders.example.com:8104"
		})
		t.Cleanup(func() { systemtest.Stop(t, running) })
		return running
	}
	url := func(running *service.Service) string {
		_, port, _ := net.SplitHostPort(running.Addr())
		return "http://127.0.0.1:" + port + "/admin"
	}
	closed := open("")
	if a, err := systemtest.Call("GET", url(closed)+"/status", nil); err != nil || a.Status != 404 {
		t.Errorf("without a token: %v, %v", a, err)
	}
	guarded := open("secret")
	if first := <-s.announcements(); first.URL != "http://orders.example.com:8104/admin" {
		t.Errorf("announced %+v", first)
	}
	for token, want := range map[string]error{"": admin.ErrDenied, "wrong": admin.ErrDenied, "secret": nil} {
		client, err := admin.NewClient(admin.ClientConfig{URL: url(guarded), Token: token})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Status(t.Context()); !errors.Is(err, want) {
			t.Errorf("token %q: %v", token, err)
		}
	}
}
