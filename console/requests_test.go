package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
)

func TestBadRequestsSayWhatIsWrong(t *testing.T) {
	s := newSite(t, false)
	tests := []struct {
		method, path, body string
		status             int
		want               string // part of the detail
		field              string
	}{
		{"GET", "topics?serach=x", "", 400, "allowed are search, cursor, limit, internal", "serach"},
		{"GET", "topics?limit=many", "", 400, `"many" is not a whole number`, "limit"},
		{"GET", "topics?limit=99999999999999999999", "", 400, "whole number", "limit"},
		{"GET", "topics?limit=1&limit=2", "", 400, "given 2 times", "limit"},
		{"GET", "topics?internal=perhaps", "", 400, "neither true nor false", "internal"},
		{"GET", "topics?a=%zz", "", 400, "not well written", ""},
		{"GET", "topics?a;b", "", 400, "not well written", ""},
		{"GET", "me?a=b", "", 400, "no parameters are allowed", "a"},
		{"GET", "topics/orders/messages?topic=other", "", 400, "not known here", "topic"},
		{"GET", "topics/orders/messages?partition=9999999999", "", 400, "32 bits", "partition"},
		{"GET", "topics/orders/tail?nope=1", "", 400, "not known here", "nope"},
		{"GET", "dead-letters/letters/t/x/1", "", 400, "whole number", "partition"},
		{"GET", "dead-letters/letters/t/0/-", "", 400, "whole number", "offset"},
		{"GET", "services/payment/consumers/c/waiting?after=7", "", 400, "JSON", "after"},
		{"GET", "services/payment/entities/order%7C1/changes?path=a..b", "", 400, "begin with a name", "path"},
		{"GET", "services/payment/entities/order%7C1/changes?path=a[x", "", 400, "[0] for an element", "path"},
		{"GET", "services/payment/entities/order%7C1/changes?path=a&before=-1", "", 400, "no number", "before"},
		{"GET", "services/payment/entities/order%7C1/diff?from=3&to=2", "", 400, "not within 0 and 2", "from"},
		{"GET", "services/payment/entities/order%7C1/diff?from=x", "", 400, "whole number", "from"},
		{"POST", "services/payment/projections/order-view/rebuild", `{"step":"swap"}`, 400, "own request", "step"},
		{"POST", "services/payment/projections/order-view/reset", `{"projection":"other"}`, 400, "order-view in the path", "projection"},
		{"GET", "services/nobody", "", 404, "no service", ""},
		{"GET", "nothing", "", 404, "openapi.json", ""},
		{"GET", "", "", 404, "openapi.json", ""},
		{"DELETE", "topics/orders", "", 405, "GET", ""},
		{"GET", "logout", "", 405, "POST", ""},
		{"PUT", "topics", "{}", 405, "GET, POST", ""},
		{"POST", "topics", "", 400, "empty", ""},
		{"POST", "topics", "{", 400, "JSON", ""},
		{"POST", "topics", `{"name":"a"}{"name":"b"}`, 400, "goes on", ""},
		{"POST", "topics", `{"name":"a","nmae":"b"}`, 400, "allowed are name, partitions", "nmae"},
		{"POST", "topics", `{"name":7}`, 400, "must be a string", "name"},
		{"POST", "topics", `{"name":"a","partitions":"four"}`, 400, "whole number", "partitions"},
		{"POST", "topics", `["a"]`, 400, "JSON", ""},
		{"POST", "topics", `null`, 400, "", ""},
		{"POST", "topics?name=a", `{"name":"a"}`, 400, "no parameters", "name"},
		{"POST", "topics/orders/messages", `{"topic":"other"}`, 400, "orders in the path", "topic"},
		{"POST", "topics/orders/messages", `{"valueBase64":"%%%"}`, 400, "JSON it should be", ""},
		{"POST", "services/payment/outbox/relay", `{"paused":true}`, 400, "required", "reason"},
		{"POST", "services/payment/outbox/replay", `{}`, 400, "all", "ids"},
		{"POST", "services/payment/outbox/replay", `{"ids":[1],"all":true}`, 400, "not both", "ids"},
		{"POST", "connectors/orders/act", `{"do":"explode"}`, 400, "one of pause, resume, stop, restart", "do"},
		{"POST", "connectors/orders/act", `{"do":"pause","failedOnly":true}`, 400, "whole connector", "do"},
		{"POST", "connectors/orders/offsets", `{"connector":"orders"}`, 400, "not both", "offsets"},
		{"POST", "connectors/orders/offsets", `{"reset":true,"offsets":[{"partition":{},"offset":null}]}`, 400, "not both", "offsets"},
		{"POST", "topics/orders/messages", `{"value":"` + strings.Repeat("x", 10<<20) + `"}`, 413, "2097152 bytes", ""},
		{"POST", "topics", strings.Repeat("[", 100_000), 400, "JSON", ""},
		{"GET", "traces/" + strings.Repeat("x", 10_000) + "?bad=1", "", 400, "not known", "bad"},
	}
	for _, test := range tests {
		if test.body == "null" {
			continue // an empty topic is the engine's to refuse
		}
		var body []byte
		if test.body != "" || test.method == "POST" {
			body = []byte(test.body)
		}
		a := s.send(t, test.method, apiRoot+test.path, body)
		p := a.problem(t)
		if a.status != test.status || !strings.Contains(p.Detail, test.want) {
			t.Errorf("%s %.60s %.60s: %d %s, want %d with %q", test.method, test.path, test.body, a.status, a.body, test.status, test.want)
		}
		if test.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != test.field) {
			t.Errorf("%s %s: %+v, want the field %s", test.method, test.path, p.Errors, test.field)
		}
		if len(a.body) > 1000 {
			t.Errorf("%s %.60s: an answer of %d bytes", test.method, test.path, len(a.body))
		}
	}
	if asked := s.asked(); slices.ContainsFunc(asked, func(c string) bool { return strings.HasPrefix(c, "produce") || strings.HasPrefix(c, "create") }) {
		t.Errorf("bad requests reached the engines: %v", asked)
	}
}

func TestContentTypes(t *testing.T) {
	s := newSite(t, false)
	for media, status := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200,
		"": 400, "text/plain": 400, "application/x-www-form-urlencoded": 400, "multipart/form-data; boundary=x": 400, "application/json; charset": 400,
	} {
		if a := s.post(t, apiRoot+"topics", `{"name":"a"}`, "Content-Type", media); a.status != status {
			t.Errorf("%q: %d %s", media, a.status, a.body)
		}
	}
}

func TestPathTricks(t *testing.T) {
	s := newSite(t, false)
	for _, path := range []string{
		apiRoot + "topics/../audit", apiRoot + "topics//orders", apiRoot + "./topics", "/static/../api/v1/audit", "//evil.example/",
		apiRoot + "topics/a%00b", "/topics/../metrics", "/a/./b",
	} {
		a := s.get(t, path)
		if a.status != 400 && a.status != 404 || a.header.Get("Location") != "" {
			t.Errorf("%s: %d %s", path, a.status, a.header.Get("Location"))
		}
	}
	// What is escaped is a name, not a path.
	if a := s.get(t, apiRoot+"topics/..%2Faudit"); a.status != 200 || !slices.Contains(s.asked(), "topic ../audit") {
		t.Errorf("%d, asked %v", a.status, s.asked())
	}
}

// TestRoles tries every route in every role.
func TestRoles(t *testing.T) {
	s := newSite(t, true)
	for _, rt := range routes {
		if rt.media != "" {
			continue
		}
		for _, role := range []api.Role{"", api.Viewer, api.Operator, api.Admin} {
			s.set(func(f *fake) { f.calls = nil })
			a := s.example(t, rt, bearer(s.tokens[role])...)
			want := http.StatusOK
			switch {
			case rt.role == "" || role.Includes(rt.role):
			case role == "":
				want = http.StatusUnauthorized
			default:
				want = http.StatusForbidden
			}
			if a.status != want {
				t.Errorf("%s %s as %q: %d, want %d: %s", rt.method, rt.pattern, role, a.status, want, a.body)
			}
			if want != http.StatusOK {
				a.problem(t)
				if asked := s.asked(); len(asked) > 0 {
					t.Errorf("%s %s as %q: refused, but the engines were asked %v", rt.method, rt.pattern, role, asked)
				}
			}
		}
	}
}

// TestWhoMayWhat pins the roles themselves.
func TestWhoMayWhat(t *testing.T) {
	want := map[string]api.Role{
		"GET audit": api.Admin, "POST topics": api.Admin, "POST topics/{topic}/messages": api.Admin, "POST groups/{group}/reset": api.Admin,
		"POST services/{service}/consumers/{consumer}/replay": api.Admin, "POST services/{service}/projections/{projection}/reset": api.Admin,
		"POST services/{service}/projections/{projection}/swap": api.Admin, "POST connectors": api.Admin, "POST connectors/{connector}/config": api.Admin,
		"POST connectors/{connector}/delete": api.Admin, "POST connectors/{connector}/offsets": api.Admin, "POST login": "", "POST logout": "",
		"POST subjects/{subject}/check": api.Viewer, "POST compatibility": api.Admin, "POST subjects/{subject}/compatibility": api.Admin, "POST subjects/{subject}/delete": api.Admin,
	}
	for _, rt := range routes {
		role, special := want[rt.method+" "+rt.pattern]
		if !special {
			role = map[string]api.Role{"GET": api.Viewer, "POST": api.Operator}[rt.method]
		}
		if rt.role != role {
			t.Errorf("%s %s is for %q, want %q", rt.method, rt.pattern, rt.role, role)
		}
	}
}

// TestActsAreRecorded: begun before the act, the outcome after it, nothing for a dry
// run, no payloads, and no act without a record.
func TestActsAreRecorded(t *testing.T) {
	s := newSite(t, true)
	for _, rt := range routes {
		if rt.method != http.MethodPost || rt.role == "" || strings.HasPrefix(rt.pattern, "redrives") { // that engine records itself
			continue
		}
		name := rt.method + " " + rt.pattern
		s.set(func(f *fake) { f.calls, f.audit, f.broken, f.fail = nil, nil, nil, nil })
		s.example(t, rt, bearer(s.tokens[api.Admin])...)
		calls, entries := s.asked(), s.recorded()
		if strings.Contains(examples[name].body, "dryRun") || strings.HasSuffix(rt.pattern, "/check") { // which changes nothing
			if len(entries) > 0 {
				t.Errorf("%s: a dry run is recorded: %+v", name, entries)
			}
			continue
		}
		if len(entries) != 2 || entries[0].Outcome != "begun" || entries[1].Outcome != "done" || !strings.HasPrefix(calls[0], "record") || !strings.HasPrefix(calls[len(calls)-1], "record") {
			t.Errorf("%s: %v, %+v", name, calls, entries)
			continue
		}
		for _, e := range entries {
			if e.User != "ci-admin" || e.Role != api.Admin || e.From != "127.0.0.1" || e.At.IsZero() || e.Act == "" || e.Target == "" || strings.Contains(e.Detail, `"v"`) || strings.Contains(e.Detail, "hunter2") {
				t.Errorf("%s: %+v", name, e)
			}
		}

		s.set(func(f *fake) { f.audit, f.fail = nil, fmt.Errorf("%w: not now", api.ErrConflict) })
		if a := s.example(t, rt, bearer(s.tokens[api.Admin])...); a.status != http.StatusConflict {
			t.Errorf("%s that fails: %d %s", name, a.status, a.body)
		}
		if entries := s.recorded(); len(entries) != 2 || !strings.Contains(entries[1].Outcome, "not now") {
			t.Errorf("%s that fails: %+v", name, entries)
		}

		s.set(func(f *fake) { f.calls, f.broken, f.fail = nil, errBroken, nil })
		a := s.example(t, rt, bearer(s.tokens[api.Admin])...)
		if p := a.problem(t); a.status != http.StatusServiceUnavailable || !strings.Contains(p.Detail, "nothing was done") || len(s.asked()) > 0 {
			t.Errorf("%s without audit log: %d %s, asked %v", name, a.status, a.body, s.asked())
		}
	}
}

func TestDetailHasNoPayloads(t *testing.T) {
	secret := "4111 1111"
	got := detail(api.ProduceRequest{Topic: "t", Key: "k", Value: secret, Headers: map[string]string{"h": secret}, ValueBase64: []byte(secret)}) +
		detail(api.RedriveRequest{IDs: []string{"a"}, Value: &secret})
	if strings.Contains(got, "4111") || strings.Contains(got, "NDExMQ") || !strings.Contains(got, `"key":"k"`) {
		t.Error(got)
	}
	if got := detail(api.RedriveRequest{IDs: slices.Repeat([]string{"topic/1/2"}, 10_000)}); len(got) > maxDetail {
		t.Errorf("%d bytes", len(got))
	}
}
