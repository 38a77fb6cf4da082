package invariants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/pabal-dev/pabal/storage"
)

// order is what the order service says of an order.
type order struct {
	id               string
	price            int64
	status, awaiting string
	items            string
	wasPaid          int64
}

// payment is what the payment service says of it.
type payment struct {
	id                     string
	price, taken, refunded int64
	status                 string
}

// approval is what the restaurant says of it, with what it sold.
type approval struct {
	id, status string
	items      map[string]int64
}

// tally counts for the summaries.
type tally struct{ orders, approved, cancelled, debits, refunds, open int64 }

// orders walks through the three databases at once, in the order of the order
// ids and in constant memory, and compares what each says of an order.
func (c *checker) orders(ctx context.Context) error {
	var n tally
	err := c.merge(ctx, func(o *order, p *payment, a *approval) {
		if o == nil {
			c.orphan(p, a)
			return
		}
		n.orders++
		switch {
		case o.awaiting == "" && o.status == "APPROVED":
			n.approved++
			c.approved(o, p, a)
		case o.awaiting == "" && o.status == "CANCELLED":
			n.cancelled++
			c.cancelled(o, p, a)
		default:
			n.open++
			c.violated(Orders, "order %s is %s and awaits %q", o.id, o.status, o.awaiting)
		}
		n.money(p)
	})
	c.summary(Orders, "%d orders: %d approved, %d cancelled, %d not final", n.orders, n.approved, n.cancelled, n.open)
	c.summary(Debits, "%d approved orders, %d debits that stand", n.approved, n.debits-n.refunds)
	c.summary(Refunds, "%d debits in all, %d refunds", n.debits, n.refunds)
	return err
}

func (n *tally) money(p *payment) {
	if p != nil && p.taken > 0 {
		n.debits++
	}
	if p != nil && p.refunded > 0 {
		n.refunds++
	}
}

// orphan is a payment or an approval of an order that does not exist.
func (c *checker) orphan(p *payment, a *approval) {
	if p != nil {
		c.violated(Debits, "payment %s has no order", p.id)
	}
	if a != nil {
		c.violated(Stock, "approval %s has no order", a.id)
	}
}

// approved orders are paid once, in full, and sold once, to the piece.
func (c *checker) approved(o *order, p *payment, a *approval) {
	switch {
	case p == nil:
		c.violated(Debits, "order %s is approved and was never paid", o.id)
	case p.status != "COMPLETED" || p.taken != o.price:
		c.violated(Debits, "order %s over %d is approved, its payment is %s over %d", o.id, o.price, p.status, p.taken)
	}
	if p != nil && p.refunded != 0 {
		c.violated(Refunds, "order %s is approved and %d were given back", o.id, p.refunded)
	}
	switch {
	case a == nil || a.status != "APPROVED":
		c.violated(Stock, "order %s is approved, its restaurant did not approve it", o.id)
	case !maps.Equal(o.quantities(), a.items):
		c.violated(Stock, "order %s asked for %s and got %v", o.id, o.items, a.items)
	}
}

// cancelled orders cost nothing in the end, and nothing was sold for them.
func (c *checker) cancelled(o *order, p *payment, a *approval) {
	switch {
	case p == nil:
		c.violated(Refunds, "order %s is cancelled, and payment knows nothing of it", o.id)
	case p.status == "COMPLETED" || p.refunded != p.taken:
		c.violated(Refunds, "order %s is cancelled, its payment is %s: %d taken, %d given back", o.id, p.status, p.taken, p.refunded)
	case p.taken != 0 && p.taken != o.price:
		c.violated(Debits, "order %s over %d was debited %d", o.id, o.price, p.taken)
	case o.wasPaid != 0 && p.taken == 0:
		c.violated(Debits, "order %s was paid once, and payment took nothing", o.id)
	}
	if a != nil && (a.status == "APPROVED" || len(a.items) > 0) {
		c.violated(Stock, "order %s is cancelled, its restaurant sold %v", o.id, a.items)
	}
}

// quantities adds up the lines of one product.
func (o *order) quantities() map[string]int64 {
	var lines []struct {
		ProductID string `json:"productId"`
		Quantity  int64  `json:"quantity"`
	}
	if json.Unmarshal([]byte(o.items), &lines) != nil {
		return nil
	}
	sums := map[string]int64{}
	for _, l := range lines {
		sums[l.ProductID] += l.Quantity
	}
	return sums
}

// merge calls fn once for every order id that any of the databases has; what a
// database does not know is nil.
func (c *checker) merge(ctx context.Context, fn func(*order, *payment, *approval)) error {
	return c.streams(ctx, func(os *stream[order], ps *stream[payment], as *stream[approval]) error {
		for {
			id, ok := least(os.peekID(), ps.peekID(), as.peekID())
			if !ok {
				return errors.Join(os.err(), ps.err(), as.err())
			}
			fn(os.take(id), ps.take(id), as.take(id))
		}
	})
}

func least(ids ...string) (id string, ok bool) {
	for _, candidate := range ids {
		if candidate != "" && (id == "" || candidate < id) {
			id = candidate
		}
	}
	return id, id != ""
}

// streams opens the three cursors.
func (c *checker) streams(ctx context.Context, fn func(*stream[order], *stream[payment], *stream[approval]) error) error {
	return c.Order.View(ctx, func(oq storage.Querier) error {
		return c.Payment.View(ctx, func(pq storage.Querier) error {
			return c.Restaurant.View(ctx, func(rq storage.Querier) error {
				os, err := openStream(ctx, oq, sorted(orderRows, "id", c.Postgres), readOrder)
				if err != nil {
					return err
				}
				defer os.close()
				ps, err := openStream(ctx, pq, sorted(paymentRows, "order_id", c.Postgres), readPayment)
				if err != nil {
					return err
				}
				defer ps.close()
				as, err := openStream(ctx, rq, sorted(approvalRows, "a.order_id", c.Postgres), readApproval)
				if err != nil {
					return err
				}
				defer as.close()
				return fn(os, ps, as)
			})
		})
	})
}

// sorted sorts by byte, as Go compares strings.
func sorted(query, column string, postgres bool) string {
	if postgres {
		column += ` COLLATE "C"`
	}
	return strings.TrimSpace(query) + " ORDER BY " + column
}

const (
	orderRows = `
SELECT id, price, status, awaiting, items,
       (SELECT count(*) FROM order_transitions t WHERE t.order_id = orders.id AND t.status = 'PAID')
FROM orders`
	paymentRows  = `SELECT order_id, price, taken, refunded, status FROM payments`
	approvalRows = `
SELECT a.order_id, a.status, COALESCE(i.product_id, ''), COALESCE(i.quantity, 0)
FROM approvals a LEFT JOIN approval_items i ON i.order_id = a.order_id`
)

func readOrder(r storage.Row, _ *order) (o order, more bool, err error) {
	err = r.Scan(&o.id, &o.price, &o.status, &o.awaiting, &o.items, &o.wasPaid)
	return o, false, err
}

func readPayment(r storage.Row, _ *payment) (p payment, more bool, err error) {
	err = r.Scan(&p.id, &p.price, &p.taken, &p.refunded, &p.status)
	return p, false, err
}

// readApproval adds a row to the approval before it where it is the same one's.
func readApproval(r storage.Row, before *approval) (approval, bool, error) {
	var a approval
	var product string
	var quantity int64
	if err := r.Scan(&a.id, &a.status, &product, &quantity); err != nil {
		return a, false, err
	}
	same := before != nil && before.id == a.id
	if same {
		a = *before
	} else {
		a.items = map[string]int64{}
	}
	if product != "" {
		a.items[product] += quantity
	}
	return a, same, nil
}

func (o order) key() string    { return o.id }
func (p payment) key() string  { return p.id }
func (a approval) key() string { return a.id }

var errUnsorted = errors.New("rows are not in the order of their ids")

func unsorted(before, after string) error {
	return fmt.Errorf("%w: %s before %s", errUnsorted, before, after)
}
