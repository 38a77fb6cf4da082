package invariants

import (
	"context"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/storage"
)

// accepted: every accepted POST has its order, and no key has two.
func (c *checker) accepted(ctx context.Context, accepted Accepted) error {
	var posts int64
	err := accepted(500, func(keys, orders []string) error {
		posts += int64(len(keys))
		return c.acceptedBatch(ctx, keys, orders)
	})
	if err != nil {
		return err
	}
	var all, withKey, distinct int64
	err = row(ctx, c.Order, `SELECT count(*), count(idempotency_key), count(DISTINCT idempotency_key) FROM orders`, &all, &withKey, &distinct)
	if withKey != distinct {
		c.violated(Once, "%d orders share %d keys", withKey, distinct)
	}
	c.summary(Once, "%d POSTs accepted, %d orders", posts, all)
	return err
}

func (c *checker) acceptedBatch(ctx context.Context, keys, orders []string) error {
	places := make([]string, len(keys))
	args := make([]any, len(keys))
	for i, k := range keys {
		places[i], args[i] = fmt.Sprintf("$%d", i+1), k
	}
	found := make(map[string]string, len(keys))
	query := "SELECT idempotency_key, id FROM orders WHERE idempotency_key IN (" + strings.Join(places, ", ") + ")"
	err := each(ctx, c.Order, query, args, func(r storage.Row) error {
		var key, id string
		if err := r.Scan(&key, &id); err != nil {
			return err
		}
		if first, twice := found[key]; twice {
			c.violated(Once, "Idempotency-Key %s has the orders %s and %s", key, first, id)
		}
		found[key] = id
		return nil
	})
	if err != nil {
		return err
	}
	for i, k := range keys {
		switch id := found[k]; id {
		case orders[i]:
		case "":
			c.violated(Once, "order %s was accepted and is gone", orders[i])
		default:
			c.violated(Once, "the POST %s was answered with order %s and made %s", k, orders[i], id)
		}
	}
	return nil
}

// messages: everything was published, nothing waits, nothing is dead.
func (c *checker) messages(ctx context.Context) error {
	for _, s := range []struct {
		name string
		db   Viewer
	}{{"order", c.Order}, {"payment", c.Payment}, {"restaurant", c.Restaurant}, {"customer", c.Customer}} {
		n, err := count(ctx, s.db)
		if err != nil {
			return err
		}
		if n != (leftovers{}) {
			c.violated(Messages, "%s: %d in the outbox, %d of them failed, %d waiting, %d dead", s.name, n.outbox, n.failed, n.waiting, n.dead)
		}
	}
	c.summary(Messages, "outboxes empty, none waiting, no dead letters")
	if c.found[Messages].violations > 0 {
		c.summary(Messages, "messages are left over")
	}
	return nil
}

type leftovers struct{ outbox, failed, waiting, dead int64 }

func count(ctx context.Context, db Viewer) (n leftovers, err error) {
	err = row(ctx, db, `SELECT
    (SELECT count(*) FROM pabal_outbox),
    (SELECT count(*) FROM pabal_outbox WHERE status = 'FAILED'),
    (SELECT count(*) FROM pabal_inbox_waiting),
    (SELECT count(*) FROM pabal_inbox WHERE outcome = 'dead')`, &n.outbox, &n.failed, &n.waiting, &n.dead)
	return n, err
}

// Progress is what is still under way.
type Progress struct {
	// Orders whose saga has not ended, and messages not published or handled.
	Orders, Outbox, Waiting int64
}

// Settled says that nothing is.
func (p Progress) Settled() bool { return p == Progress{} }

// Remaining counts it; it is cheap while little is.
func Remaining(ctx context.Context, dbs Databases) (Progress, error) {
	var p Progress
	err := row(ctx, dbs.Order, `SELECT count(*) FROM orders WHERE awaiting <> '' OR status NOT IN ('APPROVED', 'CANCELLED')`, &p.Orders)
	if err != nil {
		return p, err
	}
	for _, db := range []Viewer{dbs.Order, dbs.Payment, dbs.Restaurant, dbs.Customer} {
		var outbox, waiting int64
		if err := row(ctx, db, `SELECT (SELECT count(*) FROM pabal_outbox), (SELECT count(*) FROM pabal_inbox_waiting)`, &outbox, &waiting); err != nil {
			return p, err
		}
		p.Outbox, p.Waiting = p.Outbox+outbox, p.Waiting+waiting
	}
	return p, nil
}

// Unpublished is how many messages are in the outboxes.
func Unpublished(ctx context.Context, dbs Databases) (total int64, err error) {
	for _, db := range []Viewer{dbs.Order, dbs.Payment, dbs.Restaurant, dbs.Customer} {
		var n int64
		if err := row(ctx, db, `SELECT count(*) FROM pabal_outbox`, &n); err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
