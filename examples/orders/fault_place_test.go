package orders_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/examples/orders/order"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/storage"
)

// givesUp is a database that gives up its first transaction, after all of it
// was done; between is what happens until the next one. Where it commits, only its
// answer gets lost.
type givesUp struct {
	storage.DB
	between func()
	commits bool
}

var errGivenUp = errors.New("given up")

func (d *givesUp) Transient(err error) bool { return errors.Is(err, errGivenUp) }

func (d *givesUp) Update(ctx context.Context, fn func(storage.Tx) error) error {
	between := d.between
	d.between = nil
	if between == nil {
		return d.DB.Update(ctx, fn)
	}
	defer between()
	if d.commits {
		return errors.Join(d.DB.Update(ctx, fn), errGivenUp)
	}
	return d.DB.Update(ctx, func(tx storage.Tx) error { return errors.Join(fn(tx), errGivenUp) })
}

// on has the order service use another database for its next requests.
func (s simulation) on(db storage.DB) {
	s.T.Helper()
	env := s.Services["order"].Env
	env.Metrics, env.DB = metrics.NewSet(), db
	parts, err := order.Definition().Build(env)
	if err != nil {
		s.T.Fatal(err)
	}
	router := service.NewRouter(env)
	parts.Routes(env, router)
	s.Services["order"].Router = router
}

// TestCancelWhoseCommitWentUnanswered is answered as what it was: done.
func TestCancelWhoseCommitWentUnanswered(t *testing.T) {
	s := newSimulation(t, systemtest.Files(t))
	path := "/orders/" + s.place("c", "r", "p", "100")
	s.on(&givesUp{DB: s.databases().order, between: func() {}, commits: true})
	if a := s.REST("DELETE", "order", path, ""); a.Status != 200 || a.Body["status"] != "CANCELLED" {
		t.Errorf("cancel: %s", a)
	}
	if a := s.REST("DELETE", "order", path, ""); a.Status != 409 {
		t.Errorf("another one: %s", a)
	}
}

// TestAnswerNamesTheOrderThatIsThere: a second request under one key sees the
// order of the first one, whose commit it shares; the commit fails for both, and
// the second is tried again first. Its answer must not be that of the first try.
func TestAnswerNamesTheOrderThatIsThere(t *testing.T) {
	s := newSimulation(t, systemtest.Files(t))
	first := keyed(t, s)
	db := s.databases().order
	s.on(&givesUp{DB: db, between: func() {
		err := db.Update(t.Context(), func(tx storage.Tx) error {
			for _, query := range []string{`DELETE FROM order_transitions`, `DELETE FROM orders`, `DELETE FROM pabal_outbox`, `DELETE FROM pabal_saga`, `DELETE FROM pabal_saga_entry`} {
				if _, err := tx.Exec(t.Context(), query); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}})
	second := keyed(t, s)
	if second == first {
		t.Errorf("the answer names order %s, which was rolled back", first)
	}
	if n := systemtest.Count(t, db, `SELECT COUNT(*) FROM orders WHERE id = $1`, second); n != 1 {
		t.Errorf("%d orders have the id %s of the answer", n, second)
	}
}

// keyed places an order under one key, always the same.
func keyed(t *testing.T, s simulation) (id string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/orders", strings.NewReader(`{"customerId":"c","restaurantId":"r","price":1,"items":[{"productId":"p","quantity":1}]}`))
	r.Header.Set("Idempotency-Key", "one")
	s.Services["order"].Router.ServeHTTP(recorder, r)
	a, err := systemtest.Read(recorder.Result())
	if err != nil || a.Status != 202 {
		t.Fatal(a, err)
	}
	return a.Body["orderId"].(string)
}
