package orders_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/storage"
)

// databases are those of the services, for looking inside.
type databases struct{ order, payment, restaurant storage.DB }

func (s *system) databases() databases {
	return databases{s.Running["order"].DB(), s.Running["payment"].DB(), s.Running["restaurant"].DB()}
}

// checkMoney holds at every moment.
func (d databases) checkMoney(t testing.TB) {
	t.Helper()
	deposits := systemtest.Count(t, d.payment, `SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM deposits`)
	credits := systemtest.Count(t, d.payment, `SELECT CAST(COALESCE(SUM(balance), 0) AS BIGINT) FROM credits`)
	kept := systemtest.Count(t, d.payment, `SELECT CAST(COALESCE(SUM(taken - refunded), 0) AS BIGINT) FROM payments`)
	if deposits != credits+kept {
		t.Errorf("deposits %d, credits %d and money kept %d", deposits, credits, kept)
	}
	if n := systemtest.Count(t, d.payment, `SELECT COUNT(*) FROM payments WHERE status = 'FAILED' AND taken <> 0
		OR status = 'COMPLETED' AND (taken <> price OR refunded <> 0) OR status = 'CANCELLED' AND taken <> refunded`); n > 0 {
		t.Errorf("%d payments whose money does not fit their status", n)
	}
	if n := systemtest.Count(t, d.payment, `SELECT COUNT(*) FROM credits c WHERE deposited <> (
		SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM deposits WHERE customer_id = c.customer_id)`); n > 0 {
		t.Errorf("%d credits whose deposits do not add up", n)
	}
	if n := systemtest.Count(t, d.restaurant, `SELECT COUNT(*) FROM products p WHERE stock < 0 OR stock <> initial_stock - (
		SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT) FROM approval_items WHERE product_id = p.id)`); n > 0 {
		t.Errorf("%d products whose stock does not fit what was approved", n)
	}
}

// checkEnded holds once no message is under way.
func (d databases) checkEnded(t testing.TB) {
	t.Helper()
	d.checkMoney(t)
	payments := systemtest.Table(t, d.payment, 5, `SELECT order_id, status, CAST(price AS TEXT), CAST(taken AS TEXT), CAST(refunded AS TEXT) FROM payments`)
	approvals := systemtest.Table(t, d.restaurant, 2, `SELECT order_id, status FROM approvals`)
	wasPaid := systemtest.Table(t, d.order, 2, `SELECT order_id, status FROM order_transitions WHERE status = 'PAID'`)
	all := systemtest.Table(t, d.order, 4, `SELECT id, status, awaiting, CAST(price AS TEXT) FROM orders`)
	for id, o := range all {
		if o[1] != "" {
			t.Errorf("order %s waits for %s", id, o[1])
		}
		pay := payments[id]
		got := fmt.Sprint(o[0], pay, approvals[id])
		switch {
		case o[0] == "APPROVED" && got == fmt.Sprint("APPROVED", []string{"COMPLETED", o[2], o[2], "0"}, []string{"APPROVED"}):
		case o[0] == "CANCELLED" && len(wasPaid[id]) > 0 &&
			got == fmt.Sprint("CANCELLED", []string{"CANCELLED", o[2], o[2], o[2]}, []string{"REJECTED"}):
		case o[0] == "CANCELLED" && len(wasPaid[id]) == 0 && pay != nil && pay[2] == pay[3] && approvals[id] == nil &&
			(pay[0] == "FAILED" || pay[0] == "CANCELLED"):
		default:
			t.Errorf("order %s (price %s): order, payment, approval do not fit: %s", id, o[2], got)
		}
	}
	if len(payments) > len(all) || len(approvals) > len(all) {
		t.Errorf("%d orders, %d payments, %d approvals", len(all), len(payments), len(approvals))
	}
}
