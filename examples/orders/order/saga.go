package order

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

// Steps of the saga.
const (
	payment  = "payment"
	approval = "approval"
)

// PaymentTimeout is how long an order waits for its payment. Then it is cancelled,
// and what payment takes late is given back.
var PaymentTimeout = service.Duration{
	Name: "payment-timeout", Help: "How long an order waits for its payment; then it is cancelled.", Default: 2 * time.Minute,
}

// refundTimeout is how long a cancel may go unanswered before a person is to look
// at it. The answer ends the saga also after that.
const refundTimeout = time.Hour

// Saga leads an order through payment and approval, and back where one of them
// refuses. A transition that the order's state does not allow changes nothing: a
// person may have an action done twice.
func Saga(env service.Env) saga.Definition[domain.Order] {
	return saga.Definition[domain.Order]{
		Name: "order",
		Steps: []saga.Step[domain.Order]{{
			Name: payment,
			Action: func(c saga.Context, o *domain.Order) []outbox.Message {
				return requestPayment(env, c, o, message.OrderPending)
			},
			Timeout: env.Duration(PaymentTimeout),
			// Payment answers every cancel: it gives back what it took before or during
			// it, and takes nothing after. So nobody has to wait for its first answer.
			Abortable: true,
			Compensation: func(c saga.Context, o *domain.Order) []outbox.Message {
				return requestPayment(env, c, o, message.OrderCancelling)
			},
			CompensationTimeout: refundTimeout,
			CompensationRetry:   saga.Retry{Attempts: 1}, // the outbox does not lose it
		}, {
			// It has no timeout: nobody could tell the restaurant to forget the order.
			Name: approval,
			Action: func(c saga.Context, o *domain.Order) []outbox.Message {
				_ = o.To(domain.Paid, "")
				return requestApproval(env, c, o)
			},
		}},
		Replies: []saga.Reply[domain.Order]{
			{Topic: env.Topic(message.TypePaymentResponse), Read: readPayment(env)},
			{Topic: env.Topic(message.TypeApprovalResponse), Read: readApproval(env)},
		},
		Cancellable: func(_ saga.Context, o domain.Order) error { return o.Cancellable() },
		OnCompensate: func(c saga.Context, o *domain.Order) []outbox.Message {
			_ = o.Cancel(c.Reason)
			return nil
		},
		OnEnd: func(c saga.Context, o *domain.Order, end saga.Status) []outbox.Message {
			if end == saga.Completed {
				_ = o.To(domain.Approved, "")
			} else {
				for o.Cancel(cmp.Or(c.Reason, "resolved by a person")) == nil { // until it is CANCELLED
				}
			}
			return nil
		},
	}
}

func readPayment(env service.Env) func(event.Event) (saga.Answer[domain.Order], error) {
	return func(e event.Event) (saga.Answer[domain.Order], error) {
		r, err := service.Payload[message.PaymentResponse](env, e)
		a := saga.Answer[domain.Order]{ID: r.ID, Step: payment, Reason: r.Reason}
		switch r.PaymentStatus {
		case message.PaymentCompleted:
			a.Result = saga.Succeeded
		case message.PaymentFailed:
			a.Result = saga.Refused
		case message.PaymentCancelled:
			a.Result, a.Reason = saga.Undone, refunded(r.Price)
		}
		return known(a, r.PaymentStatus, err)
	}
}

func readApproval(env service.Env) func(event.Event) (saga.Answer[domain.Order], error) {
	return func(e event.Event) (saga.Answer[domain.Order], error) {
		r, err := service.Payload[message.ApprovalResponse](env, e)
		a := saga.Answer[domain.Order]{ID: r.OrderID, Step: approval, Reason: r.Reason}
		switch r.OrderApprovalStatus {
		case message.ApprovalApproved:
			a.Result = saga.Succeeded
		case message.ApprovalRejected:
			a.Result = saga.Refused
		}
		return known(a, r.OrderApprovalStatus, err)
	}
}

func known(a saga.Answer[domain.Order], status string, err error) (saga.Answer[domain.Order], error) {
	if err == nil && a.Result == saga.Ignored {
		err = inbox.Permanent(fmt.Errorf("order %s: unknown status %q of %s", a.ID, status, a.Step))
	}
	return a, err
}

func refunded(amount int64) string {
	if amount == 0 {
		return "nothing had been taken"
	}
	return fmt.Sprintf("%d given back", amount)
}
