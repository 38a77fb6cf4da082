package pages_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/pages"
)

// addresses of all pages, and what an error makes of each: "part" is a notice within
// it, "subject" a page of its own where the error is about the subject, "whole" always.
var addresses = []struct{ path, fails string }{
	{"/", "part"}, {"/services", "part"}, {"/outbox", "part"}, {"/login", "never"}, {"/login?next=/topics&failed=busy", "never"}, {"/help", "never"},
	{"/traces", "subject"}, {"/traces?search=order-1&cursor=x", "subject"}, {"/traces/c1", "subject"},
	{"/topics", "subject"}, {"/topics?search=or&internal=true", "subject"}, {"/topics/shop.orders", "subject"},
	{"/topics/shop.orders?tab=partitions", "subject"}, {"/topics/shop.orders?tab=config", "subject"}, {"/topics/shop.orders?tab=produce", "subject"},
	{"/topics/shop.orders?from=offset&at=3&partition=1&filter=x&full=true&next=n", "subject"},
	{"/groups", "subject"}, {"/groups/shop.payment", "subject"}, {"/groups/foreign", "subject"},
	{"/outbox/payment", "outbox"}, {"/outbox/payment?status=FAILED&key=k&event=e1", "outbox"},
	{"/dead-letters", "subject"}, {"/dead-letters?closed=true", "subject"}, {"/dead-letters/f1", "subject"}, {"/dead-letters/f2?state=open", "subject"}, {"/dead-letters/all", "subject"},
	{"/dead-letters/letter/shop.payment.dead/0/4", "whole"}, {"/dead-letters/letter/shop.payment.dead/1/9", "whole"}, {"/redrives/r1", "whole"},
	{"/services/payment/consumers/payment", "outbox"}, {"/services/payment/consumers/payment?topic=orders&key=k&after=1/3/orders", "outbox"},
	{"/journal", "part"}, {"/journal?service=payment", "outbox"}, {"/journal?prefix=order|4", "part"}, {"/journal?service=payment&type=order&kind=events&prefix=4&after=x", "outbox"},
	{"/journal/payment/order%7C42", "outbox"}, {"/journal/payment/order%7C42?to=2", "outbox"}, {"/journal/payment/order%7C42?tab=state", "outbox"},
	{"/journal/payment/order%7C42?tab=time", "outbox"}, {"/journal/payment/order%7C42?tab=time&at=2&from=1&path=total", "outbox"},
	{"/projections", "part"}, {"/projections/payment/order-view", "subject"}, {"/projections/payment/old-view", "subject"},
	{"/sagas", "subject"}, {"/sagas?service=payment&name=place-order&show=NEEDS_REVIEW&older=10m", "outbox"}, {"/sagas?id=order/1&correlation=c1&after=%7B%22id%22:%22x%22%7D", "subject"},
	{"/sagas/payment/place-order/order%2F1", "outbox"},
	{"/streams", "part"}, {"/streams/shop.visits", "subject"}, {"/streams/shop.visits/stores/totals", "subject"}, {"/streams/shop.visits/stores/totals?key=&prefix=page", "part"}, {"/streams/shop.visits/stores/totals/top", "subject"},
	{"/connectors", "part"}, {"/connectors/orders-source", "subject"}, {"/connectors/orders-sink", "subject"}, {"/connector-plugins", "part"}, {"/connector-plugins/io.debezium.connector.postgresql.PostgresConnector", "subject"},
	{"/broker", "part"}, {"/broker/topics", "subject"}, {"/broker/topics?search=or&internal=true&cursor=x", "subject"}, {"/broker/topics/shop.orders", "subject"}, {"/broker/topics/shop.orders?partition=1", "subject"}, {"/broker/transactions?search=x", "subject"},
	{"/schemas", "subject"}, {"/schemas?search=o&deleted=true", "subject"}, {"/schemas/shop.orders-value", "subject"}, {"/schemas/shop.orders-value?tab=diff", "subject"},
	{"/schemas/shop.orders-value?tab=check", "subject"}, {"/schemas/shop.orders-value?tab=use", "subject"}, {"/schemas/shop.orders-value?tab=settings", "subject"},
	{"/audit", "subject"},
}

func TestEveryPageHasAnAddress(t *testing.T) {
	mux := http.NewServeMux()
	for _, p := range pages.Patterns() {
		mux.Handle("GET "+p.Path, http.NotFoundHandler())
	}
	seen := map[string]bool{}
	for _, a := range addresses {
		_, pattern := mux.Handler(httptest.NewRequest("GET", a.path, nil))
		seen[strings.TrimPrefix(pattern, "GET ")] = true
	}
	for _, p := range pages.Patterns() {
		if !seen[p.Path] {
			t.Errorf("no address of %s is tested", p.Path)
		}
	}
}

// site is a console's pages under test.
type site struct {
	handler http.Handler
	base    string
	open    bool
}

func newSite(f fake, base string, open bool, timeout time.Duration) site {
	engines := f.engines()
	h := pages.New(pages.Config{
		Engines: engines, Base: base, Open: open, Timeout: timeout, Clock: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		Overview: func(ctx context.Context) (api.Overview, error) { return engines.Overview(ctx), nil },
	})
	return site{http.StripPrefix(base, h), base, open}
}

func (s site) get(path string, role api.Role) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", s.base+path, nil)
	user := api.User{Role: role, From: "127.0.0.1"}
	if !s.open && role != "" {
		user.Name = "ann"
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r.WithContext(api.WithUser(r.Context(), user)))
	return w
}

// page is one that answers as it should, and is well made.
func (s site) page(t *testing.T, path string, role api.Role, status int) (*node, string) {
	t.Helper()
	w := s.get(path, role)
	body := w.Body.String()
	where := fmt.Sprintf("%s as %s, base %q", path, role, s.base)
	if w.Code != status {
		t.Fatalf("%s: status %d, want %d:\n%.500s", where, w.Code, status, body)
	}
	root, err := parse(body)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	for _, fault := range faults(root, s.base, role) {
		t.Errorf("%s: %s", where, fault)
	}
	for name, want := range map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": pages.ContentSecurityPolicy} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %s is %q", where, name, got)
		}
	}
	for _, bad := range []string{"%!", "<nil>", "&lt;nil&gt;", "ZgotmplZ", "0001-01-01"} {
		if strings.Contains(body, bad) {
			at := strings.Index(body, bad)
			t.Errorf("%s: %q in …%s…", where, bad, body[max(0, at-80):min(len(body), at+40)])
		}
	}
	return root, body
}

func expected(path string, role api.Role) int {
	if strings.HasPrefix(path, "/audit") && role != api.Admin {
		return http.StatusForbidden
	}
	return http.StatusOK
}

func TestPages(t *testing.T) {
	contents := map[string]fake{
		"samples": {}, "nothing": {change: empty}, "everything": {change: filled},
	}
	for name, f := range contents {
		for base, open := range map[string]bool{"": false, "/pabal": true} {
			t.Run(fmt.Sprintf("%s, base %q, open %v", name, base, open), func(t *testing.T) {
				s := newSite(f, base, open, 0)
				for _, a := range addresses {
					for _, role := range []api.Role{api.Viewer, api.Operator, api.Admin} {
						s.page(t, a.path, role, expected(a.path, role))
					}
				}
			})
		}
	}
}

// TestGroupOfAConsumer: the group has the tenant's prefix, the consumer has not.
func TestGroupOfAConsumer(t *testing.T) {
	root, _ := newSite(fake{}, "", false, 0).page(t, "/groups/shop.payment", api.Viewer, http.StatusOK)
	var links []string
	for _, a := range root.named("main")[0].named("a") {
		links = append(links, a.attr["href"])
	}
	if !slices.Contains(links, "/services/payment/consumers/payment") || slices.Contains(links, "/services/payment/consumers/shop.payment") {
		t.Errorf("the links are %q", links)
	}
}

// TestWhoIsNotLoggedIn is sent to the login, and comes back to where he wanted.
func TestWhoIsNotLoggedIn(t *testing.T) {
	s := newSite(fake{}, "/pabal", false, 0)
	for _, a := range addresses {
		if a.fails == "never" {
			s.page(t, a.path, "", http.StatusOK)
			continue
		}
		w := s.get(a.path, "")
		to := w.Header().Get("Location")
		if w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/pabal/login?next=") {
			t.Fatalf("%s: %d to %q", a.path, w.Code, to)
		}
		root, _ := s.page(t, strings.TrimPrefix(to, "/pabal"), "", http.StatusOK)
		for _, form := range root.with("data-goto") {
			if got, want := form.attr["data-goto"], "/pabal"+a.path; got != want {
				t.Errorf("after the login one gets to %q, not %q", got, want)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		err            error
		subject, whole int
	}{
		{api.ErrInvalid, 400, 400}, {api.ErrForbidden, 403, 403}, {api.ErrNotFound, 404, 404},
		{api.BadField("cursor", "is of another list"), 400, 400},
		{api.ErrUnauthenticated, 200, 503}, {api.ErrConflict, 200, 503}, {api.ErrTooLarge, 200, 503}, {api.ErrBusy, 200, 503}, {api.ErrUnavailable, 200, 503},
		{admin.ErrUnavailable, 200, 503}, {admin.ErrNotFound, 200, 503}, {errors.New("surprise"), 200, 503}, {context.DeadlineExceeded, 200, 503},
	}
	for _, test := range tests {
		s := newSite(fake{fail: fmt.Errorf("%w: of the engine", test.err)}, "", false, 0)
		for _, a := range addresses {
			status := 200
			switch a.fails {
			case "subject", "outbox":
				status = test.subject
			case "whole":
				status = test.whole
			}
			root, body := s.page(t, a.path, api.Admin, status)
			if a.fails == "never" {
				continue
			}
			if !strings.Contains(body, "of the engine") || len(root.all(func(n *node) bool { return n.attr["role"] == "alert" })) == 0 {
				t.Errorf("%s, %v: the page does not say so", a.path, test.err)
			}
			for _, claim := range []string{"holds.", "Nothing waits.", "No open dead letter", "No service has announced", "No topic matches", "No group matches", "No transactions here", "all answer", "no row FAILED", "Nothing in the index"} {
				if strings.Contains(root.text, claim) {
					t.Errorf("%s, %v: the page says %q and does not know", a.path, test.err, claim)
				}
			}
		}
	}
}

// TestHangingEngines: a page is there in time, and says what is missing.
func TestHangingEngines(t *testing.T) {
	s := newSite(fake{hang: true}, "", false, 20*time.Millisecond)
	for _, a := range addresses {
		status := 200
		if a.fails == "whole" {
			status = 503
		}
		begun := time.Now()
		_, body := s.page(t, a.path, api.Admin, status)
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s took %s", a.path, took)
		}
		if a.fails != "never" && !strings.Contains(body, "No answer in time") && !strings.Contains(body, "A part could not be asked") {
			t.Errorf("%s does not say that there was no answer", a.path)
		}
	}
}

const evil = `"><script>alert(1)</script>'{{.}}`

// TestEvilText: whatever the log holds is shown as text.
func TestEvilText(t *testing.T) {
	kept := append(pages.States(), "json", "text", "binary", "null", "STARTED", "FAILED", "COMPLETED", "database", "topic", string(api.Operator), "consume", "record", "outbox", "answer", "request")
	changes := map[string]func(string) string{
		"every text": func(string) string { return evil },
		"every text but states": func(s string) string {
			if s == "" || slices.Contains(kept, s) {
				return s
			}
			return evil
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := newSite(fake{change: func(v reflect.Value) reflect.Value { return mapTexts(v, change) }}, "/pabal", false, 0)
			quoted := "%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%27%7B%7B.%7D%7D"
			paths := []string{"/traces/" + quoted, "/traces?search=" + quoted, "/topics/" + quoted + "?filter=" + quoted, "/topics/x?from=" + quoted + "&at=" + quoted, "/groups/" + quoted,
				"/outbox/" + quoted + "?key=" + quoted + "&event=" + quoted, "/dead-letters/" + quoted + "?search=" + quoted, "/services/" + quoted + "/consumers/" + quoted + "?topic=" + quoted, "/login?next=/" + quoted}
			for _, a := range addresses {
				paths = append(paths, a.path)
			}
			for _, path := range paths {
				for _, role := range []api.Role{api.Viewer, api.Admin} {
					root, body := s.page(t, path, role, expected(path, role))
					if n := len(root.named("script")); n != 2 || strings.Contains(body, "<script>") {
						t.Errorf("%s has %d scripts", path, n)
					}
				}
			}
			for path, status := range map[string]int{"/" + quoted: 404, "/outbox/x?status=" + quoted: 400, "/outbox/x?after=" + quoted: 400, "/services/a/consumers/b?after=" + quoted: 400, "/dead-letters/letter/t/" + quoted + "/1": 400, "/topics/x?partition=" + quoted: 200} {
				if root, _ := s.page(t, path, api.Admin, status); !strings.Contains(root.text, "<script>") {
					t.Errorf("%s does not say what is wrong", path)
				}
			}
		})
	}
}
