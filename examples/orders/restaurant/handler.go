package restaurant

import (
	"context"
	"errors"
	"fmt"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/restaurant/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

type handler struct {
	env                service.Env
	approved, rejected *metrics.Counter
}

func newHandler(env service.Env) *handler {
	return &handler{
		env:      env,
		approved: env.Counter(`restaurant_approvals_total{status="APPROVED"}`),
		rejected: env.Counter(`restaurant_approvals_total{status="REJECTED"}`),
	}
}

// approval is what the restaurant said to one order, for ever.
type approval struct {
	OrderID      string
	RestaurantID string
	Status       string
	Reason       string
}

// onApprovalRequest decides once per order and answers every request. The
// approval's row comes first: whoever inserts it is the one to decide, and
// everybody else answers with what it says.
func (h *handler) onApprovalRequest(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	request, err := service.Payload[message.ApprovalRequest](h.env, m.Event)
	if err != nil {
		return err
	}
	if request.OrderID == "" {
		return inbox.Permanent(errors.New("an approval request without an order id"))
	}
	a := approval{OrderID: request.OrderID, RestaurantID: request.RestaurantID, Status: message.ApprovalApproved}
	inserted, err := insertApproval(ctx, tx, a, h.env.Now())
	if err != nil {
		return err
	}
	if !inserted {
		a, err = loadApproval(ctx, tx, a.OrderID)
	} else {
		a, err = h.decide(ctx, tx, a, request)
	}
	if err != nil {
		return err
	}
	return h.answer(ctx, tx, a, m.Event)
}

// decideTries bounds how often stock may change between the look at it and the
// taking.
const decideTries = 10

func (h *handler) decide(ctx context.Context, tx storage.Tx, a approval, request message.ApprovalRequest) (approval, error) {
	lines := linesOf(request.Products)
	for range decideTries {
		menu, err := loadMenu(ctx, tx, request.RestaurantID, lines)
		if err != nil {
			return a, err
		}
		d := domain.Decide(menu, request.RestaurantID, lines, request.Price)
		if !d.Approved {
			a.Status, a.Reason = message.ApprovalRejected, d.Reason
			h.rejected.Inc()
			return a, updateApproval(ctx, tx, a)
		}
		taken, err := takeAll(ctx, tx, d.Take)
		if err != nil {
			return a, err
		}
		if taken {
			h.approved.Inc()
			return a, insertItems(ctx, tx, a.OrderID, d.Take)
		}
	}
	return a, fmt.Errorf("order %s: stock changed %d times while it was to be taken", a.OrderID, decideTries)
}

// takeAll takes every line or none.
func takeAll(ctx context.Context, tx storage.Tx, lines []domain.Line) (bool, error) {
	for i, line := range lines {
		taken, err := take(ctx, tx, line)
		if err != nil {
			return false, err
		}
		if !taken {
			return false, putBack(ctx, tx, lines[:i])
		}
	}
	return true, nil
}

func (h *handler) answer(ctx context.Context, tx storage.Tx, a approval, why event.Event) error {
	e := h.env.Event(message.TypeApprovalResponse, a.OrderID, message.ApprovalResponse{
		OrderID: a.OrderID, RestaurantID: a.RestaurantID,
		OrderApprovalStatus: a.Status, Reason: a.Reason, CreatedAt: h.env.Now(),
	})
	return h.env.Send(ctx, tx, message.TypeApprovalResponse, e.CausedBy(why))
}

func linesOf(products []message.Product) []domain.Line {
	lines := make([]domain.Line, len(products))
	for i, p := range products {
		lines[i] = domain.Line(p)
	}
	return lines
}
