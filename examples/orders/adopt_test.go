package orders_test

import (
	"fmt"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// TestRunningOrdersAreAdopted: orders that ran when the service kept their sagas in
// its own tables go on from where they stand.
func TestRunningOrdersAreAdopted(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		s.oldOrders(map[string][2]string{
			"pays": {"PENDING", "PAYMENT"}, "refused": {"PENDING", "PAYMENT"}, "approved": {"PAID", "APPROVAL"}, "rejected": {"PAID", "APPROVAL"},
			"refunds": {"CANCELLING", "REFUND"}, "withdrawn": {"CANCELLED", "REFUND"}, "ended": {"APPROVED", ""},
		})
		s.Start("order")
		second := s.Launch("order", func(*service.Config) {})
		defer systemtest.Stop(t, second)
		if n := systemtest.Count(t, s.Running["order"].DB(), `SELECT COUNT(*) FROM orders_to_adopt`); n != 0 {
			t.Errorf("%d orders are not adopted", n)
		}
		pays := func(id, status string) event.Event {
			return event.New(message.TypePaymentResponse, id, message.PaymentResponse{ID: id, Price: 100, PaymentStatus: status, Reason: "poor"})
		}
		restaurant := func(id, status string) event.Event {
			return event.New(message.TypeApprovalResponse, id, message.ApprovalResponse{OrderID: id, OrderApprovalStatus: status, Reason: "sold out"})
		}
		s.Publish("payment-response", pays("pays", "COMPLETED"), pays("refused", "FAILED"), pays("refunds", "CANCELLED"), pays("withdrawn", "CANCELLED"),
			pays("withdrawn", "COMPLETED"))
		s.Publish("order-approval-response", restaurant("approved", "APPROVED"), restaurant("rejected", "REJECTED"))
		s.awaits("pays", "PAID", "APPROVAL")
		s.awaits("rejected", "CANCELLING", "REFUND")
		s.Publish("order-approval-response", restaurant("pays", "APPROVED"))
		s.Publish("payment-response", pays("rejected", "CANCELLED"))
		for id, want := range map[string][2]string{
			"pays": {"APPROVED", ""}, "refused": {"CANCELLED", "poor"}, "approved": {"APPROVED", ""}, "rejected": {"CANCELLED", "sold out"},
			"refunds": {"CANCELLED", "before"}, "withdrawn": {"CANCELLED", "before"}, "ended": {"APPROVED", ""},
		} {
			s.ends(id, want[0], want[1])
		}
		s.About("order-approval-request", "pays", 1)
		if asked := s.About("payment-request", "rejected", 1)[0]; asked.Value["paymentOrderStatus"] != "CANCELLING" {
			t.Errorf("the refund was asked for by %v", asked.Value)
		}
		if sent := s.Log("payment-request"); len(sent) != 1 {
			t.Errorf("payment was asked %d times, once was needed", len(sent))
		}
	})
}

// oldOrders is a database as it was before there were sagas, with orders by status
// and whose answer they await.
func (s *system) oldOrders(all map[string][2]string) {
	s.t.Helper()
	old := fstest.MapFS{}
	for _, name := range []string{"0001_orders.sql", "0002_view.sql"} {
		data, err := fs.ReadFile(os.DirFS("order/migrations"), name)
		if err != nil {
			s.t.Fatal(err)
		}
		old[name] = &fstest.MapFile{Data: data}
	}
	db, err := open.DB(s.t.Context(), s.Database("order"), open.Config{Schema: order.Definition().Name, Logger: systemtest.Log()})
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(s.t.Context(), "order", old); err != nil {
		s.t.Fatal(err)
	}
	err = db.Update(s.t.Context(), func(tx storage.Tx) error {
		for id, o := range all {
			reason := ""
			if o[1] == "REFUND" {
				reason = "before"
			}
			if _, err := tx.Exec(s.t.Context(), `INSERT INTO orders
				(id, customer_id, restaurant_id, items, price, status, awaiting, reason, version, created_at, changed_at)
				VALUES ($1, 'c', 'r', '[{"productId":"p","quantity":1}]', 100, $2, $3, $4, 2, 1790000000000000, 1790000000000000)`,
				id, o[0], o[1], reason); err != nil {
				return fmt.Errorf("order %s: %w", id, err)
			}
			if _, err := tx.Exec(s.t.Context(), `INSERT INTO order_transitions (order_id, version, status, awaiting, note, cause, cause_id, at)
				VALUES ($1, 2, $2, $3, '', 'before', '', 1790000000000000)`, id, o[0], o[1]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
