package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/payment/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

type handler struct {
	env     service.Env
	answers map[domain.Status]*metrics.Counter
}

func newHandler(env service.Env) *handler {
	h := &handler{env: env, answers: map[domain.Status]*metrics.Counter{}}
	for _, status := range []domain.Status{domain.Completed, domain.Failed, domain.Cancelled} {
		h.answers[status] = env.Counter(fmt.Sprintf(`payment_answers_total{status=%q}`, status))
	}
	return h
}

// onCustomerCreated opens a credit of 0. It leaves one that exists as it is,
// however often the topic is read again.
func (h *handler) onCustomerCreated(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	created, err := service.Payload[message.CustomerCreated](h.env, m.Event)
	if err != nil {
		return err
	}
	if created.ID == "" {
		return inbox.Permanent(errors.New("a customer without an id"))
	}
	return openCredit(ctx, tx, created.ID, h.env.Now())
}

func (h *handler) onPaymentRequest(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	request, err := service.Payload[message.PaymentRequest](h.env, m.Event)
	if err != nil {
		return err
	}
	return h.request(ctx, tx, request, m)
}

// onPaymentOutbox takes a request from a raw envelope. That a document was created tells of
// a request, and so does that it was there when the connector came (r); what becomes of a
// document later does not.
func (h *handler) onPaymentOutbox(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	c, err := parseChange(m.Payload)
	if err != nil {
		return inbox.Permanent(err)
	}
	if !c.created() {
		return nil
	}
	return h.request(ctx, tx, c.Document.request(), m)
}

func (h *handler) request(ctx context.Context, tx storage.Tx, request message.PaymentRequest, m inbox.Message) error {
	if request.ID == "" {
		return inbox.Permanent(errors.New("a payment request without an order id"))
	}
	switch request.PaymentOrderStatus {
	case message.OrderPending:
		return h.pay(ctx, tx, request, m.Event)
	case message.OrderCancelling:
		return h.cancel(ctx, tx, request, m.Event)
	}
	return inbox.Permanent(fmt.Errorf("order %s: unknown payment order status %q", request.ID, request.PaymentOrderStatus))
}

// pay debits, at most once per order. The payment's row comes first: whoever
// inserts it is the one to debit, and everybody else answers with what it says.
func (h *handler) pay(ctx context.Context, tx storage.Tx, request message.PaymentRequest, why event.Event) error {
	p := domain.Request(request.ID, request.CustomerID, request.Price)
	inserted, err := insertPayment(ctx, tx, p, h.env.Now())
	if err != nil {
		return err
	}
	if !inserted {
		return h.answerAgain(ctx, tx, request, why)
	}
	if p.Status != domain.Completed {
		return h.answer(ctx, tx, p, p.Price, why)
	}
	if p, err = h.charge(ctx, tx, p); err != nil {
		return err
	}
	return h.answer(ctx, tx, p, p.Price, why)
}

// chargeTries bounds how often deposits may arrive between a refused debit and
// the look at the credit.
const chargeTries = 10

// charge debits, or marks the payment as refused.
func (h *handler) charge(ctx context.Context, tx storage.Tx, p domain.Payment) (domain.Payment, error) {
	for range chargeTries {
		if debited, err := debit(ctx, tx, p.CustomerID, p.Price); err != nil || debited {
			return p, err
		}
		credit, err := loadCredit(ctx, tx, p.CustomerID)
		if err != nil {
			return p, err
		}
		if !credit.Covers(p.Price) {
			p = p.Refuse(credit)
			return p, updatePayment(ctx, tx, p, h.env.Now())
		}
	}
	return p, fmt.Errorf("order %s: the credit of %s changed %d times while it was to be debited", p.OrderID, p.CustomerID, chargeTries)
}

// cancel gives back what was taken, once, and answers in any case. Where the
// request has not come yet, the row left behind keeps it from debiting.
func (h *handler) cancel(ctx context.Context, tx storage.Tx, request message.PaymentRequest, why event.Event) error {
	p := domain.NeverAsked(request.ID, request.CustomerID)
	inserted, err := insertPayment(ctx, tx, p, h.env.Now())
	if err != nil {
		return err
	}
	if inserted {
		return h.answer(ctx, tx, p, 0, why)
	}
	if p, err = lockPayment(ctx, tx, request.ID); err != nil {
		return err
	}
	after, refund, changed := p.Cancel()
	if changed {
		if err := updatePayment(ctx, tx, after, h.env.Now()); err != nil {
			return err
		}
		if err := credit(ctx, tx, after.CustomerID, refund); err != nil {
			return err
		}
	}
	after.Status = domain.Cancelled // the answer to a cancel, also of a payment that had failed
	return h.answer(ctx, tx, after, after.Refunded, why)
}

// answerAgain repeats the answer to a request that was handled before: a
// deliberate replay, or a request that its cancel had overtaken.
func (h *handler) answerAgain(ctx context.Context, tx storage.Tx, request message.PaymentRequest, why event.Event) error {
	p, err := loadPayment(ctx, tx, request.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("payment of order %s was there and is not: %w", request.ID, err)
	}
	if err != nil {
		return err
	}
	amount := p.Price
	if p.Status == domain.Cancelled {
		amount = p.Refunded
	}
	return h.answer(ctx, tx, p, amount, why)
}

func (h *handler) answer(ctx context.Context, tx storage.Tx, p domain.Payment, amount int64, why event.Event) error {
	h.answers[p.Status].Inc()
	e := h.env.Event(message.TypePaymentResponse, p.OrderID, message.PaymentResponse{
		ID: p.OrderID, CustomerID: p.CustomerID, Price: amount,
		PaymentStatus: string(p.Status), Reason: p.Reason, CreatedAt: h.env.Now(),
	})
	return h.env.Send(ctx, tx, message.TypePaymentResponse, e.CausedBy(why))
}
