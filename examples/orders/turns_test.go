package orders_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/service"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestBatchesTakeTurns: batches of requests that debit the same credits in
// different orders never deadlock, also where two instances handle them.
func TestBatchesTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		const customers, requests = 20, 1000
		s.start("customer")
		s.start("payment")
		ids := make([]string, customers)
		for i := range ids {
			ids[i] = s.customer(requests)
		}
		s.stop("payment")
		random := testenv.Rand(t)
		all := make([]event.Event, requests)
		for i := range all {
			all[i] = request(fmt.Sprint("order-", i), ids[random.IntN(customers)], 1, message.OrderPending)
		}
		s.publish("payment-request", all...)

		var log output
		listen := func(c *service.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }
		s.running["payment"] = s.launch("payment", listen)
		second := s.launch("payment", listen)
		defer stop(t, second)
		db := s.running["payment"].DB()
		testenv.Wait(t, "all debits", stateTimeout, func() bool {
			return count(t, db, `SELECT COUNT(*) FROM payments WHERE status = 'COMPLETED'`) == requests
		})
		if left := count(t, db, `SELECT CAST(SUM(balance) AS BIGINT) FROM credits`); left != customers*requests-requests {
			t.Errorf("credits left %d", left)
		}
		if text := log.String(); strings.Contains(text, "deadlock") {
			t.Errorf("batches deadlock:\n%s", text)
		}
	})
}
