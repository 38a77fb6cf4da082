package invariants

import (
	"context"
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
	places, args := placeholders(keys)
	found := make(map[string]string, len(keys))
	query := "SELECT idempotency_key, id FROM orders WHERE idempotency_key IN (" + places + ")"
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

func (c *checker) messages(ctx context.Context) error {
	return c.leftovers(ctx, Messages, c.services())
}

func (dbs Databases) services() []Named {
	return []Named{{"order", dbs.Order}, {"payment", dbs.Payment}, {"restaurant", dbs.Restaurant}, {"customer", dbs.Customer}}
}

// Named is a service's database.
type Named struct {
	Service string
	Viewer
}

// leftovers: everything was published, nothing waits, nothing is dead.
func (f findings) leftovers(ctx context.Context, name string, services []Named) error {
	for _, s := range services {
		n, err := count(ctx, s)
		if err != nil {
			return err
		}
		if n != (leftovers{}) {
			f.violated(name, "%s: %d in the outbox, %d of them failed, %d waiting, %d dead", s.Service, n.outbox, n.failed, n.waiting, n.dead)
		}
	}
	f.summary(name, "outboxes empty, none waiting, no dead letters")
	if f.found[name].violations > 0 {
		f.summary(name, "messages are left over")
	}
	return nil
}

// leftovers of one service.
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
	p.Outbox, p.Waiting, err = UnderWay(ctx, dbs.services()...)
	return p, err
}

// UnderWay counts the messages that are not published, and those that wait to be
// handled again.
func UnderWay(ctx context.Context, services ...Named) (outbox, waiting int64, err error) {
	for _, s := range services {
		var n, w int64
		if err := row(ctx, s, `SELECT (SELECT count(*) FROM pabal_outbox), (SELECT count(*) FROM pabal_inbox_waiting)`, &n, &w); err != nil {
			return 0, 0, err
		}
		outbox, waiting = outbox+n, waiting+w
	}
	return outbox, waiting, nil
}

// Unpublished is how many messages are in the outboxes.
func Unpublished(ctx context.Context, services ...Named) (total int64, err error) {
	for _, s := range services {
		var n int64
		if err := row(ctx, s, `SELECT count(*) FROM pabal_outbox`, &n); err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
