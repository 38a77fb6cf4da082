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

// TestMasksStores: what a rule hides of a store, or of a topic that the application reads, is
// hidden in what is read from the store, and in problems.
func TestMasksStores(t *testing.T) {
	for topic, whole := range map[string]bool{"totals": false, "payments": false, "p.payments": false, "x-repartition": true, "elsewhere": true} {
		rules, err := mask.New([]mask.Rule{{Topics: []string{topic}, Fields: []string{"card"}, Reveal: api.Operator}}, "p.")
		if err != nil {
			t.Fatal(err)
		}
		s := maskedStreams{&fake{}, rules}
		for role, hides := range map[api.Role]bool{api.Viewer: !whole, api.Operator: false} {
			ctx := api.WithUser(t.Context(), api.User{Name: "u", Role: role})
			page, err := s.QueryStore(ctx, api.StoreQuery{StoreQuery: admin.StoreQuery{Application: "p.visits", Store: "totals"}})
			data, _ := json.Marshal(page)
			if err != nil || strings.Contains(string(data), "4111") == hides || hides != (len(page.Masked) > 0) || !strings.Contains(string(data), `"total":5`) {
				t.Errorf("%s for a %s: %s, %v", topic, role, data, err)
			}
			app, err := s.StreamsApp(ctx, "p.visits")
			data, _ = json.Marshal(app)
			if err != nil || strings.Contains(string(data), "4111") != (role == api.Operator) {
				t.Errorf("%s for a %s: %s, %v", topic, role, data, err)
			}
			list, err := s.StreamsApps(ctx)
			data, _ = json.Marshal(list)
			if err != nil || strings.Contains(string(data), "4111") != (role == api.Operator) {
				t.Errorf("%s for a %s: %s, %v", topic, role, data, err)
			}
		}
	}
	if data, _ := json.Marshal(anApplication); strings.Count(string(data), "4111") != 3 {
		t.Errorf("the sample was changed: %s", data)
	}
}

// TestHiddenKeysOfStores: where keys are hidden, a store cannot be looked into.
func TestHiddenKeysOfStores(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Topics: []string{"payments"}, Keys: true, Reveal: api.Admin}}, "")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	key := "o1"
	_, err = maskedStreams{f, rules}.QueryStore(api.WithUser(t.Context(), api.User{Name: "u", Role: api.Operator}),
		api.StoreQuery{StoreQuery: admin.StoreQuery{Application: "p.visits", Store: "totals", Key: &key}})
	if !errors.Is(err, api.ErrForbidden) || strings.Contains(strings.Join(f.asked(), " "), "query store") {
		t.Errorf("%v, asked %q", err, f.asked())
	}
}
