package schemas_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/guard"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/schemas"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/audit"
	"github.com/pabal-dev/pabal/console/auth"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestGuard: nobody without a token, and each role what is its own.
func TestGuard(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	tokens := map[api.Role]string{}
	for _, role := range []api.Role{api.Viewer, api.Operator, api.Admin} {
		token, err := auth.AddToken(path, "the-"+string(role), role, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		tokens[role] = token
	}
	users, err := auth.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s, err := schemas.Start(t.Context(), schemas.Config{
		Kafka: kafkatest.Start(t).Config, Listen: "127.0.0.1:0", Access: &guard.Access{Users: users, Audit: log}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"schema":"\"int\""}`
	for _, c := range []struct {
		method, path, body string
		role               api.Role
		want               int
	}{
		{"GET", "/subjects", "", "", 401},
		{"POST", "/subjects/s/versions", body, "", 401},
		{"POST", "/subjects/s/versions", body, api.Viewer, 403},
		{"POST", "/subjects/s/versions", body, api.Operator, 200},
		{"POST", "/contexts/.x/subjects/s/versions", body, api.Viewer, 403},
		{"POST", "/contexts/.x%2Fcompatibility/subjects/:.:orders-value/versions", body, api.Viewer, 403},
		{"POST", "/contexts/.x%2fcompatibility%2f/subjects/s/versions/", body, api.Viewer, 403},
		{"POST", "//subjects/s/versions", body, api.Viewer, 403},
		{"POST", "/subjects/s/version%73", body, api.Viewer, 403},
		{"POST", "/%73ubjects/s/versions", body, api.Viewer, 403},
		{"POST", "/subjects/compatibility%2F/versions", body, api.Viewer, 403},
		{"POST", "/contexts/.x/compatibility/subjects/s/versions", body, api.Viewer, 200},
		{"GET", "/subjects/s/versions", "", api.Viewer, 200},
		{"POST", "/subjects/s", body, api.Viewer, 200},
		{"POST", "/subjects/s%2Fversions", body, api.Viewer, 404},
		{"POST", "/", "", api.Viewer, 200},
		{"POST", "/compatibility/subjects/s/versions", body, api.Viewer, 200},
		{"PUT", "/config", `{"compatibility":"NONE"}`, api.Operator, 403},
		{"PUT", "/config", `{"compatibility":"NONE"}`, api.Admin, 200},
		{"DELETE", "/subjects/s", "", api.Operator, 403},
		{"DELETE", "/subjects/s", "", api.Admin, 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, s.URL()+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.role != "" {
			r.SetBasicAuth("any", tokens[c.role]) // as clients of registries do
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s %s as %q: %d, want %d", c.method, c.path, c.role, resp.StatusCode, c.want)
		}
	}
	if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(s.URL()); err == nil {
		t.Error("it still listens")
	}
}
