package order

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/saga"
)

// api is the REST side.
type api[T saga.Tx] struct {
	env    service.Env
	orders Orders[T]
	saga   *manager[T]
	placed *metrics.Counter
}

func routes[T saga.Tx](env service.Env, orders Orders[T], m *manager[T], r *service.Router) {
	a := &api[T]{env: env, orders: orders, saga: m, placed: env.Counter("orders_placed_total")}
	r.Handle("POST /orders", a.place)
	r.Handle("GET /orders", a.list)
	r.Handle("GET /orders/{id}", a.show)
	r.Handle("DELETE /orders/{id}", a.cancel)
}

type placeRequest struct {
	CustomerID   string            `json:"customerId"`
	RestaurantID string            `json:"restaurantId"`
	Items        []message.Product `json:"items"`
	Price        int64             `json:"price"`
}

type placeResponse struct {
	OrderID string `json:"orderId"`
}

const (
	maxID  = 64 // characters
	maxKey = 255
)

func (p placeRequest) validate() error {
	var v service.Validation
	v.Text("customerId", p.CustomerID, maxID)
	v.Text("restaurantId", p.RestaurantID, maxID)
	v.Check(p.Price > 0, "price", "must be above 0")
	v.Check(len(p.Items) > 0, "items", "needs at least one item")
	v.Check(len(p.Items) <= domain.MaxItems, "items", "has more than %d items", domain.MaxItems)
	for i, item := range p.Items {
		v.Text(fmt.Sprintf("items[%d].productId", i), item.ProductID, maxID)
		v.Check(item.Quantity > 0, fmt.Sprintf("items[%d].quantity", i), "must be above 0")
		v.Check(item.Quantity <= domain.MaxQuantity, fmt.Sprintf("items[%d].quantity", i), "must be at most %d", domain.MaxQuantity)
	}
	return v.Err()
}

// hash tells requests of one idempotency key apart; layout and order of fields
// make no difference.
func (p placeRequest) hash() (string, error) {
	data, err := json.Marshal(p)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

const idempotencyKey = "Idempotency-Key"

func checkKey(r *http.Request) (string, error) {
	values := r.Header.Values(idempotencyKey)
	if len(values) == 0 {
		return "", nil
	}
	var v service.Validation
	v.Check(len(values) == 1, idempotencyKey, "is there %d times", len(values))
	v.Text(idempotencyKey, values[0], maxKey)
	return values[0], v.Err()
}

// place stores the order and asks for its payment. The same request under the
// same idempotency key gets the same answer and makes no second order.
func (a *api[T]) place(ctx context.Context, r *http.Request) (service.Response, error) {
	fresh, err := a.readOrder(r)
	if err != nil {
		return service.Response{}, err
	}
	orderID, inserted := fresh.ID, false
	err = service.Update(ctx, a.orders, func(tx T) (err error) {
		orderID = fresh.ID // again where the twin that a first try saw was rolled back with it
		inserted, err = a.orders.Insert(ctx, tx, fresh)
		switch {
		case err == nil && inserted:
			_, _, err = a.saga.Start(ctx, tx, fresh.ID, fresh.Order)
		case err == nil && fresh.IdempotencyKey != "":
			orderID, err = a.placedBefore(ctx, tx, fresh)
		}
		return err
	})
	if err != nil {
		return service.Response{}, err
	}
	if inserted {
		a.placed.Inc()
	}
	return service.Response{Status: http.StatusAccepted, Body: placeResponse{orderID}, Location: "/orders/" + orderID}, nil
}

func (a *api[T]) readOrder(r *http.Request) (Stored, error) {
	key, err := checkKey(r)
	if err != nil {
		return Stored{}, err
	}
	request, err := service.Decode[placeRequest](r)
	if err != nil {
		return Stored{}, err
	}
	if err := request.validate(); err != nil {
		return Stored{}, err
	}
	o, err := domain.New(a.orders.NewID(), request.CustomerID, request.RestaurantID, items(request.Items), request.Price)
	if err != nil {
		return Stored{}, service.Refuse(http.StatusBadRequest, "%s", err)
	}
	fresh := Stored{Order: o, CreatedAt: a.env.Now(), IdempotencyKey: key}
	if key != "" {
		fresh.RequestHash, err = request.hash()
	}
	return fresh, err
}

// placedBefore returns the order that was placed under the same key.
func (a *api[T]) placedBefore(ctx context.Context, tx T, fresh Stored) (string, error) {
	orderID, hash, err := a.orders.PlacedBefore(ctx, tx, fresh.IdempotencyKey)
	if err == nil && hash != fresh.RequestHash {
		p := service.Refuse(http.StatusUnprocessableEntity, "this key was used for another request")
		p.Errors = []service.FieldError{{Field: idempotencyKey, Detail: p.Detail}}
		return "", p
	}
	return orderID, err
}

type view struct {
	OrderID      string            `json:"orderId"`
	CustomerID   string            `json:"customerId"`
	RestaurantID string            `json:"restaurantId"`
	Items        []message.Product `json:"items"`
	Price        int64             `json:"price"`
	Status       string            `json:"status"`
	Awaiting     string            `json:"awaiting,omitempty"`
	Reason       string            `json:"reason,omitempty"`
	CreatedAt    time.Time         `json:"createdAt"`
	ChangedAt    time.Time         `json:"changedAt"`
	Timeline     []Step            `json:"timeline"`
}

func (a *api[T]) show(ctx context.Context, r *http.Request) (service.Response, error) {
	o, steps, err := a.orders.Read(ctx, r.PathValue("id"))
	if err != nil {
		return service.Response{}, orNotFound(err, r)
	}
	return service.Response{Status: http.StatusOK, Body: viewOf(o, steps)}, nil
}

// byCustomer is the reason of an order that its customer has cancelled.
const byCustomer = "cancelled by the customer"

// cancel is possible while PENDING. The order is CANCELLED at once, and its
// saga ends when payment has given back what it may have taken.
func (a *api[T]) cancel(ctx context.Context, r *http.Request) (service.Response, error) {
	var body view
	id := r.PathValue("id")
	done := false // by a try whose commit may have gone unanswered
	err := service.Update(ctx, a.orders, func(tx T) error {
		_, err := a.saga.Cancel(ctx, tx, id, byCustomer)
		refused := errors.Is(err, domain.ErrTransition) || errors.Is(err, saga.ErrRefused) || errors.Is(err, saga.ErrNotFound)
		if err != nil && !refused {
			return err
		}
		o, steps, err := a.orders.Load(ctx, tx, id)
		if err != nil {
			return err
		}
		body = viewOf(o, steps)
		if refused && !(done && body.Reason == byCustomer) {
			return service.Refuse(http.StatusConflict, "order %s is %s; only a PENDING order can be cancelled", id, body.Status)
		}
		done = true
		return nil
	})
	if err != nil {
		return service.Response{}, orNotFound(err, r)
	}
	return service.Response{Status: http.StatusOK, Body: body}, nil
}

func viewOf(o Stored, steps []Step) view {
	return view{
		OrderID: o.ID, CustomerID: o.CustomerID, RestaurantID: o.RestaurantID, Items: products(o.Items), Price: o.Price,
		Status: string(o.Status), Awaiting: o.Awaiting, Reason: o.Reason,
		CreatedAt: o.CreatedAt, ChangedAt: o.ChangedAt, Timeline: steps,
	}
}

func orNotFound(err error, r *http.Request) error {
	if errors.Is(err, ErrNotFound) {
		return service.Refuse(http.StatusNotFound, "there is no order %q", r.PathValue("id"))
	}
	return err
}
