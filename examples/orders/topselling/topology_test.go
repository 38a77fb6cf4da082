package topselling

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

// noon begins a window.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sales drives the topology.
type sales struct {
	t           *testing.T
	driver      *streamstest.Driver
	orders      *streamstest.InputTopic[string, message.OrderChanged]
	restaurants *streamstest.InputTopic[string, message.RestaurantChanged]
}

func newSales(t *testing.T) *sales {
	t.Helper()
	topology, err := newTopology(nil, topics{message.TypeOrderChanged, message.TypeRestaurantChanged})
	if err != nil {
		t.Fatal(err)
	}
	// Much later than what happens: the records' own times must not matter.
	d := streamstest.New(t, topology, streamstest.WithClock(noon.Add(100*time.Hour)))
	return &sales{t, d,
		streamstest.Input(d, message.TypeOrderChanged, serde.String(), serde.JSON[message.OrderChanged]()),
		streamstest.Input(d, message.TypeRestaurantChanged, serde.String(), serde.JSON[message.RestaurantChanged]()),
	}
}

func (s *sales) named(id, name string, after time.Duration) {
	s.restaurants.Pipe(id, message.RestaurantChanged{RestaurantID: id, Name: name, Active: true, ChangedAt: noon.Add(after)})
}

func (s *sales) changed(order, restaurant, status string, price int64, after time.Duration) {
	s.orders.Pipe(order, message.OrderChanged{OrderID: order, RestaurantID: restaurant, Price: price, Status: status, ChangedAt: noon.Add(after)})
}

func (s *sales) approved(order, restaurant string, price int64, after time.Duration) {
	s.changed(order, restaurant, statusApproved, price, after)
}

// store is the driver's as a query reads one.
type store struct {
	state.ReadOnlyWindow[string, state.Timestamped[Sales]]
}

func (s store) FetchAll(_ context.Context, from, to int64) iter.Seq2[state.Pair[state.Windowed[string], Sales], error] {
	return func(yield func(state.Pair[state.Windowed[string], Sales], error) bool) {
		for p, err := range s.ReadOnlyWindow.FetchAll(from, to) {
			if !yield(state.Pair[state.Windowed[string], Sales]{Key: p.Key, Value: p.Value.Value}, err) {
				return
			}
		}
	}
}

func (s *sales) store() store {
	return store{streamstest.Store[state.ReadOnlyWindow[string, state.Timestamped[Sales]]](s.driver, Store)}
}

// show is a top list in one line.
func show(top Top, err error) string {
	var b strings.Builder
	if b.WriteString(top.WindowStart.Format("15:04")); err != nil {
		return err.Error()
	}
	for _, p := range top.Restaurants {
		fmt.Fprintf(&b, " %s(%s)=%d/%d", p.RestaurantID, p.Name, p.Orders, p.Revenue)
	}
	return b.String()
}

func (s *sales) expect(want string) {
	s.t.Helper()
	if got := show(topNow(s.t.Context(), s.store(), noon, 10)); got != want {
		s.t.Errorf("got  %s\nwant %s", got, want)
	}
}

func (s *sales) expectAt(after time.Duration, want string) {
	s.t.Helper()
	if got := show(topAt(s.t.Context(), s.store(), noon.Add(after), 10)); got != want {
		s.t.Errorf("at %s: got  %s\nwant %s", after, got, want)
	}
}

// TestTopSellingCountsApprovals: only those, each once, most orders first, of as many the larger
// revenue.
func TestTopSellingCountsApprovals(t *testing.T) {
	s := newSales(t)
	s.named("r1", "Soup", -time.Hour)
	s.named("r2", "Rice", -time.Hour)
	s.named("r3", "Kimchi", -time.Hour)
	for i, status := range []string{"PENDING", "PAID", "CANCELLING", "CANCELLED"} {
		s.changed(fmt.Sprint("x", i), "r1", status, 900, time.Second)
	}
	s.expect("00:00") // nobody sold anything
	s.approved("o1", "r1", 300, 2*time.Second)
	s.approved("o2", "r2", 500, 3*time.Second)
	s.approved("o3", "r3", 100, 4*time.Second)
	s.approved("o4", "r3", 100, 5*time.Second)
	s.approved("o2", "r2", 500, 3*time.Second) // the outbox published it again
	s.expect("12:00 r3(Kimchi)=2/200 r2(Rice)=1/500 r1(Soup)=1/300")
	s.driver.Restart()
	s.approved("o2", "r2", 500, 3*time.Second)
	s.expect("12:00 r3(Kimchi)=2/200 r2(Rice)=1/500 r1(Soup)=1/300")
	s.orders.Tombstone("o3")
	if dropped := s.driver.Dropped(); len(dropped) > 0 && dropped["late"] > 0 {
		t.Errorf("left out: %v", dropped)
	}
}

// TestTopSellingWindows: an order counts when it was approved, also where it comes late, until
// the window has closed.
func TestTopSellingWindows(t *testing.T) {
	s := newSales(t)
	s.named("r1", "Soup", -time.Hour)
	s.approved("o1", "r1", 1, Window-time.Millisecond)
	s.approved("o2", "r1", 1, Window)
	s.approved("o3", "r1", 1, Window+time.Second)
	s.approved("o4", "r1", 1, Window-time.Second) // late, within the grace
	s.expect("12:01 r1(Soup)=2/2")
	s.expectAt(Window-1, "12:00 r1(Soup)=2/2")
	s.approved("o5", "r1", 1, Window+Grace)
	s.approved("o6", "r1", 1, Window-time.Second) // too late
	s.expectAt(0, "12:00 r1(Soup)=2/2")
	s.expectAt(Window, "12:01 r1(Soup)=2/2")
	s.expectAt(Window+Grace, "12:31 r1(Soup)=1/1")
	s.expectAt(5*Window, "12:05")
	s.approved("o7", "r1", 1, Kept+3*Window)
	s.expectAt(0, "12:00") // not kept any more
	s.expect("13:03 r1(Soup)=1/1")
}

// TestTopSellingNames: a restaurant that is renamed, deleted, or not known yet.
func TestTopSellingNames(t *testing.T) {
	s := newSales(t)
	s.approved("o1", "r1", 5, time.Second)
	s.expect("12:00 r1()=1/5") // nobody has told of it
	s.named("r1", "Soup", 2*time.Second)
	s.approved("o2", "r1", 5, 3*time.Second)
	s.expect("12:00 r1(Soup)=2/10")
	s.named("r1", "Noodles", 4*time.Second)
	s.approved("o3", "r1", 5, 5*time.Second)
	s.expect("12:00 r1(Noodles)=3/15")
	s.restaurants.Tombstone("r1", noon.Add(6*time.Second))
	s.approved("o4", "r1", 5, 7*time.Second)
	s.expect("12:00 r1(Noodles)=4/20")
	s.approved("o5", "r1", 5, Window)
	s.expect("12:01 r1()=1/5") // nobody has by that name any more
	s.named("r2", "Rice", Window+time.Second)
	s.expect("12:01 r1()=1/5")           // it sold nothing yet
	s.named("r1", "Dumplings", 2*Window) // what was sold before keeps the name of then
	s.expect("12:01 r1()=1/5")
	s.approved("o6", "r1", 5, 2*Window+time.Second)
	s.expect("12:02 r1(Dumplings)=1/5")
	s.named("r1", "Pancakes", 2*Kept) // closes no window
	s.approved("o7", "r1", 5, time.Second)
	s.expectAt(0, "12:00 r1(Pancakes)=5/25")
}

// TestTopSellingLimit: the first ones.
func TestTopSellingLimit(t *testing.T) {
	s := newSales(t)
	for i := range 20 {
		s.approved(fmt.Sprint("o", i), fmt.Sprintf("r%02d", i), int64(i), time.Second)
	}
	if got := show(topNow(t.Context(), s.store(), noon, 2)); got != "12:00 r19()=1/19 r18()=1/18" {
		t.Error(got)
	}
}
