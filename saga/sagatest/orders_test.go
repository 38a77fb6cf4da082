package sagatest_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/saga/sagatest"
)

// order is the saga's state, shop what payment and restaurant keep.
type (
	order struct {
		Price          int
		Paid, Approved bool
	}
	shop struct {
		Credit          int
		Taken, Refunded int
		Payment         string // "", COMPLETED, CANCELLED or REFUSED
		Stock           int
		Approval        string // "", APPROVED or REJECTED
	}
)

const price = 100

// flaws are mistakes to be found.
type flaws struct {
	forgetsLateSuccess  bool // in the definition
	refundsAgain        bool // in payment
	chargesAgain        bool // in payment
	answersOnlyTheFirst bool // in payment, which has no outbox
}

func command(topic string) func(saga.Context, *order) []outbox.Message {
	return func(c saga.Context, o *order) []outbox.Message {
		return []outbox.Message{{Topic: topic, Event: event.New(topic, c.ID, o.Price)}}
	}
}

func definition(f flaws) saga.Definition[order] {
	return saga.Definition[order]{
		Name: "order",
		Steps: []saga.Step[order]{
			{
				Name: "charge", Action: command("pay"), Compensation: command("refund"),
				Timeout: 10 * time.Second, Retry: saga.Retry{Attempts: 2}, OnlySuccess: !f.forgetsLateSuccess,
			},
			{Name: "approve", Action: command("approve"), Pivot: true},
		},
		Replies: []saga.Reply[order]{
			{Topic: "paid", Read: reads("charge", func(o *order) { o.Paid = true })},
			{Topic: "approved", Read: reads("approve", func(o *order) { o.Approved = true })},
		},
	}
}

func reads(step string, apply func(*order)) func(event.Event) (saga.Answer[order], error) {
	return func(e event.Event) (saga.Answer[order], error) {
		result, err := event.Decode[saga.Result](e)
		a := saga.Answer[order]{Step: step, Result: result, Reason: "no"}
		if result == saga.Succeeded {
			a.Apply, a.Reason = apply, ""
		}
		return a, err
	}
}

func answer(topic string, m outbox.Message, r saga.Result) []outbox.Message {
	return []outbox.Message{{Topic: topic, Event: event.New(topic, m.Key, r).CausedBy(m.Event)}}
}

func (f flaws) pay(w *shop, m outbox.Message, _ sagatest.Choose) []outbox.Message {
	if m.Topic == "refund" {
		return f.refund(w, m)
	}
	switch {
	case w.Payment == "COMPLETED" && f.answersOnlyTheFirst:
		return nil
	case w.Payment == "COMPLETED" && !f.chargesAgain, w.Payment == "CANCELLED":
		// It was settled before.
	case w.Credit < price:
		w.Payment = "REFUSED"
	default:
		w.Payment, w.Credit, w.Taken = "COMPLETED", w.Credit-price, w.Taken+price
	}
	if w.Payment == "COMPLETED" {
		return answer("paid", m, saga.Succeeded)
	}
	return answer("paid", m, saga.Refused)
}

func (f flaws) refund(w *shop, m outbox.Message) []outbox.Message {
	switch {
	case w.Payment == "COMPLETED" || f.refundsAgain:
		w.Payment, w.Credit, w.Refunded = "CANCELLED", w.Credit+price, w.Refunded+price
	case w.Payment == "" && !f.forgetsLateSuccess:
		w.Payment = "CANCELLED"
	}
	return answer("paid", m, saga.Undone)
}

func approve(w *shop, m outbox.Message, _ sagatest.Choose) []outbox.Message {
	if w.Approval == "" {
		w.Approval = "REJECTED"
		if w.Stock > 0 {
			w.Approval, w.Stock = "APPROVED", w.Stock-1
		}
	}
	if w.Approval == "APPROVED" {
		return answer("approved", m, saga.Succeeded)
	}
	return answer("approved", m, saga.Refused)
}

func orders(f flaws) sagatest.Model[shop, order] {
	return sagatest.Model[shop, order]{
		Definition: definition(f),
		World: func(choose sagatest.Choose) shop {
			w := shop{Credit: 3 * price}
			if choose("in stock", "sold out") == "in stock" {
				w.Stock = 3
			}
			return w
		},
		Start: func(shop) order { return order{Price: price} },
		Participants: []sagatest.Participant[shop]{
			{Name: "payment", Topics: []string{"pay", "refund"}, Handle: f.pay, NoOutbox: true},
			{Name: "restaurant", Topics: []string{"approve"}, Handle: approve},
		},
		Invariant: neverTwice, Final: allOrNothing,
		Duplicates: 2, Timeouts: 2, Crashes: 1, Cancels: 1,
	}
}

func neverTwice(w shop, i saga.Instance[order]) error {
	switch {
	case w.Taken > price:
		return fmt.Errorf("charged %d for an order over %d", w.Taken, price)
	case w.Refunded > w.Taken:
		return fmt.Errorf("refunded %d, and took %d", w.Refunded, w.Taken)
	}
	return nil
}

func allOrNothing(w shop, i saga.Instance[order]) error {
	kept := w.Taken - w.Refunded
	switch i.Status {
	case saga.Completed:
		if kept != price || w.Approval != "APPROVED" {
			return fmt.Errorf("completed, %d paid, approval %q", kept, w.Approval)
		}
	case saga.Compensated:
		if kept != 0 || w.Approval == "APPROVED" {
			return fmt.Errorf("compensated, %d paid, approval %q", kept, w.Approval)
		}
	default:
		return errors.New("it ended as " + string(i.Status))
	}
	return nil
}
