package order

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/orders/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// saga applies domain.Decide to stored orders.
type saga struct {
	topics                     message.Topics
	log                        *slog.Logger
	approved, cancelled, stale *metrics.Counter
}

func newSaga(env service.Env) *saga {
	return &saga{
		topics: env.Topics, log: env.Log,
		approved:  env.Counter(`orders_ended_total{status="APPROVED"}`),
		cancelled: env.Counter(`orders_ended_total{status="CANCELLED"}`),
		stale:     env.Counter(`order_stale_answers_total`),
	}
}

// cause is why an order goes on: a message, or a request by REST, which has no
// event.
type cause struct {
	name  string
	event event.Event
}

func (s *saga) onPaymentResponse(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	answer, err := event.Decode[message.PaymentResponse](m.Event)
	if err != nil {
		return err
	}
	in := domain.PaymentAnswered{Outcome: domain.PaymentOutcome(answer.PaymentStatus), Amount: answer.Price, Reason: answer.Reason}
	switch in.Outcome {
	case domain.PaymentCompleted, domain.PaymentFailed, domain.PaymentCancelled:
		return s.answered(ctx, tx, answer.ID, in, m)
	}
	return inbox.Permanent(fmt.Errorf("order %s: unknown payment status %q", answer.ID, answer.PaymentStatus))
}

func (s *saga) onApprovalResponse(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	answer, err := event.Decode[message.ApprovalResponse](m.Event)
	if err != nil {
		return err
	}
	switch answer.OrderApprovalStatus {
	case message.ApprovalApproved, message.ApprovalRejected:
		in := domain.ApprovalAnswered{Approved: answer.OrderApprovalStatus == message.ApprovalApproved, Reason: answer.Reason}
		return s.answered(ctx, tx, answer.OrderID, in, m)
	}
	return inbox.Permanent(fmt.Errorf("order %s: unknown approval status %q", answer.OrderID, answer.OrderApprovalStatus))
}

func (s *saga) answered(ctx context.Context, tx storage.Tx, orderID string, in domain.Input, m inbox.Message) error {
	d, err := s.apply(ctx, tx, orderID, in, cause{m.Type, m.Event})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		// Money may have been taken for it: a person must see this.
		return inbox.Permanent(fmt.Errorf("%s is about order %s, which is unknown here", m.Type, orderID))
	case err == nil && d.Stale:
		s.stale.Inc()
		s.log.Debug("late or repeated answer", "order", orderID, "status", d.Order.Status, "message", m.ID, "type", m.Type)
	}
	return err
}

// applyTries bounds how often an order may change under apply's hands. Those
// who change it are one consumer and one customer.
const applyTries = 10

// apply decides and stores the decision with the messages it causes. The error
// is sql.ErrNoRows where the order does not exist, domain.ErrTransition where
// its state does not allow it.
func (s *saga) apply(ctx context.Context, tx storage.Tx, orderID string, in domain.Input, why cause) (domain.Decision, error) {
	for range applyTries {
		stored, err := load(ctx, tx, orderID)
		if err != nil {
			return domain.Decision{}, err
		}
		d, err := domain.Decide(stored.Order, in)
		if err != nil || d.Stale {
			return d, err
		}
		next := stored.after(d.Order, service.Now())
		// The update takes the row's lock, and with it the order's turn in the
		// outbox; so it comes before the messages.
		saved, err := update(ctx, tx, stored, next)
		if err != nil {
			return d, err
		}
		if saved {
			return d, s.record(ctx, tx, next, d, why)
		}
	}
	return domain.Decision{}, fmt.Errorf("order %s changed %d times while it was to be changed", orderID, applyTries)
}

// begin stores a fresh order; inserted is false where its idempotency key or id
// is there already.
func (s *saga) begin(ctx context.Context, tx storage.Tx, fresh stored, why cause) (inserted bool, err error) {
	if inserted, err = insert(ctx, tx, fresh); err != nil || !inserted {
		return inserted, err
	}
	return true, s.record(ctx, tx, fresh, domain.Begin(fresh.Order), why)
}

// record adds a step to the order's timeline and sends what follows from it.
func (s *saga) record(ctx context.Context, tx storage.Tx, o stored, d domain.Decision, why cause) error {
	note := d.Note
	if note == "" {
		note = d.Order.Reason
	}
	if err := insertTransition(ctx, tx, o, note, why); err != nil {
		return err
	}
	if d.Order.Final() {
		s.ended(d.Order.Status)
	}
	return service.Enqueue(ctx, tx, s.messages(o, d, why)...)
}

// ended counts sagas; one whose transaction is redone counts again.
func (s *saga) ended(status domain.Status) {
	if status == domain.Approved {
		s.approved.Inc()
	} else {
		s.cancelled.Inc()
	}
}
