package connectors_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/connectors"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/guard"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/audit"
	"github.com/pabal-dev/pabal/console/auth"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// guarded is an API that wants to know who asks.
type guarded struct {
	*connectors.Server
	audit  *audit.Log
	tokens map[api.Role]string
}

const password = "open sesame, please"

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{tokens: map[api.Role]string{}}
	path := filepath.Join(t.TempDir(), "users")
	if err := auth.AddUser(path, "ann", api.Viewer, password); err != nil {
		t.Fatal(err)
	}
	for _, role := range []api.Role{api.Viewer, api.Operator, api.Admin} {
		token, err := auth.AddToken(path, "the-"+string(role), role, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		g.tokens[role] = token
	}
	users, err := auth.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if g.audit, err = audit.Open(""); err != nil {
		t.Fatal(err)
	}
	k := kafkatest.Start(t)
	if g.Server, err = connectors.Start(t.Context(), connectors.Config{
		Kafka: k.Config, Listen: "127.0.0.1:0", Access: &guard.Access{Users: users, Audit: g.audit}, Logger: slog.New(slog.DiscardHandler),
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := g.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return g
}

// ask returns the status and the body.
func (g *guarded) ask(t *testing.T, client *http.Client, method, path, body string, as func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if as != nil {
		as(r)
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// TestGuard: nobody without a token or password, and each role what is its own.
func TestGuard(t *testing.T) {
	g := startGuarded(t)
	token := func(role api.Role) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+g.tokens[role]) }
	}
	basic := func(name, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(name, password) }
	}
	config := `{"name":"lines","config":{"connector.class":"FileStreamSource","file":"/no/such/file","topic":"lines","password":"opensesame"}}`
	testenv.Wait(t, "the worker to lead", time.Minute, func() bool {
		status, _ := g.ask(t, g.Client(), http.MethodPost, "/connectors", config, nil) // as the console does
		return status == http.StatusCreated
	})
	for _, c := range []struct {
		name, method, path, body string
		as                       func(*http.Request)
		want                     int
	}{
		{"nobody", "GET", "/connectors", "", nil, 401},
		{"nobody changes", "DELETE", "/connectors/lines", "", nil, 401},
		{"a wrong token", "GET", "/", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 401},
		{"a wrong password", "GET", "/", "", basic("ann", "x"), 401},
		{"a password", "GET", "/connectors", "", basic("ann", password), 200},
		{"a token as password", "GET", "/connectors", "", basic("any", g.tokens[api.Viewer]), 200},
		{"a viewer reads", "GET", "/connectors/lines/status", "", token(api.Viewer), 200},
		{"a viewer pauses", "PUT", "/connectors/lines/pause", "", token(api.Viewer), 403},
		{"an operator pauses", "PUT", "/connectors/lines/pause/", "", token(api.Operator), 202},
		{"an operator deletes", "DELETE", "/connectors/lines", "", token(api.Operator), 403},
		{"an operator names a connector pause", "PUT", "/connectors/pause", "", token(api.Operator), 403},
		{"an operator changes", "PUT", "/connectors/lines/config", "{}", token(api.Operator), 403},
		{"an admin", "PUT", "/connectors/lines/config", `{"connector.class":"FileStreamSource","file":"/x","topic":"y","password":"opensesame"}`, token(api.Admin), 200},
		{"an admin who errs", "POST", "/connectors", config, token(api.Admin), 409},
	} {
		if status, body := g.ask(t, http.DefaultClient, c.method, c.path, c.body, c.as); status != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, status, body, c.want)
		}
	}
	page, err := g.audit.Entries(t.Context(), api.PageQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range page.Items {
		told = append(told, e.User+" "+e.Act+" "+e.Target+" "+e.Detail+" "+e.Outcome)
	}
	text := strings.Join(told, "\n")
	for _, want := range []string{
		"the-operator connectors PUT /connectors/lines/pause/", "the-admin connectors PUT /connectors/lines/config connector.class file password topic begun",
		"the-admin connectors PUT /connectors/lines/config connector.class file password topic done", "config.password config.topic name 409 Conflict",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the audit log has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "opensesame") || strings.Contains(text, "the-viewer") {
		t.Errorf("the audit log has more than it should:\n%s", text)
	}
}
