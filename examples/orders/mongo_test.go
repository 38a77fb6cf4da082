package orders_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/storage/mongodb"
)

// onMongoDB is the embedded backend, but for the order service's database.
func onMongoDB(t *testing.T) (*system, *mongodb.DB) {
	t.Helper()
	base, options, _ := strings.Cut(testenv.MongoDB(t), "?")
	url := fmt.Sprintf("%s/orders_%d?%s", strings.TrimRight(base, "/"), time.Now().UnixNano(), options)
	db, err := mongodb.Open(t.Context(), url, mongodb.Config{Logger: systemtest.Log()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), systemtest.StateTimeout)
		defer cancel()
		if err := errors.Join(db.Database().Drop(ctx), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return newSystem(t, systemtest.Backend{Name: "MongoDB", Start: func(t testing.TB) (kafka.Config, func(string) string) {
		cluster, database := systemtest.Embedded.Start(t)
		return cluster, func(service string) string {
			if service == "order" {
				return url
			}
			return database(service)
		}
	}}), db
}

// TestOrdersOnMongoDB: what can become of an order is the same.
func TestOrdersOnMongoDB(t *testing.T) {
	s, _ := onMongoDB(t)
	s.all().scenarios(t)
	databases{payment: s.DB("payment"), restaurant: s.DB("restaurant")}.checkMoney(t)
	t.Run("the view", func(t *testing.T) { viewOnMongoDB(t, s) })
}

func viewOnMongoDB(t *testing.T, s *system) {
	customer := s.customer(10_000)
	restaurant, product := s.restaurant(100, 100)
	var placed []string
	for range 5 {
		id := s.place(customer, restaurant, 100, line(product, 1))
		s.ends(id, "APPROVED", "")
		placed = append(placed, id)
	}
	if len(placed[0]) != 24 {
		t.Errorf("an order's id is %s, no ObjectId", placed[0])
	}
	var seen []string
	s.Wait("the view has all orders", func() bool {
		seen = nil
		for after := ""; ; {
			a := s.Must(200, "GET", "order", "/orders?limit=2&status=APPROVED&customerId="+customer+"&after="+after, nil)
			for _, o := range a.Body["orders"].([]any) {
				seen = append(seen, o.(map[string]any)["orderId"].(string))
			}
			var more bool
			if after, more = a.Body["after"].(string); !more {
				return len(seen) == len(placed)
			}
		}
	})
	if strings.Join(seen, " ") != strings.Join(placed, " ") {
		t.Errorf("the view has %v, placed were %v", seen, placed)
	}
	for path, status := range map[string]int{"/orders/nonsense": 404, "/orders/" + strings.Repeat("0", 24): 404, "/orders?after=nonsense": 400} {
		if a := s.Call("GET", "order", path, nil); a.Status != status {
			t.Errorf("%s: %s, want %d", path, a, status)
		}
	}
}
