package console

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/saga"
)

// TestMasksSagas: what a rule for the saga's name hides is hidden in state, reasons and
// notes, in transactions too, and whole for the role that may see it.
func TestMasksSagas(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Topics: []string{"place-order"}, Fields: []string{"card"}, Headers: []string{"ce_correlationid"}, Reveal: api.Admin}}, "shop.")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	engines := api.Engines{Services: maskedServices{f, rules}, Lens: maskedLens{sagaLens{f}, rules}}
	for _, role := range []api.Role{"", api.Viewer, api.Operator, api.Admin} {
		ctx := api.WithUser(t.Context(), api.User{Role: role})
		s, err := engines.Services.At(ctx, "payment")
		if err != nil {
			t.Fatal(err)
		}
		for what, ask := range map[string]func() (any, error){
			"saga":  func() (any, error) { return s.Saga(ctx, "place-order", "o1") },
			"sagas": func() (any, error) { return s.Sagas(ctx, saga.Query{}) },
			"all":   func() (any, error) { return engines.Sagas(ctx, api.SagaQuery{}) },
			"act":   func() (any, error) { return s.ActOnSaga(ctx, saga.Act{}) },
			"trace": func() (any, error) { return engines.Lens.Trace(ctx, "c1") },
		} {
			answer, err := ask()
			data, _ := json.Marshal(answer)
			if seen := strings.Contains(string(data), "4111"); err != nil || seen != (role == api.Admin) {
				t.Errorf("%s as %q: %s, %v", what, role, data, err)
			}
		}
		d, err := s.Saga(ctx, "place-order", "o1")
		if err != nil || (d.CorrelationID == "c1") != (role == api.Admin) || (len(d.Masked) == 1) != (role != api.Admin) || d.Entries[2].Note != "try again" || !strings.Contains(string(d.State), `"total":5`) {
			t.Errorf("as %q: %+v, %v", role, d, err)
		}
	}
	if aSaga.Steps[0].Reason != "card 4111" || aSaga.Entries[1].Note != "card 4111" || !strings.Contains(string(aSaga.State), "4111") {
		t.Error("masking changed what the engines keep")
	}
}

// sagaLens has a transaction with a saga that needs somebody.
type sagaLens struct{ *fake }

func (l sagaLens) Trace(ctx context.Context, id string) (api.Trace, error) {
	one := api.Saga{Service: "payment", SagaLine: aSagaLine}
	trace, err := l.fake.Trace(ctx, id)
	trace.Sagas = []api.Saga{one}
	trace.Stuck = &api.Stuck{Cause: api.CauseSagaReview, Explanation: "card 4111", Action: anAction, Saga: &one}
	return trace, err
}

// TestHiddenSagaIDs: where keys are hidden, nobody learns whose sagas they are.
func TestHiddenSagaIDs(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Topics: []string{"place-order"}, Keys: true, Reveal: api.Operator}}, "")
	if err != nil {
		t.Fatal(err)
	}
	for role, want := range map[api.Role]error{api.Viewer: api.ErrForbidden, api.Operator: nil} {
		ctx := api.WithUser(t.Context(), api.User{Role: role})
		s, err := maskedServices{&fake{}, rules}.At(ctx, "payment")
		if err != nil {
			t.Fatal(err)
		}
		for what, ask := range map[string]func() error{
			"saga":         func() error { return second(s.Saga(ctx, "place-order", "o1")) },
			"by id":        func() error { return second(s.Sagas(ctx, saga.Query{Name: "place-order", ID: "o1"})) },
			"by id of any": func() error { return second(s.Sagas(ctx, saga.Query{ID: "o1"})) },
		} {
			if err := ask(); !errors.Is(err, want) {
				t.Errorf("%s as %s: %v", what, role, err)
			}
		}
		page, err := s.Sagas(ctx, saga.Query{})
		if hidden := role == api.Viewer; err != nil || (page.Sagas[0].ID == mask.Hidden) != hidden || (page.Next.ID == "") != hidden || page.Next.Started.After(at0) != hidden {
			t.Errorf("as %s: %+v, %+v, %v", role, page, page.Next, err)
		}
	}
}

// TestActsOnSagas: they need the role operator and a reason, and are recorded with who
// did them.
func TestActsOnSagas(t *testing.T) {
	s := newSite(t, true)
	const path = "/api/v1/services/payment/sagas/place-order/o1/act"
	for _, tt := range []struct {
		role api.Role
		body string
		want int
	}{
		{api.Viewer, `{"do":"retry","reason":"r"}`, 403}, {"", `{"do":"retry","reason":"r"}`, 401},
		{api.Operator, `{"do":"retry"}`, 400}, {api.Operator, `{"do":"retry","reason":" "}`, 400}, {api.Operator, `{"do":"retry","reason":"r","actor":"eve"}`, 400},
		{api.Operator, `{"do":"retry","reason":"r","id":"o2"}`, 400}, {api.Operator, `{"do":"retry","step":"pay","reason":"mended","revision":7}`, 200},
	} {
		if a := s.post(t, path, tt.body, bearer(s.tokens[tt.role])...); a.status != tt.want {
			t.Errorf("%s as %q: %d %s", tt.body, tt.role, a.status, a.body)
		}
	}
	asked := s.asked()
	want := "act on saga {Saga:place-order ID:o1 Do:retry Step:pay Reason:mended Actor:ci-operator Revision:7}"
	if got := asked[len(asked)-2]; got != want {
		t.Errorf("the service was asked %q", asked)
	}
	last := s.recorded()[len(s.recorded())-1]
	if last.Act != "act on saga" || last.Target != "payment/place-order/o1" || last.Outcome != "done" || last.User != "ci-operator" || !strings.Contains(last.Detail, "mended") {
		t.Errorf("%+v", last)
	}
	s.set(func(f *fake) { f.fail = admin.ErrConflict })
	if a := s.post(t, path, `{"do":"retry","reason":"r"}`, bearer(s.tokens[api.Operator])...); a.status != 409 {
		t.Errorf("%d %s", a.status, a.body)
	}
}
