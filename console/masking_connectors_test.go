package console

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
)

// TestConnectorsAreMasked: traces may quote records, offsets of snapshots have keys.
func TestConnectorsAreMasked(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Topics: []string{"*"}, Fields: []string{"card"}, Keys: true, Reveal: api.Admin}}, "")
	if err != nil {
		t.Fatal(err)
	}
	m := maskedConnectors{&fake{}, rules}
	for role, hidden := range map[api.Role]bool{api.Viewer: true, api.Admin: false} {
		ctx := api.WithUser(t.Context(), api.User{Role: role})
		list, err1 := m.Connectors(ctx)
		one, err2 := m.Connector(ctx, "orders")
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		text, err := encodeJSON([]any{list, one})
		if err != nil || strings.Contains(string(text), "4111") == hidden || strings.Contains(string(text), `"lsn"`) == hidden {
			t.Errorf("%s sees %s (%v)", role, text, err)
		}
	}
}
