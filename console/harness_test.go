package console

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/auth"
)

// site is a console over fakes that listens on loopback.
type site struct {
	*fake
	console *Console
	url     string // without a slash at its end
	tokens  map[api.Role]string
}

// newSite is open, or has a token for every role and the user ann, an operator, where
// it has users.
func newSite(t *testing.T, withUsers bool, change ...func(*access)) *site {
	t.Helper()
	s := &site{fake: &fake{}, tokens: map[api.Role]string{}}
	a := access{logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if withUsers {
		a.users = s.users(t)
	}
	for _, c := range change {
		c(&a)
	}
	c, err := newWith(s.engines(), a)
	if err != nil {
		t.Fatal(err)
	}
	s.console = c
	server := httptest.NewServer(c)
	t.Cleanup(func() {
		c.EndStreams()
		server.Close()
	})
	s.url = server.URL + c.base
	return s
}

const annsPassword = "correct horse"

func (s *site) users(t *testing.T) *auth.Users {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	// A hash of one iteration: real ones cost seconds under the race detector.
	salt := []byte("a salt of tests")
	key, err := pbkdf2.Key(sha256.New, annsPassword, salt, 1, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	ann := fmt.Sprintf("ann:operator:pbkdf2-sha256$1$%s$%s\n", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
	if err := os.WriteFile(path, []byte(ann), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, role := range []api.Role{api.Viewer, api.Operator, api.Admin} {
		token, err := auth.AddToken(path, "ci-"+string(role), role, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		s.tokens[role] = token
	}
	users, err := auth.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return users
}

func (s *site) client(t *testing.T, role api.Role) *api.Client {
	t.Helper()
	c, err := api.NewClient(api.ClientConfig{URL: s.url, Token: s.tokens[role]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) problem(t *testing.T) api.Problem {
	t.Helper()
	var p api.Problem
	if a.header.Get("Content-Type") != api.ProblemType || json.Unmarshal(a.body, &p) != nil || p.Status != a.status || p.Title == "" || !strings.HasPrefix(p.Type, "urn:pabal:problem:") {
		t.Errorf("%d %s %s is no problem", a.status, a.header.Get("Content-Type"), a.body)
	}
	return p
}

// send sends a request without following redirects.
func (s *site) send(t *testing.T, method, path string, body []byte, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, data}
}

func (s *site) get(t *testing.T, path string, headers ...string) answer {
	t.Helper()
	return s.send(t, http.MethodGet, path, nil, headers...)
}

func (s *site) post(t *testing.T, path, body string, headers ...string) answer {
	t.Helper()
	return s.send(t, http.MethodPost, path, []byte(body), headers...)
}

func bearer(token string) []string {
	if token == "" {
		return nil
	}
	return []string{"Authorization", "Bearer " + token}
}

// examples are a request for every route: path below the API, and body.
var examples = map[string]struct{ path, body string }{
	"GET overview":                          {"overview", ""},
	"GET me":                                {"me", ""},
	"GET openapi.json":                      {"openapi.json", ""},
	"GET audit":                             {"audit?search=a&limit=5", ""},
	"POST login":                            {"login", `{"user":"ann","password":"` + annsPassword + `"}`},
	"POST logout":                           {"logout", `{}`},
	"GET cluster":                           {"cluster", ""},
	"GET topics":                            {"topics?search=o&internal=true", ""},
	"GET topics/{topic}":                    {"topics/orders", ""},
	"GET topics/{topic}/messages":           {"topics/orders/messages?partition=0&from=earliest&filter=key:x&full=true", ""},
	"GET topics/{topic}/tail":               {"topics/orders/tail", ""},
	"GET events":                            {"events", ""},
	"POST topics":                           {"topics", `{"name":"new","config":{"cleanup.policy":"compact"}}`},
	"POST topics/{topic}/messages":          {"topics/orders/messages", `{"key":"k","value":"v","headers":{"h":"x"}}`},
	"GET broker":                            {"broker", ""},
	"GET broker/topics":                     {"broker/topics?search=o&internal=true", ""},
	"GET broker/topics/{topic}":             {"broker/topics/a%2Fb", ""},
	"GET broker/transactions":               {"broker/transactions?limit=5", ""},
	"GET groups":                            {"groups", ""},
	"GET groups/{group}":                    {"groups/a%2Fb", ""},
	"POST groups/{group}/reset":             {"groups/payment/reset", `{"topic":"orders","to":"earliest","dryRun":true}`},
	"GET connectors":                        {"connectors", ""},
	"GET connectors/{connector}":            {"connectors/a%2Fb", ""},
	"GET connector-plugins":                 {"connector-plugins", ""},
	"GET connector-plugins/{class}":         {"connector-plugins/io.x.Y", ""},
	"POST connectors":                       {"connectors", `{"connector":"orders","config":{"connector.class":"x","database.password":"hunter2"}}`},
	"POST connectors/{connector}/config":    {"connectors/orders/config", `{"config":{"connector.class":"x"}}`},
	"POST connectors/{connector}/act":       {"connectors/orders/act", `{"do":"restart","task":0}`},
	"POST connectors/{connector}/delete":    {"connectors/orders/delete", `{}`},
	"POST connectors/{connector}/offsets":   {"connectors/orders/offsets", `{"reset":true}`},
	"GET subjects":                          {"subjects?search=o&deleted=true", ""},
	"GET subjects/{subject}":                {"subjects/a%2Fb?version=2", ""},
	"GET subjects/{subject}/diff":           {"subjects/a%2Fb/diff?from=1&to=2", ""},
	"GET subjects/{subject}/use":            {"subjects/a%2Fb/use", ""},
	"POST subjects/{subject}/check":         {"subjects/orders-value/check", `{"text":"{}"}`},
	"POST compatibility":                    {"compatibility", `{"level":"FULL"}`},
	"POST subjects/{subject}/compatibility": {"subjects/orders-value/compatibility", `{"level":"FULL"}`},
	"POST subjects/{subject}/delete":        {"subjects/orders-value/delete", `{"version":1}`},
	"GET services":                          {"services", ""},
	"GET services/{service}":                {"services/payment", ""},
	"GET services/{service}/outbox/rows":    {"services/payment/outbox/rows?status=FAILED&eventIds=a&eventIds=b&payload=true", ""},
	"GET services/{service}/consumers/{consumer}/waiting":     {`services/payment/consumers/payment/waiting?after=%7B%22topic%22:%22orders%22,%22partition%22:1,%22offset%22:2%7D`, ""},
	"GET services/{service}/consumers/{consumer}/positions":   {"services/payment/consumers/payment/positions", ""},
	"GET services/{service}/consumers/{consumer}/marks":       {"services/payment/consumers/payment/marks?ids=a", ""},
	"POST services/{service}/outbox/replay":                   {"services/payment/outbox/replay", `{"ids":[1,2]}`},
	"POST services/{service}/outbox/relay":                    {"services/payment/outbox/relay", `{"paused":true,"reason":"because"}`},
	"POST services/{service}/consumers/{consumer}/release":    {"services/payment/consumers/payment/release", `{"topic":"orders","key":"o1"}`},
	"POST services/{service}/consumers/{consumer}/replay":     {"services/payment/consumers/payment/replay", `{"topic":"orders","partition":1,"offset":3}`},
	"GET services/{service}/entity-types":                     {"services/payment/entity-types", ""},
	"GET services/{service}/entities":                         {"services/payment/entities?type=order&prefix=1&limit=5", ""},
	"GET services/{service}/entities/{persistenceId}":         {"services/payment/entities/order%7C1", ""},
	"GET services/{service}/entities/{persistenceId}/events":  {"services/payment/entities/order%7C1/events?from=2&to=3", ""},
	"GET services/{service}/entities/{persistenceId}/states":  {"services/payment/entities/order%7C1/states?from=1&to=3", ""},
	"GET services/{service}/entities/{persistenceId}/diff":    {"services/payment/entities/order%7C1/diff?to=2", ""},
	"GET services/{service}/entities/{persistenceId}/changes": {"services/payment/entities/order%7C1/changes?path=total", ""},
	"GET projections":                                          {"projections", ""},
	"GET services/{service}/projections":                       {"services/payment/projections", ""},
	"POST services/{service}/projections/{projection}/pause":   {"services/payment/projections/order-view/pause", `{"paused":true}`},
	"POST services/{service}/projections/{projection}/reset":   {"services/payment/projections/order-view/reset", `{"to":"beginning"}`},
	"POST services/{service}/projections/{projection}/rebuild": {"services/payment/projections/order-view/rebuild", `{"step":"compare"}`},
	"POST services/{service}/projections/{projection}/swap":    {"services/payment/projections/order-view/swap", `{}`},
	"GET sagas":                                             {`sagas?name=place-order&status=RUNNING&status=NEEDS_REVIEW&startedBefore=2026-01-31T12:00:00Z&after=%7B%22id%22:%22o1%22%7D&limit=5`, ""},
	"GET saga-counts":                                       {"saga-counts", ""},
	"GET services/{service}/saga-counts":                    {"services/payment/saga-counts", ""},
	"GET services/{service}/sagas":                          {"services/payment/sagas?correlationId=c1", ""},
	"GET services/{service}/sagas/{name}/{id}":              {"services/payment/sagas/place-order/o%2F1", ""},
	"GET streams":                                           {"streams", ""},
	"GET streams/{application}":                             {"streams/p.visits", ""},
	"GET streams/{application}/stores/{store}":              {"streams/p.visits/stores/totals?key=o%2F1&stale=true&limit=5", ""},
	"POST streams/{application}/pause":                      {"streams/p.visits/pause", `{"paused":true}`},
	"POST streams/{application}/reset":                      {"streams/p.visits/reset", `{"to":"beginning"}`},
	"POST services/{service}/sagas/{name}/{id}/act":         {"services/payment/sagas/place-order/o1/act", `{"do":"retry","step":"pay","reason":"mended","revision":7}`},
	"GET traces":                                            {"traces?search=o1", ""},
	"GET traces/{id}":                                       {"traces/o1", ""},
	"GET lens":                                              {"lens", ""},
	"GET violations":                                        {"violations", ""},
	"GET dead-letters":                                      {"dead-letters?closed=true", ""},
	"GET dead-letters/letters":                              {"dead-letters/letters?fingerprint=f1&state=open", ""},
	"GET dead-letters/letters/{topic}/{partition}/{offset}": {"dead-letters/letters/payment.dead/0/4", ""},
	"GET redrives":                                          {"redrives", ""},
	"GET redrives/{id}":                                     {"redrives/r1", ""},
	"POST redrives":                                         {"redrives", `{"fingerprint":"f1","perSecond":10.5,"reason":"fixed"}`},
	"POST redrives/{id}/cancel":                             {"redrives/r1/cancel", ``},
}

// example is the request of a route.
func (s *site) example(t *testing.T, rt route, headers ...string) answer {
	t.Helper()
	e, ok := examples[rt.method+" "+rt.pattern]
	if !ok {
		t.Fatalf("%s %s has no example", rt.method, rt.pattern)
	}
	var body []byte
	if e.body != "" {
		body = []byte(e.body)
	}
	return s.send(t, rt.method, apiRoot+e.path, body, headers...)
}

// eventually waits for a state.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after a minute: %s", what)
		}
	}
}

func parsed(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// silentListener takes connections and never says anything.
func silentListener(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(io.Discard, conn) // until the other end goes
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}
