package order

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/saga"
)

// The query side: a projection of order-changed into the view.

func projected[T saga.Tx](env service.Env, orders Orders[T]) map[string]inbox.Handler[T] {
	return map[string]inbox.Handler[T]{env.Topic(message.TypeOrderChanged): func(ctx context.Context, tx T, m inbox.Message) error {
		o, err := service.Payload[message.OrderChanged](env, m.Event)
		if err != nil {
			return err
		}
		return orders.Project(ctx, tx, o)
	}}
}

type orderPage struct {
	Orders []Line `json:"orders"`
	// After is for the next page; absent on the last.
	After string `json:"after,omitempty"`
}

const (
	defaultLimit = 50
	maxLimit     = 500
)

func readSearch(query url.Values) (Search, error) {
	s := Search{Customer: query.Get("customerId"), Status: query.Get("status"), After: query.Get("after"), Limit: defaultLimit}
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
		v.Text("customerId", s.Customer, maxID)
	}
	if s.After != "" { // empty is the beginning
		v.Text("after", s.After, maxID)
	}
	if query.Has("status") {
		v.Check(isStatus(s.Status), "status", "is none of PENDING, PAID, APPROVED, CANCELLING and CANCELLED")
	}
	if query.Has("limit") {
		n, err := strconv.Atoi(query.Get("limit"))
		v.Check(err == nil && 1 <= n && n <= maxLimit, "limit", "must be a number from 1 to %d", maxLimit)
		s.Limit = n
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
func (a *api[T]) list(ctx context.Context, r *http.Request) (service.Response, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.Response{}, service.Refuse(http.StatusBadRequest, "the query cannot be read: %s", err)
	}
	s, err := readSearch(query)
	if err != nil {
		return service.Response{}, err
	}
	events, seconds := a.env.View.Lag()
	var page orderPage
	page.Orders, err = a.orders.Find(ctx, s)
	if len(page.Orders) > s.Limit {
		page.Orders = page.Orders[:s.Limit]
		page.After = page.Orders[s.Limit-1].OrderID
	}
	return service.Response{Status: http.StatusOK, Body: page, Header: http.Header{
		lagEventsHeader:  {strconv.FormatInt(events, 10)},
		lagSecondsHeader: {strconv.FormatFloat(seconds, 'f', 3, 64)},
	}}, err
}
