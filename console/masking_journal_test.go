package console

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
)

// TestMasksEntities: what a rule for the entity type hides is hidden in events, states,
// diffs, histories, problems and differences, and whole for the role that may see it.
func TestMasksEntities(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Topics: []string{"order"}, Fields: []string{"card"}, Headers: []string{"tags"}, Reveal: api.Admin}}, "shop.")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	services := maskedServices{f, rules}
	for _, role := range []api.Role{"", api.Viewer, api.Operator, api.Admin} {
		ctx := api.WithUser(t.Context(), api.User{Role: role})
		s, err := services.At(ctx, "payment")
		if err != nil {
			t.Fatal(err)
		}
		zero := int64(0)
		all := map[string]func() (any, error){
			"entity": func() (any, error) { return s.Entity(ctx, "order|1") },
			"events": func() (any, error) { return s.Events(ctx, admin.EventQuery{PersistenceID: "order|1"}) },
			"states": func() (any, error) { return s.States(ctx, admin.StateQuery{PersistenceID: "order|1", From: 1, To: 3}) },
			"diff":   func() (any, error) { return api.DiffStates(ctx, s, api.DiffQuery{PersistenceID: "order|1"}) },
			"from nothing": func() (any, error) {
				return api.DiffStates(ctx, s, api.DiffQuery{PersistenceID: "order|1", From: &zero})
			},
			"field": func() (any, error) {
				return api.FieldChanges(ctx, s, api.FieldQuery{PersistenceID: "order|1", Path: "card"})
			},
			"whole": func() (any, error) { return api.FieldChanges(ctx, s, api.FieldQuery{PersistenceID: "order|1"}) },
			"compare": func() (any, error) {
				return s.RebuildProjection(ctx, admin.RebuildRequest{Projection: "order-view", Step: admin.RebuildCompare})
			},
		}
		for what, ask := range all {
			answer, err := ask()
			data, _ := json.Marshal(answer)
			seen := strings.Contains(string(data), "4111") || strings.Contains(string(data), "4222")
			if err != nil || seen != (role == api.Admin) {
				t.Errorf("%s as %q: %s, %v", what, role, data, err)
			}
		}
		d, err := api.DiffStates(ctx, s, api.DiffQuery{PersistenceID: "order|1"}) // only the card changed
		if err != nil || (len(d.Changes) == 0) != (role != api.Admin) || (len(d.Masked) == 1) != (role != api.Admin) {
			t.Errorf("the diff as %q: %+v, %v", role, d, err)
		}
		h, err := api.FieldChanges(ctx, s, api.FieldQuery{PersistenceID: "order|1", Path: "card"})
		if err != nil || h.Hidden != (role != api.Admin) || len(h.Changes) != map[bool]int{true: 2}[role == api.Admin] {
			t.Errorf("the history as %q: %+v, %v", role, h, err)
		}
		events, _ := s.Events(ctx, admin.EventQuery{PersistenceID: "order|1"})
		if whole := events.Events[0].Tags[0] == "orders"; whole != (role == api.Admin) {
			t.Errorf("tags as %q: %v", role, events.Events[0].Tags)
		}
		list, err := services.Services(ctx)
		status, err2 := s.Status(ctx)
		projections, err3 := s.Projections(ctx)
		data, _ := json.Marshal([]any{list, status, projections})
		if err := errors.Join(err, err2, err3); err != nil || strings.Contains(string(data), "order|1") != (role == api.Admin) || !strings.Contains(string(data), `"problem":"it stopped`) == (role != api.Admin) {
			t.Errorf("problems as %q: %s, %v", role, data, err)
		}
	}
	if aRunning.Problem == "" || aRunning.Ranges[0].Problem != "order|1 at event 2: boom" || aRunning.Rebuild.Problem != "order|1 again" {
		t.Error("masking changed what the engines keep")
	}
}

// TestHiddenIDs: where keys are hidden, nobody learns who the entities are.
func TestHiddenIDs(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Topics: []string{"order"}, Keys: true, Reveal: api.Operator}}, "")
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
			"entities": func() error { return second(s.Entities(ctx, admin.EntityQuery{Type: "order"})) },
			"all":      func() error { return second(s.Entities(ctx, admin.EntityQuery{})) },
			"entity":   func() error { return second(s.Entity(ctx, "order|1")) },
			"events":   func() error { return second(s.Events(ctx, admin.EventQuery{PersistenceID: "order|1"})) },
			"states":   func() error { return second(s.States(ctx, admin.StateQuery{PersistenceID: "order|1"})) },
		} {
			if err := ask(); !errors.Is(err, want) {
				t.Errorf("%s as %s: %v", what, role, err)
			}
		}
	}
}

// TestRefusedStatesKeepSecrets: the words of an error may quote a state.
func TestRefusedStatesKeepSecrets(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Fields: []string{"card"}, Reveal: api.Admin}}, "")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{fail: errors.Join(admin.ErrConflict, errors.New("card 4111 is refused"))}
	for _, role := range []api.Role{api.Viewer, api.Admin} {
		ctx := api.WithUser(t.Context(), api.User{Role: role})
		_, err := maskedService{fakeService{f}, rules}.States(ctx, admin.StateQuery{PersistenceID: "order|1"})
		if !errors.Is(err, api.ErrConflict) && !errors.Is(err, admin.ErrConflict) || strings.Contains(err.Error(), "4111") != (role == api.Admin) {
			t.Errorf("as %s: %v", role, err)
		}
	}
}
