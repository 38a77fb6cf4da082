package order

import (
	"context"
	"strings"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

// change is one of an order by its saga.
type change = saga.Change[domain.Order]

// onChanged keeps the order's row and timeline as the saga has it, in the saga's
// transaction, and returns the news. A step that changes nothing a customer sees is
// no news.
func onChanged[T saga.Tx](ctx context.Context, env service.Env, orders Orders[T], tx T, changes []change) ([]outbox.Message, error) {
	var rows []Changed
	var steps []Step
	var news []outbox.Message
	last := map[string]int{}
	for i, c := range changes {
		last[c.After.ID] = i
	}
	for i, c := range changes {
		o, fresh := c.After.State, c.BeforeStatus == ""
		if last[o.ID] == i && !fresh {
			rows = append(rows, Changed{o.ID, string(o.Status), string(awaiting(c.After)), o.Reason, c.After.Changed})
		}
		steps = append(steps, Step{o.ID, string(o.Status), string(awaiting(c.After)), note(c), cause(c), c.Cause.ID, c.After.Changed})
		if fresh || o.Status != c.Before.Status {
			news = append(news, env.To(message.TypeOrderChanged, about(c, changed(env, o, c.After.Changed))))
		}
	}
	return news, orders.Change(ctx, tx, rows, steps)
}

// awaiting is whose answer the order waits for.
func awaiting(i saga.Instance[domain.Order]) domain.Awaiting {
	if i.Status.Ended() {
		return domain.AwaitingNobody
	}
	return i.State.Awaiting()
}

// about makes an event one of the order's business transaction, whose correlation id
// is the order's. What a request by REST causes has no causation id.
func about(c change, e event.Event) event.Event {
	if c.Cause.ID != "" {
		e = e.CausedBy(c.Cause)
	}
	return e.InTransaction(c.After.CorrelationID)
}

// cause names why an order went on.
func cause(c change) string {
	if c.Cause.ID != "" {
		return c.Cause.Type
	}
	switch c.Entries[0].Kind {
	case saga.EntryStarted:
		return "POST /orders"
	case saga.EntryCancel:
		return "DELETE /orders/{id}"
	}
	return string(c.Entries[0].Kind)
}

// note is what the last answer said of a refund, or the order's reason.
func note(c change) string {
	for _, e := range c.Entries {
		if said, ok := strings.CutPrefix(e.Note, string(saga.Undone)+": "); ok && e.Kind == saga.EntryAnswer {
			return said
		}
	}
	return c.After.State.Reason
}
