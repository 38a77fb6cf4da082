package pages_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
)

// described is the part of the JSON API's OpenAPI document that forms depend on.
type described struct {
	Paths map[string]map[string]struct {
		Role        string `json:"x-role"`
		RequestBody struct {
			Content map[string]struct {
				Schema schema `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type schema struct {
	Properties map[string]any `json:"properties"`
	Ref        string         `json:"$ref"`
}

// document is the API's description of itself.
func document(t *testing.T) described {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	c, err := console.New(console.Config{Kafka: kafka.Config{Brokers: []string{"127.0.0.1:1"}, Logger: quiet}, DataDir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop(t.Context())
	r := httptest.NewRequest("GET", "http://127.0.0.1/api/v1/openapi.json", nil)
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	var d described
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || len(d.Paths) < 20 {
		t.Fatalf("%d: %v, %d paths: %.300s", w.Code, err, len(d.Paths), w.Body)
	}
	return d
}

// routes has the API's routes as a multiplexer, so that a path finds its own.
func (d described) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for path, methods := range d.Paths {
		for method := range methods {
			mux.Handle(strings.ToUpper(method)+" "+path, http.NotFoundHandler())
		}
	}
	return mux
}

// TestCrawl follows every link from the first page on, and asks for every form's
// route.
func TestCrawl(t *testing.T) {
	d := document(t)
	mux := d.routes()
	for _, base := range []string{"", "/pabal"} {
		s := newSite(fake{}, base, false, 0)
		visited, seen := map[string]bool{}, map[string]bool{}
		queue := []string{base + "/"}
		for len(queue) > 0 {
			at := queue[0]
			queue = queue[1:]
			if visited[at] {
				continue
			}
			visited[at] = true
			if len(visited) > 500 {
				t.Fatalf("there is no end: %q", queue)
			}
			if path, ok := strings.CutPrefix(at, base+"/api/v1"); ok {
				needRoute(t, d, mux, "GET", path, "a link")
				continue
			}
			w := s.get(strings.TrimPrefix(at, base), api.Admin)
			if w.Code >= 400 {
				t.Errorf("%s answers %d", at, w.Code)
				continue
			}
			if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				continue
			}
			root, err := parse(w.Body.String())
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			for _, form := range root.named("form") {
				checkForm(t, d, mux, base, at, form, seen)
				if form.attr["method"] == "get" {
					queue = append(queue, filledIn(form))
				}
			}
			for _, attr := range []string{"href", "src"} {
				for _, n := range root.with(attr) {
					if to, _, _ := strings.Cut(n.attr[attr], "#"); to != "" {
						queue = append(queue, to)
					}
				}
			}
			for _, attr := range []string{"data-live", "data-tail"} {
				for _, n := range root.with(attr) {
					needRoute(t, d, mux, "GET", strings.TrimPrefix(n.attr[attr], base+"/api/v1"), at)
				}
			}
		}
		if len(visited) < 40 {
			t.Errorf("only %d addresses were found", len(visited))
		}
		for _, act := range []string{"/services/{service}/outbox/replay", "/services/{service}/outbox/relay", "/services/{service}/consumers/{consumer}/release", "/redrives", "/redrives/{id}/cancel", "/topics", "/topics/{topic}/messages", "/groups/{group}/reset", "/services/{service}/sagas/{name}/{id}/act", "/connectors", "/connectors/{connector}/config", "/connectors/{connector}/act", "/connectors/{connector}/delete", "/connectors/{connector}/offsets", "/compatibility", "/subjects/{subject}/check", "/subjects/{subject}/compatibility", "/subjects/{subject}/delete", "/logout"} {
			if !seen[act] {
				t.Errorf("no page has a form for %s", act)
			}
		}
	}
}

func needRoute(t *testing.T, d described, mux *http.ServeMux, method, path, where string) string {
	t.Helper()
	_, pattern := mux.Handler(httptest.NewRequest(method, path, nil))
	_, route, _ := strings.Cut(pattern, " ")
	if route == "" || d.Paths[route][strings.ToLower(method)].Role == "" && route != "/login" && route != "/logout" {
		t.Errorf("%s: the API has no %s %s", where, method, path)
	}
	return route
}

// checkForm compares a form that acts with the route it is for: the fields it sends
// are those of the request, and the role it names is the route's.
func checkForm(t *testing.T, d described, mux *http.ServeMux, base, where string, form *node, seen map[string]bool) {
	t.Helper()
	if form.attr["method"] != "post" {
		return
	}
	route := needRoute(t, d, mux, "POST", strings.TrimPrefix(form.attr["action"], base+"/api/v1"), where)
	seen[route] = true
	post := d.Paths[route]["post"]
	known := post.RequestBody.Content["application/json"].Schema
	if known.Ref != "" {
		known = d.Components.Schemas[strings.TrimPrefix(known.Ref, "#/components/schemas/")]
	}
	check := func(name string) {
		if _, ok := known.Properties[name]; !ok && name != "" && !strings.Contains(name, ".") { // "to.at" goes into "to"
			t.Errorf("%s: the form for %s sends %q, which is not in the request: %v", where, route, name, known.Properties)
		}
	}
	if body := form.attr["data-body"]; body != "" {
		var fields map[string]any
		if err := json.Unmarshal([]byte(body), &fields); err != nil {
			t.Errorf("%s: %q: %v", where, body, err)
		}
		for name := range fields {
			check(name)
		}
		return
	}
	for _, n := range form.named("input", "select", "textarea", "button") {
		check(n.attr["name"])
	}
}

// filledIn is where a form that reads leads to, as it stands.
func filledIn(form *node) string {
	values := url.Values{}
	for _, n := range form.named("input") {
		if n.attr["name"] != "" && (n.attr["type"] != "checkbox" || n.has("checked")) {
			values.Set(n.attr["name"], n.attr["value"])
		}
	}
	for _, n := range form.named("select") {
		for _, o := range n.named("option") {
			if o.has("selected") {
				values.Set(n.attr["name"], o.attr["value"])
			}
		}
	}
	action, _, _ := strings.Cut(form.attr["action"], "#")
	return action + "?" + values.Encode()
}
