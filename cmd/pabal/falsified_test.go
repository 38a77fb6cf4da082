package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/traffic"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// anOrder is the first order of a status.
func anOrder(status string) string {
	return `(SELECT min(id) FROM orders WHERE status = '` + status + `')`
}

// falsifications are what a wrong service could have done to its database, and
// which invariants must notice. None of them is one that the tables themselves
// refuse.
var falsifications = []struct {
	name, db, sql string
	want          []string
}{
	{"nothing", "payment", `UPDATE credits SET balance = balance`, nil},
	{"credit out of nothing", "payment",
		`UPDATE credits SET balance = balance - 1 WHERE customer_id = (SELECT min(customer_id) FROM credits)`, []string{"money"}},
	{"lost deposit", "payment",
		`DELETE FROM deposits WHERE id = (SELECT min(id) FROM deposits)`, []string{"money"}},
	{"one customer pays for another", "payment",
		`UPDATE payments SET customer_id = 'somebody' WHERE order_id = (SELECT min(order_id) FROM payments WHERE status = 'COMPLETED')`, []string{"money"}},
	{"approved without a debit", "payment",
		`DELETE FROM payments WHERE order_id = (SELECT min(order_id) FROM payments WHERE status = 'COMPLETED')`, []string{"money", "debits"}},
	{"debit of another amount", "payment",
		`UPDATE payments SET taken = taken + 1 WHERE order_id = (SELECT min(order_id) FROM payments WHERE status = 'COMPLETED')`, []string{"money", "debits"}},
	{"refund forgotten", "payment",
		`UPDATE payments SET refunded = 0 WHERE order_id = (SELECT min(order_id) FROM payments WHERE refunded > 0)`, []string{"money", "refunds"}},
	{"refund of an approved order", "payment",
		`UPDATE payments SET refunded = taken WHERE order_id = (SELECT min(order_id) FROM payments WHERE status = 'COMPLETED')`, []string{"money", "refunds"}},
	{"cancelled order, payment stands", "payment",
		`UPDATE payments SET status = 'COMPLETED' WHERE order_id = (SELECT min(order_id) FROM payments WHERE status = 'CANCELLED' AND taken > 0)`, []string{"refunds"}},
	{"payment of no order", "payment",
		`INSERT INTO payments SELECT 'nobody', customer_id, 1, 0, 0, 'FAILED', '', 0, 0 FROM payments LIMIT 1`, []string{"debits"}},
	{"piece lost", "restaurant",
		`UPDATE products SET stock = stock - 1 WHERE id = (SELECT min(id) FROM products WHERE stock > 0)`, []string{"stock"}},
	{"sale forgotten", "restaurant",
		`DELETE FROM approval_items WHERE order_id = (SELECT min(order_id) FROM approval_items)`, []string{"stock"}},
	{"sold to nobody", "restaurant",
		`UPDATE approvals SET order_id = 'nobody' WHERE order_id = (SELECT min(order_id) FROM approvals WHERE status = 'REJECTED')`, []string{"stock"}},
	{"another quantity", "restaurant",
		`UPDATE approval_items SET quantity = quantity + 1 WHERE order_id = (SELECT min(order_id) FROM approval_items)`, []string{"stock"}},
	{"approval of a cancelled order", "restaurant",
		`UPDATE approvals SET status = 'APPROVED' WHERE order_id = (SELECT min(order_id) FROM approvals WHERE status = 'REJECTED')`, []string{"stock"}},
	{"order that never ends", "order",
		`UPDATE orders SET status = 'PAID', awaiting = 'APPROVAL' WHERE id = ` + anOrder("APPROVED"), []string{"orders"}},
	{"saga that never ends", "order",
		`UPDATE orders SET awaiting = 'REFUND' WHERE id = ` + anOrder("CANCELLED"), []string{"orders"}},
	{"cancelled after approval", "order",
		`UPDATE orders SET status = 'CANCELLED' WHERE id = ` + anOrder("APPROVED"), []string{"refunds", "stock"}},
	{"order lost", "order",
		`DELETE FROM orders WHERE id = ` + anOrder("APPROVED"), []string{"debits", "stock", "accepted"}},
	{"another order under the key", "order",
		`UPDATE orders SET idempotency_key = 'another' WHERE id = ` + anOrder("APPROVED"), []string{"accepted"}},
	{"dead letter", "order",
		`UPDATE pabal_inbox SET outcome = 'dead' WHERE id = (SELECT min(id) FROM pabal_inbox)`, []string{"messages"}},
}

// testFalsified falsifies copies of the databases in a demo's folder.
func testFalsified(t *testing.T, folder string) {
	for _, tt := range falsifications {
		t.Run(tt.name, func(t *testing.T) {
			violated(t, folder, tt.want, tt.db, func(ctx context.Context, tx storage.Tx) error {
				changed, err := tx.Exec(ctx, tt.sql)
				if changed == 0 && err == nil {
					t.Fatal("the statement changed nothing")
				}
				return err
			})
		})
	}
	t.Run("message not published", func(t *testing.T) {
		violated(t, folder, []string{"messages"}, "restaurant", func(ctx context.Context, tx storage.Tx) error {
			return outbox.Enqueue(ctx, tx, event.New("restaurant-changed", "x", struct{}{}))
		})
	})
}

// violated expects exactly those invariants to fail after a change.
func violated(t *testing.T, folder string, want []string, name string, change func(context.Context, storage.Tx) error) {
	t.Helper()
	dbs, ledger := copied(t, folder, "accepted.log", []string{"order", "payment", "restaurant", "customer"})
	if err := dbs[name].Update(t.Context(), func(tx storage.Tx) error { return change(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	results, err := invariants.Check(t.Context(), invariants.Databases{
		Order: dbs["order"], Payment: dbs["payment"], Restaurant: dbs["restaurant"], Customer: dbs["customer"],
	}, ledger.Read)
	if err != nil {
		t.Fatal(err)
	}
	areViolated(t, results, want)
}

// copied are copies of a demo's databases and of one of its ledgers.
func copied(t *testing.T, folder, ledger string, services []string) (map[string]storage.DB, *traffic.Ledger) {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(folder, "databases"))); err != nil {
		t.Fatal(err)
	}
	dbs := map[string]storage.DB{}
	for _, service := range services {
		db, err := open.DB(t.Context(), "sqlite:"+filepath.Join(copied, service+".db"), open.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		dbs[service] = db
	}
	data, err := os.ReadFile(filepath.Join(folder, ledger))
	if err == nil {
		err = os.WriteFile(filepath.Join(copied, ledger), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := traffic.OpenLedger(filepath.Join(copied, ledger))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { accepted.Close() })
	return dbs, accepted
}

func areViolated(t *testing.T, results []invariants.Result, want []string) {
	t.Helper()
	var got []string
	for _, r := range results {
		if !r.OK {
			got = append(got, r.Name)
			if !strings.Contains(r.Detail, "; violated ") {
				t.Errorf("%s: %s", r.Name, r.Detail)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("violated are %v, want %v: %+v", got, want, results)
	}
}
