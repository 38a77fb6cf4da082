package orders_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/storage"
)

// databases are those of the services, for looking inside.
type databases struct{ order, payment, restaurant storage.DB }

func (s *system) databases() databases {
	return databases{s.running["order"].DB(), s.running["payment"].DB(), s.running["restaurant"].DB()}
}

// count runs a query that returns one number.
func count(t testing.TB, db storage.DB, query string, args ...any) (n int64) {
	t.Helper()
	err := db.View(context.Background(), func(q storage.Querier) error {
		return q.QueryRow(context.Background(), query, args...).Scan(&n)
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// table is one row of a query per key, its first column.
func table(t testing.TB, db storage.DB, columns int, query string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := db.View(context.Background(), func(q storage.Querier) error {
		rows, err := q.Query(context.Background(), query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			values := make([]string, columns)
			dest := make([]any, columns)
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			all[values[0]] = values[1:]
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// checkMoney holds at every moment.
func (d databases) checkMoney(t testing.TB) {
	t.Helper()
	deposits := count(t, d.payment, `SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM deposits`)
	credits := count(t, d.payment, `SELECT CAST(COALESCE(SUM(balance), 0) AS BIGINT) FROM credits`)
	kept := count(t, d.payment, `SELECT CAST(COALESCE(SUM(taken - refunded), 0) AS BIGINT) FROM payments`)
	if deposits != credits+kept {
		t.Errorf("deposits %d, credits %d and money kept %d", deposits, credits, kept)
	}
	if n := count(t, d.payment, `SELECT COUNT(*) FROM payments WHERE status = 'FAILED' AND taken <> 0
		OR status = 'COMPLETED' AND (taken <> price OR refunded <> 0) OR status = 'CANCELLED' AND taken <> refunded`); n > 0 {
		t.Errorf("%d payments whose money does not fit their status", n)
	}
	if n := count(t, d.payment, `SELECT COUNT(*) FROM credits c WHERE deposited <> (
		SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM deposits WHERE customer_id = c.customer_id)`); n > 0 {
		t.Errorf("%d credits whose deposits do not add up", n)
	}
	if n := count(t, d.restaurant, `SELECT COUNT(*) FROM products p WHERE stock < 0 OR stock <> initial_stock - (
		SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT) FROM approval_items WHERE product_id = p.id)`); n > 0 {
		t.Errorf("%d products whose stock does not fit what was approved", n)
	}
}

// checkEnded holds once no message is under way.
func (d databases) checkEnded(t testing.TB) {
	t.Helper()
	d.checkMoney(t)
	payments := table(t, d.payment, 5, `SELECT order_id, status, CAST(price AS TEXT), CAST(taken AS TEXT), CAST(refunded AS TEXT) FROM payments`)
	approvals := table(t, d.restaurant, 2, `SELECT order_id, status FROM approvals`)
	wasPaid := table(t, d.order, 2, `SELECT order_id, status FROM order_transitions WHERE status = 'PAID'`)
	all := table(t, d.order, 4, `SELECT id, status, awaiting, CAST(price AS TEXT) FROM orders`)
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
