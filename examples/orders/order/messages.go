package order

import (
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/orders/service"
	"github.com/pabal-dev/pabal/outbox"
)

// messages are what a decision sends, and the news of the order's change. A
// step that changes nothing a customer sees is no news.
func (s *saga) messages(o stored, d domain.Decision, why cause) []outbox.Message {
	out := make([]outbox.Message, 0, len(d.Send)+1)
	for _, effect := range d.Send {
		out = append(out, s.effect(o, effect, why))
	}
	if o.Status != o.previous {
		out = append(out, service.To(s.topics.OrderChanged, about(o, message.TypeOrderChanged, changed(o), why)))
	}
	return out
}

func (s *saga) effect(o stored, effect domain.Effect, why cause) outbox.Message {
	switch effect {
	case domain.RequestApproval:
		return service.To(s.topics.ApprovalRequest, about(o, message.TypeApprovalRequest, message.ApprovalRequest{
			OrderID: o.ID, RestaurantID: o.RestaurantID, Price: o.Price, Products: products(o.Items), CreatedAt: o.ChangedAt,
		}, why))
	case domain.CancelPayment:
		return service.To(s.topics.PaymentRequest, paymentRequest(o, message.OrderCancelling, why))
	default: // domain.RequestPayment
		return service.To(s.topics.PaymentRequest, paymentRequest(o, message.OrderPending, why))
	}
}

func paymentRequest(o stored, status string, why cause) event.Event {
	return about(o, message.TypePaymentRequest, message.PaymentRequest{
		ID: o.ID, CustomerID: o.CustomerID, Price: o.Price, PaymentOrderStatus: status, CreatedAt: o.ChangedAt,
	}, why)
}

func changed(o stored) message.OrderChanged {
	return message.OrderChanged{
		OrderID: o.ID, CustomerID: o.CustomerID, RestaurantID: o.RestaurantID, Items: products(o.Items),
		Price: o.Price, Status: string(o.Status), Reason: o.Reason, ChangedAt: o.ChangedAt,
	}
}

// about is a new event of the order's business transaction, whose correlation
// id is the order's. What a request by REST causes has no causation id.
func about(o stored, typ string, value any, why cause) event.Event {
	e := event.New(typ, o.ID, value)
	if why.event.ID != "" {
		e = e.CausedBy(why.event)
	}
	return e.InTransaction(o.ID)
}

func products(items []domain.Item) []message.Product {
	out := make([]message.Product, len(items))
	for i, item := range items {
		out[i] = message.Product(item)
	}
	return out
}

func items(products []message.Product) []domain.Item {
	out := make([]domain.Item, len(products))
	for i, p := range products {
		out[i] = domain.Item(p)
	}
	return out
}
