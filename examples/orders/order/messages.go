package order

import (
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

func requestPayment(env service.Env, c saga.Context, o *domain.Order, status string) []outbox.Message {
	return []outbox.Message{env.To(message.TypePaymentRequest, env.Event(message.TypePaymentRequest, o.ID, message.PaymentRequest{
		ID: o.ID, CustomerID: o.CustomerID, Price: o.Price, PaymentOrderStatus: status, CreatedAt: c.Now,
	}))}
}

func requestApproval(env service.Env, c saga.Context, o *domain.Order) []outbox.Message {
	return []outbox.Message{env.To(message.TypeApprovalRequest, env.Event(message.TypeApprovalRequest, o.ID, message.ApprovalRequest{
		OrderID: o.ID, RestaurantID: o.RestaurantID, Price: o.Price, Products: products(o.Items), CreatedAt: c.Now,
	}))}
}

func changed(env service.Env, o domain.Order, at time.Time) event.Event {
	return env.Event(message.TypeOrderChanged, o.ID, message.OrderChanged{
		OrderID: o.ID, CustomerID: o.CustomerID, RestaurantID: o.RestaurantID, Items: products(o.Items),
		Price: o.Price, Status: string(o.Status), Reason: o.Reason, ChangedAt: at,
	})
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
