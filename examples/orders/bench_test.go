package orders_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// BenchmarkOrders is the time per order from its request to the end of its
// saga, where many are under way: all four services, broker and customers in
// one process, on SQLite.
func BenchmarkOrders(b *testing.B) {
	const customers = 64
	s := newSystem(b, systemtest.Embedded).all()
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = customers
	restaurant, product := s.restaurant(1, int64(b.N))
	ids := make([]string, customers)
	for i := range ids {
		ids[i] = s.customer(int64(b.N))
	}
	url := "http://" + s.Running["order"].Addr() + "/orders"
	db := s.Running["order"].DB()
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for _, customer := range ids {
		all.Go(func() {
			body := orderBody(customer, restaurant, 1, line(product, 1))
			for next.Add(1) <= int64(b.N) {
				if a, err := systemtest.Call("POST", url, body); err != nil || a.Status != 202 {
					b.Errorf("%s %v", a, err)
				}
			}
		})
	}
	all.Wait()
	testenv.Wait(b, "the last order", 2*time.Minute, func() bool {
		return systemtest.Count(b, db, `SELECT COUNT(*) FROM orders WHERE status = 'APPROVED'`) == int64(b.N)
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}
