package orders_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/topselling"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
)

// launchTopSelling starts the service; stores are where it is started again.
func (s *system) launchTopSelling(folder, registry string) *service.Service {
	s.t.Helper()
	running, err := service.New(topselling.Definition(), service.Config{
		Listen: "127.0.0.1:0", Kafka: s.Kafka, Registry: []string{registry}, Logger: systemtest.Log(), Instance: "this:one",
		Texts: map[string]string{topselling.StateDir.Name: folder},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := running.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return running
}

// get reads a page of a service.
func (s *system) get(running *service.Service, path string) (status int, body string) {
	s.t.Helper()
	r, err := http.Get("http://" + running.Addr() + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	var text bytes.Buffer
	if _, err := io.Copy(&text, r.Body); err != nil {
		s.t.Fatal(err)
	}
	return r.StatusCode, text.String()
}

// TestTopSelling: what the four services publish is counted, once also over a restart of the
// service and a new count of it all, and shown with names.
func TestTopSelling(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		at, _ := systemtest.Registry(t, s.Kafka)
		s.All(func(c *service.Config) { c.Registry = []string{at} })
		customer := s.customer(1000)
		restaurant, product := s.restaurant(300, 3)
		folder := t.TempDir()
		running := s.launchTopSelling(folder, at)
		began := time.Now()
		sold := func(want int64) func() bool {
			place := topselling.Place{RestaurantID: restaurant, Sales: topselling.Sales{Name: "Soup & Rice", Orders: want, Revenue: want * 300}}
			return func() bool { return s.sold(running, began, place) }
		}
		s.ends(s.place(customer, restaurant, 300, line(product, 1)), "APPROVED", "")
		s.ends(s.place(customer, restaurant, 299, line(product, 1)), "CANCELLED", "price")
		s.Wait("the first order to count", sold(1))
		systemtest.Stop(t, running)
		s.ends(s.place(customer, restaurant, 300, line(product, 1)), "APPROVED", "")
		running = s.launchTopSelling(folder, at)
		s.Wait("the second order to count", sold(2))
		systemtest.Stop(t, running)
		running = s.launchTopSelling(t.TempDir(), at) // its stores are lost
		defer systemtest.Stop(t, running)
		s.Wait("the counts to be restored", sold(2))
		s.Wait("the service to be ready", func() bool {
			status, _ := s.get(running, "/readyz")
			return status == http.StatusOK
		})
		for path, says := range map[string]string{
			"/metrics": "streams", "/streams/" + topselling.Application + "/stores": topselling.Store,
			"/admin/status": topselling.Application, "/top-selling?at=2026-01-31T12:00:30Z": `"windowStart":"2026-01-31T12:00:00Z","windowEnd":"2026-01-31T12:01:00Z","restaurants":[]`,
		} {
			if status, body := s.get(running, path); status != 200 || !strings.Contains(body, says) {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		for path, says := range map[string]string{"limit=0": "limit", "limit=101": "100", "at=noon": "at", "top=3": "not known", "limit=1&limit=2": "2 times", "%zz": "cannot be read"} {
			if status, body := s.get(running, "/top-selling?"+path); status != 400 || !strings.Contains(body, says) {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	})
}

// sold says whether one restaurant has sold that since then, whatever the window.
func (s *system) sold(running *service.Service, since time.Time, want topselling.Place) bool {
	s.t.Helper()
	var got topselling.Place
	for at := since.Truncate(topselling.Window); at.Before(time.Now()); at = at.Add(topselling.Window) {
		var top topselling.Top
		status, body := s.get(running, "/top-selling?at="+at.UTC().Format(time.RFC3339))
		if status == http.StatusServiceUnavailable {
			return false
		}
		if err := json.Unmarshal([]byte(body), &top); err != nil || len(top.Restaurants) > 1 {
			s.t.Fatal(body, err)
		}
		for _, r := range top.Restaurants {
			got.RestaurantID, got.Name = r.RestaurantID, r.Name
			got.Orders, got.Revenue = got.Orders+r.Orders, got.Revenue+r.Revenue
		}
	}
	if got.Orders > want.Orders {
		s.t.Fatalf("%+v, want %+v", got, want)
	}
	return got == want
}

// TestTopSellingHelp says what there is, and nothing of databases.
func TestTopSellingHelp(t *testing.T) {
	var out, errs bytes.Buffer
	if code := service.Command(t.Context(), topselling.Definition(), []string{"--help"}, &out, &errs); code != service.ExitOK || errs.Len() > 0 {
		t.Fatalf("exit %d, %s", code, &errs)
	}
	for _, want := range []string{"127.0.0.1:8112", "--state-dir", "--topic-order-changed", "--topic-restaurant-changed", "$TOPSELLING_KAFKA"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %s:\n%s", want, &out)
		}
	}
	for _, unwanted := range []string{"--database", "--schema", "--outbox", "--inbox", "--group"} {
		if strings.Contains(out.String(), unwanted) {
			t.Errorf("it says %s:\n%s", unwanted, &out)
		}
	}
	errs.Reset()
	if code := service.Command(t.Context(), topselling.Definition(), []string{"--database=sqlite:x.db"}, &out, &errs); code == service.ExitOK ||
		!strings.Contains(errs.String(), "--database: topselling has no database") {
		t.Errorf("a flag that would set nothing: exit %d, %s", code, &errs)
	}
}
