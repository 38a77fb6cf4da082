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
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

const secretKey = "4711-0815"

// oneTrace knows a transaction by its correlation id and by its key.
type oneTrace struct{ api.Lens }

func (oneTrace) Trace(context.Context, string) (api.Trace, error) {
	return api.Trace{
		CorrelationID: "c1", Keys: []string{secretKey},
		Hops: []api.Hop{{ID: "h", Topic: "cards", Event: &api.Event{ID: "e1", Key: secretKey, CorrelationID: "c1"}}},
		Stuck: &api.Stuck{Hop: "h", Cause: api.CauseParked, Explanation: "the key " + secretKey + " is parked", Action: &api.Action{
			Label: "Release " + secretKey, Body: json.RawMessage(`{"key":"` + secretKey + `"}`), Command: "pabal waiting release " + secretKey,
		}},
	}, nil
}

func (oneTrace) Search(context.Context, api.TraceQuery) (api.Page[api.TraceSummary], error) {
	return api.Page[api.TraceSummary]{Items: []api.TraceSummary{{CorrelationID: "c1", Key: secretKey}}, Total: 1}, nil
}

// anyService answers every question with nothing.
type anyService struct{ admin.API }

func (anyService) Rows(context.Context, outbox.RowQuery) (admin.RowPage, error) {
	return admin.RowPage{}, nil
}

func (anyService) Waiting(context.Context, inbox.WaitingQuery) (admin.WaitingPage, error) {
	return admin.WaitingPage{}, nil
}

// TestHiddenKeysAreNotTold: neither a stuck transaction's words nor a search tell a key
// to whom it is hidden.
func TestHiddenKeysAreNotTold(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Topics: []string{"cards"}, Keys: true, Reveal: api.Admin}}, "")
	if err != nil {
		t.Fatal(err)
	}
	lens := maskedLens{oneTrace{}, rules}
	viewer := api.WithUser(t.Context(), api.User{Name: "v", Role: api.Viewer})
	boss := api.WithUser(t.Context(), api.User{Name: "a", Role: api.Admin})

	trace, err := lens.Trace(viewer, "c1")
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := json.Marshal(trace); strings.Contains(string(text), secretKey) || trace.Stuck == nil || trace.Stuck.Action != nil {
		t.Errorf("a viewer reads %s", text)
	}
	if _, err := lens.Trace(viewer, secretKey); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("a viewer finds a transaction by its key: %v", err)
	}
	if page, err := lens.Search(viewer, api.TraceQuery{PageQuery: api.PageQuery{Search: "4711"}}); err != nil || len(page.Items) > 0 || page.Total > 0 {
		t.Errorf("a viewer's search by key: %+v, %v", page, err)
	}
	if page, err := lens.Search(viewer, api.TraceQuery{PageQuery: api.PageQuery{Search: "C1"}}); err != nil || len(page.Items) != 1 {
		t.Errorf("a viewer's search by correlation id: %+v, %v", page, err)
	}
	if trace, err := lens.Trace(boss, secretKey); err != nil || trace.Stuck.Action == nil || trace.Keys[0] != secretKey {
		t.Errorf("an admin's trace: %+v, %v", trace, err)
	}

	service := maskedService{anyService{}, rules}
	if _, err := service.Rows(viewer, outbox.RowQuery{Key: secretKey}); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("a viewer's rows of a key: %v", err)
	}
	if _, err := service.Waiting(viewer, inbox.WaitingQuery{Key: secretKey}); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("a viewer's waiting messages of a key: %v", err)
	}
	if _, err := service.Rows(boss, outbox.RowQuery{Key: secretKey}); err != nil {
		t.Errorf("an admin's rows of a key: %v", err)
	}
}
