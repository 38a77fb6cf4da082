package topselling

import (
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

const (
	// Window is how long orders are counted together, Kept for how long windows can be asked for.
	Window = time.Minute
	Kept   = time.Hour
	// Grace is for how long after its end an order that is late still counts. It is long: after a
	// pause some partitions are caught up with before others.
	Grace = 30 * time.Minute
)

// Stores: Store has what each restaurant sold in each window; the others are the restaurants
// as they are now, and the approvals that were counted.
const (
	Store            = "top-selling"
	restaurantsStore = "restaurants"
	countedStore     = "counted-approvals"
)

// Sales of a restaurant in a window.
type Sales struct {
	// Name is "" where nobody has told of the restaurant.
	Name   string `json:"name,omitempty"`
	Orders int64  `json:"orders"`
	// Revenue is the sum of the orders' prices, in the smallest unit.
	Revenue int64 `json:"revenue"`
}

// approved is an order that a restaurant has approved.
type approved struct {
	Price int64 `json:"price"`
}

// topics are the names of those that are read.
type topics struct{ orders, restaurants string }

// newTopology counts approvals per restaurant and window, with the name that the restaurant had
// at the last of them that was counted while it had one. Only orders move the time that closes
// windows: renamed restaurants do not.
func newTopology(payloads *service.Payloads, from topics) (*streams.Topology, error) {
	b := streams.NewBuilder()
	b.AddStore(state.Windows(countedStore, time.Millisecond, Kept, serde.String(), serde.Bytes()))
	changes := streams.From(b, from.orders, serde.String(), service.SerdeOf[message.OrderChanged](payloads, message.TypeOrderChanged), streams.WithTimestamp(orderTime))
	sold := streams.Process(changes, func() streams.Processor[string, message.OrderChanged, string, approved] { return &approvals{} },
		serde.String(), serde.JSON[approved](), streams.Using(countedStore), streams.Named("approved-once")).
		Repartition(streams.Named("by-restaurant"))

	restaurants := streams.TableFrom(b, from.restaurants, serde.String(), service.SerdeOf[message.RestaurantChanged](payloads, message.TypeRestaurantChanged),
		streams.WithTimestamp(restaurantTime), streams.Materialized(restaurantsStore))
	sales := streams.LeftJoinTable(sold, restaurants, func(a approved, r *message.RestaurantChanged) Sales {
		s := Sales{Orders: 1, Revenue: a.Price}
		if r != nil {
			s.Name = r.Name
		}
		return s
	}, serde.JSON[Sales]())

	streams.AggregateWindows(sales.GroupByKey(), streams.Tumbling(Window).Grace(Grace), func() Sales { return Sales{} }, add,
		serde.JSON[Sales](), streams.Materialized(Store), streams.Retention(Kept))
	return b.Build()
}

// add counts s, and takes over a name where it has one.
func add(_ string, s, sum Sales) Sales {
	if s.Name != "" {
		sum.Name = s.Name
	}
	sum.Orders += s.Orders
	sum.Revenue += s.Revenue
	return sum
}

// orderTime is when an order changed, not when the outbox got round to it.
func orderTime(r streams.Record[string, message.OrderChanged]) int64 {
	return timeOf(r.Value.ChangedAt, r.Timestamp)
}

func restaurantTime(r streams.Record[string, message.RestaurantChanged]) int64 {
	return timeOf(r.Value.ChangedAt, r.Timestamp)
}

// timeOf is the record's own time where the value, such as a tombstone, has none.
func timeOf(changed time.Time, record int64) int64 {
	if changed.IsZero() {
		return record
	}
	return changed.UnixMilli()
}
