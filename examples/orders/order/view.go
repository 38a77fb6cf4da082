package order

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// The query side: a projection of order-changed into the table order_view.

func projected(env service.Env) map[string]inbox.Handler[storage.Tx] {
	return map[string]inbox.Handler[storage.Tx]{env.Topic(message.TypeOrderChanged): onOrderChanged}
}

func onOrderChanged(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	o, err := event.Decode[message.OrderChanged](m.Event)
	if err != nil {
		return err
	}
	items, err := json.Marshal(o.Items)
	if err != nil {
		return err
	}
	// An order's changes come in their order, so the last one is the newest.
	_, err = tx.Exec(ctx, `INSERT INTO order_view (id, customer_id, restaurant_id, items, price, status, reason, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, reason = excluded.reason, changed_at = excluded.changed_at`,
		o.OrderID, o.CustomerID, o.RestaurantID, string(items), o.Price, o.Status, o.Reason, o.ChangedAt.UnixMicro())
	return err
}

// orderLine is an order as the view has it.
type orderLine struct {
	OrderID      string            `json:"orderId"`
	CustomerID   string            `json:"customerId"`
	RestaurantID string            `json:"restaurantId"`
	Items        []message.Product `json:"items"`
	Price        int64             `json:"price"`
	Status       string            `json:"status"`
	Reason       string            `json:"reason,omitempty"`
	ChangedAt    time.Time         `json:"changedAt"`
}

type orderPage struct {
	Orders []orderLine `json:"orders"`
	// After is for the next page; absent on the last.
	After string `json:"after,omitempty"`
}

// search asks the view.
type search struct {
	customer, status, after string
	limit                   int
}

const (
	defaultLimit = 50
	maxLimit     = 500
)

func readSearch(query url.Values) (search, error) {
	s := search{customer: query.Get("customerId"), status: query.Get("status"), after: query.Get("after"), limit: defaultLimit}
	var v service.Validation
	for name, values := range query {
		switch name {
		case "customerId", "status", "after", "limit":
			v.Check(len(values) == 1, name, "is there %d times", len(values))
		default:
			v.Check(false, name, "is not known; there are customerId, status, after and limit")
		}
	}
	if query.Has("customerId") {
		v.Text("customerId", s.customer, maxID)
	}
	if s.after != "" { // empty is the beginning
		v.Text("after", s.after, maxID)
	}
	if query.Has("status") {
		v.Check(isStatus(s.status), "status", "is none of PENDING, PAID, APPROVED, CANCELLING and CANCELLED")
	}
	if query.Has("limit") {
		n, err := strconv.Atoi(query.Get("limit"))
		v.Check(err == nil && 1 <= n && n <= maxLimit, "limit", "must be a number from 1 to %d", maxLimit)
		s.limit = n
	}
	return s, v.Err()
}

func isStatus(s string) bool {
	switch domain.Status(s) {
	case domain.Pending, domain.Paid, domain.Approved, domain.Cancelling, domain.Cancelled:
		return true
	}
	return false
}

// Headers that say how far behind its topic the view was, as this process sees it:
// of the partitions that it reads.
const (
	lagEventsHeader  = "View-Lag-Events"
	lagSecondsHeader = "View-Lag-Seconds"
)

// list answers from the view. Ids ascend with time, and so do the pages.
func (a *api) list(ctx context.Context, r *http.Request) (service.Response, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.Response{}, service.Refuse(http.StatusBadRequest, "the query cannot be read: %s", err)
	}
	s, err := readSearch(query)
	if err != nil {
		return service.Response{}, err
	}
	lag := a.env.View.Stats()
	page := orderPage{Orders: []orderLine{}}
	err = a.env.DB.View(ctx, func(q storage.Querier) (err error) {
		page.Orders, err = find(ctx, q, s)
		return err
	})
	if len(page.Orders) > s.limit {
		page.Orders = page.Orders[:s.limit]
		page.After = page.Orders[s.limit-1].OrderID
	}
	return service.Response{Status: http.StatusOK, Body: page, Header: http.Header{
		lagEventsHeader:  {strconv.FormatInt(lag.LagEvents, 10)},
		lagSecondsHeader: {strconv.FormatFloat(lag.LagSeconds, 'f', 3, 64)},
	}}, err
}

// find returns one more than asked for where there is one.
func find(ctx context.Context, q storage.Querier, s search) ([]orderLine, error) {
	text, args := s.sql()
	rows, err := q.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []orderLine{}
	for rows.Next() {
		var o orderLine
		var items string
		var changed int64
		if err := rows.Scan(&o.OrderID, &o.CustomerID, &o.RestaurantID, &items, &o.Price, &o.Status, &o.Reason, &changed); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(items), &o.Items); err != nil {
			return nil, err
		}
		o.ChangedAt = time.UnixMicro(changed).UTC()
		found = append(found, o)
	}
	return found, rows.Err()
}

// sql has only the conditions asked for, so that each finds its index.
func (s search) sql() (text string, args []any) {
	text, args = "SELECT id, customer_id, restaurant_id, items, price, status, reason, changed_at FROM order_view WHERE id > $1", []any{s.after}
	for _, condition := range []struct{ column, value string }{{"customer_id", s.customer}, {"status", s.status}} {
		if condition.value != "" {
			args = append(args, condition.value)
			text += fmt.Sprintf(" AND %s = $%d", condition.column, len(args))
		}
	}
	args = append(args, s.limit+1)
	return text + fmt.Sprintf(" ORDER BY id LIMIT $%d", len(args)), args
}
