package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/topselling"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/traffic"
)

// topSelling is the service that tells which restaurants sell most.
var topSelling = topselling.Definition().Name

// ordersScenario: customers order food.
type ordersScenario struct {
	stage
	tracker *traffic.Tracker
	ledger  *traffic.Ledger
	watcher *traffic.Watcher
	traffic *traffic.Traffic
	values  *service.Payloads
}

func (s *ordersScenario) prepare(ctx context.Context, on stage) (err error) {
	s.stage, s.tracker = on, traffic.NewTracker()
	if s.ledger, err = on.ledger("accepted.log"); err != nil {
		return err
	}
	if s.values, err = on.payloads(message.Schemas()); err != nil {
		return err
	}
	if s.watcher, err = traffic.Watch(ctx, on.cluster, message.TypeOrderChanged, s.see()); err != nil {
		return err
	}
	s.traffic = traffic.New(traffic.Config{
		Addresses: traffic.Addresses{
			Order: on.url("order"), Payment: on.url("payment"), Restaurant: on.url("restaurant"), Customer: on.url("customer"),
		},
		Run: on.folder.key(), Seed: on.seed, Rate: on.rate, MaxOpen: on.maxOpen,
		Tracker: s.tracker, Ledger: s.ledger,
	})
	return s.traffic.Prepare(ctx)
}

// see takes orders' ends from order-changed. It ignores what it cannot read: it is no judge of messages.
func (s *ordersScenario) see() func(value []byte, now time.Time) {
	values := service.SerdeOf[message.OrderChanged](s.values, message.TypeOrderChanged)
	return func(value []byte, now time.Time) {
		if changed, err := values.Decode(value); err == nil {
			s.tracker.SeeOrder(changed.OrderID, changed.Status, now)
		}
	}
}

func (s *ordersScenario) run(ctx context.Context, stop <-chan struct{}) { s.traffic.Run(ctx, stop) }

func (s *ordersScenario) first() (<-chan struct{}, string) {
	return s.tracker.FirstApproved(), "First order approved"
}

func (s *ordersScenario) progress() progress {
	n := s.tracker.Counts()
	return progress{
		name: "orders", orders: n, stats: s.traffic.Stats(), ended: n.Approved + n.Cancelled, lastEnd: s.tracker.LastEnd(), latency: s.tracker.Latency(),
		counts: []count{{"placed", n.Placed}, {"approved", n.Approved}, {"cancelled", n.Cancelled}, {"under way", n.Open()}},
	}
}

// settled looks at the databases only when the log says that all orders ended.
func (s *ordersScenario) settled(ctx context.Context) (bool, error) {
	if s.tracker.Open() > 0 {
		return false, nil
	}
	rest, err := invariants.Remaining(ctx, s.databases())
	return err == nil && rest.Settled(), err
}

func (s *ordersScenario) databases() invariants.Databases {
	return invariants.Databases{
		Order: s.dbs.of("order"), Payment: s.dbs.of("payment"), Restaurant: s.dbs.of("restaurant"), Customer: s.dbs.of("customer"),
		Postgres: s.dbs.postgres,
	}
}

func (s *ordersScenario) report(ctx context.Context, r *Report) error {
	n := s.tracker.Counts()
	r.Orders = Orders{Placed: n.Placed, Approved: n.Approved, Cancelled: n.Cancelled, Stuck: n.Open()}
	results, err := invariants.Check(ctx, s.databases(), s.ledger.Read)
	r.Invariants = append(append(r.Invariants, results...), s.results()...)
	return err
}

func (s *ordersScenario) results() []invariants.Result {
	n, stats := s.tracker.Counts(), s.traffic.Stats()
	mustFail := int64(0)
	for kind, count := range n.ByKind {
		if kind.MustBeRefused() {
			mustFail += count
		}
	}
	refusals := invariants.Result{
		Name: "refusals", OK: n.WronglyApproved == 0,
		Detail: fmt.Sprintf("%d orders had to be refused, %d of them were approved", mustFail, n.WronglyApproved),
	}
	return []invariants.Result{refusals, requests("requests", stats.Repeats, stats.Failed+stats.Mismatches, s.ledger.UnknownCount(), stats.FirstFailure,
		fmt.Sprintf("%d duplicates answered with the same order, %d of %d customers' cancels came in time, ",
			stats.Duplicates-stats.Mismatches, stats.CancelsTaken, stats.Cancels))}
}

func (s *ordersScenario) try() []string {
	sample := s.traffic.Sample()
	return []string{
		fmt.Sprintf(`curl -s %s/orders -H 'Content-Type: application/json' -d '{"customerId":"%s","restaurantId":"%s","items":[{"productId":"%s","quantity":1}],"price":%d}'`,
			s.url("order"), sample.Customer, sample.Restaurant, sample.Product, sample.Price),
		fmt.Sprintf(`curl -s %s/credits/%s`, s.url("payment"), sample.Customer),
		fmt.Sprintf(`curl -s %s/top-selling`, s.url(topSelling)),
	}
}

func (s *ordersScenario) close() error {
	return errors.Join(closeBoth(s.watcher, s.ledger), s.values.Close())
}

func closeBoth(w *traffic.Watcher, l *traffic.Ledger) (err error) {
	if w != nil {
		w.Close()
	}
	if l != nil {
		err = errors.Join(err, l.Close())
	}
	return err
}
