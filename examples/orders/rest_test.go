package orders_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/systemtest"
)

const goodOrder = `{"customerId":"c","restaurantId":"r","price":1,"items":[{"productId":"p","quantity":1}]}`

// TestBadRequestsAreProblemsThatNameTheField: every refusal is RFC 9457 problem
// JSON with the field at fault, and stores nothing.
func TestBadRequestsAreProblemsThatNameTheField(t *testing.T) {
	s := newSystem(t, systemtest.Embedded).all()
	restaurant, product := s.restaurant(300, 2)
	customer := s.customer(10)
	order := func(old, new string) string { return strings.Replace(goodOrder, old, new, 1) }
	for _, test := range []struct {
		service, method, path, body string
		status                      int
		field                       string // "" where no field is at fault
	}{
		{"order", "POST", "/orders", order(`"customerId":"c"`, `"customerId":""`), 400, "customerId"},
		{"order", "POST", "/orders", order(`"customerId":"c",`, ``), 400, "customerId"},
		{"order", "POST", "/orders", order(`"customerId":"c"`, `"customerId":null`), 400, "customerId"},
		{"order", "POST", "/orders", order(`"c"`, `"`+strings.Repeat("c", 65)+`"`), 400, "customerId"},
		{"order", "POST", "/orders", order(`"c"`, `"c\u0000"`), 400, "customerId"},
		{"order", "POST", "/orders", order(`"c"`, `7`), 400, "customerId"},
		{"order", "POST", "/orders", order(`"r"`, `""`), 400, "restaurantId"},
		{"order", "POST", "/orders", order(`"price":1`, `"price":0`), 400, "price"},
		{"order", "POST", "/orders", order(`"price":1`, `"price":-1`), 400, "price"},
		{"order", "POST", "/orders", order(`"price":1`, `"price":1.5`), 400, "price"},
		{"order", "POST", "/orders", order(`"price":1`, `"price":"1"`), 400, "price"},
		{"order", "POST", "/orders", order(`"price":1`, `"price":9223372036854775808`), 400, "price"},
		{"order", "POST", "/orders", order(`[{"productId":"p","quantity":1}]`, `[]`), 400, "items"},
		{"order", "POST", "/orders", order(`[{"productId":"p","quantity":1}]`, `{}`), 400, "items"},
		{"order", "POST", "/orders", order(`{"productId"`, strings.Repeat(`{"productId":"p","quantity":1},`, 100)+`{"productId"`), 400, "items"},
		{"order", "POST", "/orders", order(`"quantity":1`, `"quantity":0`), 400, "items[0].quantity"},
		{"order", "POST", "/orders", order(`{"productId"`, `{"productId":"p","quantity":1},{"productId":"q","quantity":-1},{"productId"`), 400, "items[1].quantity"},
		{"order", "POST", "/orders", order(`"quantity":1`, `"quantity":1000001`), 400, "items[0].quantity"},
		{"order", "POST", "/orders", order(`"quantity":1`, `"quantity":"1"`), 400, "items.quantity"},
		{"order", "POST", "/orders", order(`"p"`, `""`), 400, "items[0].productId"},
		{"order", "POST", "/orders", order(`"price":1`, `"price":1,"colour":"red"`), 400, "colour"},
		{"order", "POST", "/orders", order(`"quantity":1`, `"quantity":1,"size":"L"`), 400, "size"},
		{"order", "POST", "/orders", goodOrder + goodOrder, 400, ""},
		{"order", "POST", "/orders", goodOrder[:20], 400, ""},
		{"order", "POST", "/orders", "", 400, ""},
		{"order", "POST", "/orders", "[]", 400, ""},
		{"order", "POST", "/orders", "price=1", 400, ""},
		{"order", "POST", "/orders", `{"customerId":"` + strings.Repeat("x", 1<<20) + `"}`, 413, ""},
		{"order", "GET", "/orders/nothing", "", 404, ""},
		{"order", "DELETE", "/orders/nothing", "", 404, ""},
		{"order", "GET", "/orders/%ff", "", 400, ""},
		{"order", "GET", "/orders/a%00b", "", 400, ""},
		{"order", "GET", "/elsewhere", "", 404, ""},
		{"order", "PUT", "/orders", goodOrder, 405, ""},
		{"payment", "POST", "/credits/" + customer + "/deposits", `{"amount":0}`, 400, "amount"},
		{"payment", "POST", "/credits/" + customer + "/deposits", `{"amount":-1}`, 400, "amount"},
		{"payment", "POST", "/credits/" + customer + "/deposits", `{}`, 400, "amount"},
		{"payment", "POST", "/credits/" + customer + "/deposits", `{"amount":9223372036854775807}`, 400, "amount"},
		{"payment", "POST", "/credits/nobody/deposits", `{"amount":1}`, 404, ""},
		{"payment", "GET", "/credits/nobody", "", 404, ""},
		{"restaurant", "POST", "/restaurants", `{"name":""}`, 400, "name"},
		{"restaurant", "POST", "/restaurants", `{"name":"a\nb"}`, 400, "name"},
		{"restaurant", "POST", "/restaurants", `{"title":"x"}`, 400, "title"},
		{"restaurant", "POST", "/restaurants/" + restaurant + "/products", `{"name":"x","price":0,"quantity":1}`, 400, "price"},
		{"restaurant", "POST", "/restaurants/" + restaurant + "/products", `{"name":"x","price":1,"quantity":-1}`, 400, "quantity"},
		{"restaurant", "POST", "/restaurants/" + restaurant + "/products", `{"price":1,"quantity":1}`, 400, "name"},
		{"restaurant", "POST", "/restaurants/nowhere/products", `{"name":"x","price":1,"quantity":1}`, 404, ""},
		{"restaurant", "PATCH", "/restaurants/" + restaurant, `{}`, 400, "active"},
		{"restaurant", "PATCH", "/restaurants/" + restaurant, `{"active":"yes"}`, 400, "active"},
		{"restaurant", "PATCH", "/restaurants/nowhere", `{"active":true}`, 404, ""},
		{"restaurant", "PATCH", "/restaurants/nowhere/products/" + product, `{"active":true}`, 404, ""},
		{"restaurant", "GET", "/restaurants/nowhere", "", 404, ""},
		{"customer", "POST", "/customers", `{"username":"","email":"a@b.c"}`, 400, "username"},
		{"customer", "POST", "/customers", `{"username":"jenny","email":"jenny"}`, 400, "email"},
		{"customer", "POST", "/customers", `{"username":"jenny"}`, 400, "email"},
		{"customer", "GET", "/customers/nobody", "", 404, ""},
	} {
		var body any
		if test.body != "" || test.method == "POST" {
			body = test.body
		}
		a := s.Call(test.method, test.service, test.path, body)
		name := fmt.Sprintf("%s %s %.80s", test.method, test.path, test.body)
		if a.Status != test.status || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s (%s), want a problem %d", name, a, a.Header.Get("Content-Type"), test.status)
			continue
		}
		if a.Body["status"] != float64(test.status) || a.Body["type"] != "about:blank" || a.Body["title"] == "" || a.Body["detail"] == "" {
			t.Errorf("%s: %s is not a whole problem", name, a)
		}
		if got := fields(a); got != test.field {
			t.Errorf("%s: fields at fault %q, want %q", name, got, test.field)
		}
	}
	if n := systemtest.Count(t, s.databases().order, `SELECT COUNT(*) FROM orders`); n != 0 {
		t.Errorf("%d orders were stored", n)
	}
}

// fields are those a problem names.
func fields(a answer) string {
	var names []string
	list, _ := a.Body["errors"].([]any)
	for _, e := range list {
		names = append(names, e.(map[string]any)["field"].(string))
	}
	return strings.Join(names, ",")
}

func TestEveryFieldAtFaultIsNamed(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	s.Start("order")
	a := s.Call("POST", "order", "/orders", `{"price":-1}`)
	if got := fields(a); got != "customerId,restaurantId,price,items" {
		t.Errorf("fields at fault: %s", got)
	}
}

func TestIdempotencyKeyIsChecked(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	s.Start("order")
	for _, key := range []string{"", strings.Repeat("k", 256)} {
		a := s.Call("POST", "order", "/orders", goodOrder, "Idempotency-Key", key)
		if a.Status != 400 || fields(a) != "Idempotency-Key" {
			t.Errorf("key %.10q: %s", key, a)
		}
	}
	first := s.Must(202, "POST", "order", "/orders", goodOrder, "Idempotency-Key", "k")
	// Layout is no difference; a number of another product is.
	if a := s.Call("POST", "order", "/orders", strings.ReplaceAll(goodOrder, ",", " , "), "Idempotency-Key", "k"); a.Text != first.Text {
		t.Errorf("the same request in another layout: %s", a)
	}
	a := s.Call("POST", "order", "/orders", strings.Replace(goodOrder, `"quantity":1`, `"quantity":2`, 1), "Idempotency-Key", "k")
	if a.Status != 422 || fields(a) != "Idempotency-Key" {
		t.Errorf("another request: %s", a)
	}
	if a := s.Must(202, "POST", "order", "/orders", goodOrder); a.Text == first.Text {
		t.Error("a request without a key got another one's order")
	}
	if n := systemtest.Count(t, s.Running["order"].DB(), `SELECT COUNT(*) FROM orders`); n != 2 {
		t.Errorf("%d orders", n)
	}
}

func TestContentTypeIsChecked(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	s.Start("order")
	for contentType, status := range map[string]int{
		"application/json": 202, "application/json; charset=utf-8": 202, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/xml": 415, "nonsense/": 415,
	} {
		if a := s.Call("POST", "order", "/orders", goodOrder, "Content-Type", contentType); a.Status != status {
			t.Errorf("%s: %s", contentType, a)
		}
	}
}

// TestMessagesOnTheWire: names, keys and the ids that tie messages together.
func TestMessagesOnTheWire(t *testing.T) {
	s := newSystem(t, systemtest.Embedded).all()
	restaurant, product := s.restaurant(300, 1)
	customer := s.customer(600)
	id := s.place(customer, restaurant, 300, line(product, 1))
	s.ends(id, "APPROVED", "")
	refused := s.place(customer, restaurant, 300, line(product, 1))
	s.ends(refused, "CANCELLED", "not enough of product")

	created := s.About("customer-created", customer, 1)[0]
	same(t, created, obj{"id": customer, "username": "jenny", "email": "jenny@example.com"})
	open := s.About("restaurant-changed", restaurant, 1)[0]
	same(t, open, obj{"restaurantId": restaurant, "name": "Soup & Rice", "active": true}, "changedAt")

	pay := s.About("payment-request", id, 1)[0]
	same(t, pay, obj{"id": id, "customerId": customer, "price": 300, "paymentOrderStatus": "PENDING"}, "createdAt")
	paid := s.About("payment-response", id, 1)[0]
	same(t, paid, obj{"id": id, "customerId": customer, "price": 300, "paymentStatus": "COMPLETED"}, "createdAt")
	ask := s.About("order-approval-request", id, 1)[0]
	products := []obj{line(product, 1)}
	same(t, ask, obj{"orderId": id, "restaurantId": restaurant, "price": 300, "products": products}, "createdAt")
	yes := s.About("order-approval-response", id, 1)[0]
	same(t, yes, obj{"orderId": id, "restaurantId": restaurant, "orderApprovalStatus": "APPROVED"}, "createdAt")
	for i, change := range s.About("order-changed", id, 3) {
		status := []string{"PENDING", "PAID", "APPROVED"}[i]
		same(t, change, obj{"orderId": id, "customerId": customer, "restaurantId": restaurant, "items": products, "price": 300, "status": status}, "changedAt")
		chained(t, id, change, []event.Event{{}, paid.Event, yes.Event}[i])
	}
	chained(t, id, pay, event.Event{})
	chained(t, id, paid, pay.Event)
	chained(t, id, ask, paid.Event)
	chained(t, id, yes, ask.Event)

	refusal := s.About("order-approval-response", refused, 1)[0]
	reason := fmt.Sprintf("not enough of product %s: 1 wanted, 0 there", product)
	same(t, refusal, obj{"orderId": refused, "restaurantId": restaurant, "orderApprovalStatus": "REJECTED", "reason": reason}, "createdAt")
	changes := s.About("order-changed", refused, 4)
	same(t, changes[3], obj{"orderId": refused, "customerId": customer, "restaurantId": restaurant, "items": products, "price": 300, "status": "CANCELLED", "reason": reason}, "changedAt")
	answers := s.About("payment-response", refused, 2)
	same(t, answers[1], obj{"id": refused, "customerId": customer, "price": 300, "paymentStatus": "CANCELLED"}, "createdAt")
}

// same compares a value with what is wanted; times only have to be there.
func same(t *testing.T, r systemtest.Record, want obj, times ...string) {
	t.Helper()
	got := obj{}
	for name, v := range r.Value {
		got[name] = v
	}
	for _, name := range times {
		if got[name] == nil {
			t.Errorf("%s has no %s: %s", r.Type, name, r.Payload)
		}
		delete(got, name)
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("%s is\n%s, want\n%s", r.Type, a, b)
	}
}

func chained(t *testing.T, correlation string, r systemtest.Record, cause event.Event) {
	t.Helper()
	if r.CorrelationID != correlation || r.CausationID != cause.ID || r.ID == cause.ID || r.ContentType != "application/json" {
		t.Errorf("%s: id %s, correlation id %s, causation id %s; want correlation id %s, causation id %q", r.Type, r.ID, r.CorrelationID, r.CausationID, correlation, cause.ID)
	}
}
