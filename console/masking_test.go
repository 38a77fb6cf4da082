package console

import (
	"context"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

const payload = `{"card":"4111","total":5}`

// secretService is a service with things to hide.
type secretService struct{ fakeService }

func (secretService) Rows(context.Context, outbox.RowQuery) (admin.RowPage, error) {
	return admin.RowPage{Rows: []outbox.StoredRow{{
		Topic: "orders", Key: "o1", EventID: "e1", CorrelationID: "c1", Payload: []byte(payload),
		Headers: []event.Header{{Key: "token", Value: []byte("4111")}},
	}}}, nil
}

func (secretService) Waiting(context.Context, inbox.WaitingQuery) (admin.WaitingPage, error) {
	return admin.WaitingPage{Waiting: []inbox.StoredWaiting{{Place: inbox.Place{Topic: "orders"}, Key: "o1"}}}, nil
}

type secretServices struct{ *fake }

func (secretServices) At(context.Context, string) (admin.API, error) { return secretService{}, nil }

// TestMasks: what a rule hides is hidden in rows, waiting messages and transactions,
// and whole for the role that may see it.
func TestMasks(t *testing.T) {
	rules, err := mask.New([]mask.Rule{{Topics: []string{"orders"}, Fields: []string{"card"}, Headers: []string{"token"}, Keys: true, Reveal: api.Admin}}, "shop.")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	services, lens := maskedServices{secretServices{f}, rules}, maskedLens{f, rules}
	for _, role := range []api.Role{"", api.Viewer, api.Operator, api.Admin} {
		ctx := api.WithUser(t.Context(), api.User{Role: role})
		s, err := services.At(ctx, "order")
		if err != nil {
			t.Fatal(err)
		}
		rows, err1 := s.Rows(ctx, outbox.RowQuery{Payload: true})
		waiting, err2 := s.Waiting(ctx, inbox.WaitingQuery{})
		trace, err3 := lens.Trace(ctx, "c1")
		found, err4 := lens.Search(ctx, api.TraceQuery{})
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
			t.Fatal(err1, err2, err3, err4)
		}
		row := rows.Rows[0]
		texts := map[string]string{
			"payload": string(row.Payload), "header": string(row.Headers[0].Value), "row's key": row.Key, "waiting key": waiting.Waiting[0].Key,
			"event's key": trace.Hops[0].Event.Key, "keys": trace.Keys[0], "found key": found.Items[0].Key,
		}
		for name, text := range texts {
			whole := strings.Contains(text, "4111") || text == "o1"
			if whole != (role == api.Admin) {
				t.Errorf("%s as %q: %s", name, role, text)
			}
		}
		if !strings.Contains(string(row.Payload), `"total":5`) {
			t.Errorf("too much is hidden: %s", row.Payload)
		}
	}
	if anEvent.Key != "o1" || aTrace.Key != "o1" {
		t.Error("masking changed what the engines keep")
	}
}
