package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Addresses are the base URLs of the four services.
type Addresses struct {
	Order, Payment, Restaurant, Customer string
}

// client calls the services as any HTTP client would, and repeats a call whose
// outcome it does not know.
type client struct {
	http  *http.Client
	at    Addresses
	limit time.Duration // for one call with all of its repeats
	// repeated is told of every repeat of a request that failed or got lost.
	repeated func()
}

func newClient(at Addresses, connections int, limit time.Duration, repeated func()) *client {
	return &client{
		http: &http.Client{
			Timeout: 15 * time.Second,
			Transport: &http.Transport{
				MaxIdleConnsPerHost: connections,
				MaxConnsPerHost:     connections,
				IdleConnTimeout:     time.Minute,
				DisableCompression:  true,
			},
		},
		at: at, limit: limit, repeated: repeated,
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// RefusedError is an answer that says the request was wrong.
type RefusedError struct {
	Request string
	Status  int
	Body    string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s was answered with %d: %s", e.Request, e.Status, e.Body)
}

// statusOf is the status of a refusal, 0 for any other error.
func statusOf(err error) int {
	var r *RefusedError
	if errors.As(err, &r) {
		return r.Status
	}
	return 0
}

// call sends a request until it is answered with a status below 500 and
// decodes the answer. again names further statuses to repeat. It gives up
// after the limit.
func (c *client) call(ctx context.Context, method, where, key string, body, answer any, again ...int) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return err
		}
	}
	pause := 20 * time.Millisecond
	for {
		err := c.once(ctx, method, where, key, payload, answer)
		if err == nil || !repeatable(err, again) {
			return err
		}
		if wait(ctx, pause/2+rand.N(pause)) != nil {
			return fmt.Errorf("gave up: %w", err)
		}
		pause = min(2*pause, time.Second)
		if status := statusOf(err); status == 0 || status >= 500 {
			c.repeated()
		}
	}
}

func repeatable(err error, again []int) bool {
	status := statusOf(err)
	for _, s := range again {
		if status == s {
			return true
		}
	}
	return status == 0 || status >= 500 || status == http.StatusTooManyRequests
}

func (c *client) once(ctx context.Context, method, where, key string, payload []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	const mostBody = 1 << 20
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostBody))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, where, err)
	}
	if resp.StatusCode >= 300 {
		return &RefusedError{method + " " + where, resp.StatusCode, strings.TrimSpace(string(data))}
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("%s %s: the answer is not the JSON expected: %w", method, where, err)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

type created struct {
	ID string `json:"id"`
}

type orderBody struct {
	CustomerID   string     `json:"customerId"`
	RestaurantID string     `json:"restaurantId"`
	Items        []itemBody `json:"items"`
	Price        int64      `json:"price"`
}

type itemBody struct {
	ProductID string `json:"productId"`
	Quantity  int64  `json:"quantity"`
}

func (c *client) placeOrder(ctx context.Context, key string, body orderBody) (id string, err error) {
	var answer struct {
		OrderID string `json:"orderId"`
	}
	err = c.call(ctx, http.MethodPost, c.at.Order+"/orders", key, body, &answer)
	if err == nil && answer.OrderID == "" {
		err = errors.New("POST /orders: the answer has no orderId")
	}
	return answer.OrderID, err
}

// cancelOrder says whether the order could still be cancelled. A repeat of a
// cancel whose answer got lost may be refused though the first was not.
func (c *client) cancelOrder(ctx context.Context, id string) (bool, error) {
	err := c.call(ctx, http.MethodDelete, c.at.Order+"/orders/"+url.PathEscape(id), "", nil, nil)
	if statusOf(err) == http.StatusConflict {
		return false, nil
	}
	return err == nil, err
}

func (c *client) createCustomer(ctx context.Context, username string) (string, error) {
	var answer created
	body := map[string]string{"username": username, "email": username + "@example.org"}
	err := c.call(ctx, http.MethodPost, c.at.Customer+"/customers", "", body, &answer)
	return answer.ID, err
}

// deposit waits for the customer to become known to payment: that takes a
// message.
func (c *client) deposit(ctx context.Context, customer string, amount int64) error {
	where := c.at.Payment + "/credits/" + url.PathEscape(customer) + "/deposits"
	return c.call(ctx, http.MethodPost, where, "", map[string]int64{"amount": amount}, nil, http.StatusNotFound)
}

func (c *client) createRestaurant(ctx context.Context, name string) (string, error) {
	var answer created
	err := c.call(ctx, http.MethodPost, c.at.Restaurant+"/restaurants", "", map[string]string{"name": name}, &answer)
	return answer.ID, err
}

func (c *client) createProduct(ctx context.Context, restaurant, name string, price, quantity int64) (string, error) {
	var answer created
	where := c.at.Restaurant + "/restaurants/" + url.PathEscape(restaurant) + "/products"
	body := map[string]any{"name": name, "price": price, "quantity": quantity}
	err := c.call(ctx, http.MethodPost, where, "", body, &answer)
	return answer.ID, err
}
