package order

import (
	"context"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// change is one of an order by its saga.
type change = saga.Change[domain.Order]

// onChanged keeps the order's row and timeline as the saga has it, in the saga's
// transaction, and returns the news. A step that changes nothing a customer sees is
// no news.
func onChanged(ctx context.Context, env service.Env, tx storage.Tx, changes []change) ([]outbox.Message, error) {
	var rows, steps values
	var news []outbox.Message
	last, nth := map[string]int{}, map[string]int{}
	for i, c := range changes {
		last[c.After.ID] = i
	}
	for i, c := range changes {
		o, fresh := c.After.State, c.BeforeStatus == ""
		if last[o.ID] == i && !fresh {
			rows.add(o.ID, string(o.Status), string(awaiting(c.After)), o.Reason, c.After.Changed.UnixMicro())
		}
		nth[o.ID]++
		steps.add(o.ID, nth[o.ID], string(o.Status), string(awaiting(c.After)), note(c), cause(c), c.Cause.ID, c.After.Changed.UnixMicro())
		if fresh || o.Status != c.Before.Status {
			news = append(news, env.To(message.TypeOrderChanged, about(c, changed(o, c.After.Changed))))
		}
	}
	if err := updateOrders(ctx, tx, rows); err != nil {
		return nil, err
	}
	return news, insertTransitions(ctx, tx, steps)
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

// values are the rows of a VALUES list, whose columns both databases name column1
// and so on.
type values struct {
	text strings.Builder
	args []any
}

func (v *values) add(row ...any) {
	if len(v.args) > 0 {
		v.text.WriteString(", ")
	}
	for i, value := range row {
		v.args = append(v.args, value)
		kind := "TEXT"
		if _, isText := value.(string); !isText {
			kind = "BIGINT"
		}
		fmt.Fprintf(&v.text, "%sCAST($%d AS %s)", map[bool]string{true: "(", false: ", "}[i == 0], len(v.args), kind)
	}
	v.text.WriteString(")")
}
