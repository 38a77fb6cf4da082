package orders_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestBatchesTakeTurns: batches of requests that debit the same credits in
// different orders never deadlock, also where two instances handle them.
func TestBatchesTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		const customers, requests = 20, 1000
		s.Start("customer")
		s.Start("payment")
		ids := make([]string, customers)
		for i := range ids {
			ids[i] = s.customer(requests)
		}
		s.Stop("payment")
		random := testenv.Rand(t)
		all := make([]event.Event, requests)
		for i := range all {
			all[i] = request(fmt.Sprint("order-", i), ids[random.IntN(customers)], 1, message.OrderPending)
		}
		s.Publish("payment-request", all...)

		var log output
		listen := func(c *service.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }
		s.Running["payment"] = s.Launch("payment", listen)
		second := s.Launch("payment", listen)
		defer systemtest.Stop(t, second)
		db := s.Running["payment"].DB()
		testenv.Wait(t, "all debits", systemtest.StateTimeout, func() bool {
			return systemtest.Count(t, db, `SELECT COUNT(*) FROM payments WHERE status = 'COMPLETED'`) == requests
		})
		if left := systemtest.Count(t, db, `SELECT CAST(SUM(balance) AS BIGINT) FROM credits`); left != customers*requests-requests {
			t.Errorf("credits left %d", left)
		}
		if text := log.String(); strings.Contains(text, "deadlock") {
			t.Errorf("batches deadlock:\n%s", text)
		}
	})
}
