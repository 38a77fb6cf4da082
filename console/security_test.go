package console

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
)

// TestForeignRequests: names that lead here by DNS, and what other sites' pages make a
// browser send.
func TestForeignRequests(t *testing.T) {
	tests := []struct {
		name         string
		open, users  int // status without and with users
		method, path string
		headers      []string
	}{
		{"as it should be", 200, 200, "GET", "/api/v1/me", nil},
		{"localhost", 200, 200, "GET", "/api/v1/me", []string{"Host", "localhost:8080"}},
		{"IPv6", 200, 200, "GET", "/api/v1/me", []string{"Host", "[::1]:8080"}},
		{"allowed", 200, 200, "GET", "/api/v1/me", []string{"Host", "Console.Example.org."}},
		{"rebound", 403, 403, "GET", "/api/v1/me", []string{"Host", "evil.example"}},
		{"rebound page", 403, 403, "GET", "/", []string{"Host", "evil.example:8080"}},
		{"rebound metrics", 403, 403, "GET", "/metrics", []string{"Host", "evil.example"}},
		{"like localhost", 403, 403, "GET", "/api/v1/me", []string{"Host", "localhost.evil.example"}},
		{"like an allowed one", 403, 403, "GET", "/api/v1/me", []string{"Host", "xconsole.example.org"}},
		{"another address", 403, 200, "GET", "/api/v1/me", []string{"Host", "192.0.2.7:8080"}},
		{"through a proxy", 403, 200, "GET", "/api/v1/me", []string{"X-Forwarded-For", "192.0.2.7"}},
		{"probe under any name", 200, 200, "GET", "/livez", []string{"Host", "10.0.0.1"}},
		{"fetch by another site", 403, 403, "GET", "/api/v1/me", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}},
		{"fetch by another port", 403, 403, "GET", "/api/v1/me", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"}},
		{"own fetch", 200, 200, "GET", "/api/v1/me", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"}},
		{"link to the API", 403, 403, "GET", "/api/v1/me", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}},
		{"link to a page", 200, 200, "GET", "/help", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}},
		{"page in a frame", 403, 403, "GET", "/help", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}},
		{"own act", 200, 200, "POST", "/api/v1/topics", []string{"Sec-Fetch-Site", "same-origin"}},
		{"program's act", 200, 200, "POST", "/api/v1/topics", nil},
		{"act of another site", 403, 403, "POST", "/api/v1/topics", []string{"Sec-Fetch-Site", "cross-site"}},
		{"act of another origin", 403, 403, "POST", "/api/v1/topics", []string{"Origin", "https://evil.example"}},
		{"act of no origin", 403, 403, "POST", "/api/v1/topics", []string{"Origin", "null"}},
		{"act through a proxy", 200, 200, "POST", "/api/v1/topics", []string{"Origin", "https://console.example.org"}},
		{"login of another site", 403, 403, "POST", "/api/v1/login", []string{"Origin", "https://evil.example", "Content-Type", "application/x-www-form-urlencoded"}},
	}
	for _, withUsers := range []bool{false, true} {
		s := newSite(t, withUsers, func(a *access) { a.allowedHosts = []string{"console.example.org"} })
		for _, test := range tests {
			want := test.open
			if withUsers {
				want = test.users
			}
			var body []byte
			if test.method == http.MethodPost {
				body = []byte(`{"name":"x"}`)
			}
			before := len(s.recorded())
			a := s.send(t, test.method, test.path, body, append(bearer(s.tokens[api.Admin]), test.headers...)...)
			if a.status != want {
				t.Errorf("%s (users: %v): %d, want %d: %s", test.name, withUsers, a.status, want, a.body)
			}
			if want == http.StatusForbidden && len(s.recorded()) != before {
				t.Errorf("%s: it was done", test.name)
			}
			if a.header.Get("Content-Security-Policy") == "" || a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: headers %v", test.name, a.header)
			}
		}
	}
}

// TestOpenConsoleIsForItsMachine: mounted in a server that others reach, it still
// answers loopback only.
func TestOpenConsoleIsForItsMachine(t *testing.T) {
	s := newSite(t, false)
	for remote, status := range map[string]int{"127.0.0.1:5": 200, "[::1]:5": 200, "192.0.2.1:5": 403, "": 403, "[fe80::1%eth0]:5": 403} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/api/v1/me", nil)
		r.RemoteAddr = remote
		w := httptest.NewRecorder()
		s.console.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%q: %d, want %d", remote, w.Code, status)
		}
	}
}

func TestLogin(t *testing.T) {
	s := newSite(t, true, func(a *access) { a.base = "/pabal" })
	if a := s.get(t, "/api/v1/me"); a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
		t.Errorf("nobody: %d %v", a.status, a.header)
	}
	a := s.post(t, "/api/v1/login", `{"user":"ann","password":"`+annsPassword+`"}`)
	if a.status != http.StatusOK || !strings.Contains(string(a.body), `"role":"operator"`) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	cookie := a.header.Get("Set-Cookie")
	for _, want := range []string{"Path=/pabal/", "HttpOnly", "SameSite=Strict", "Max-Age="} {
		if !strings.Contains(cookie, want) || strings.Contains(cookie, "Secure") {
			t.Errorf("the cookie %q has no %s", cookie, want)
		}
	}
	session, _, _ := strings.Cut(cookie, ";")
	if a := s.get(t, "/api/v1/me", "Cookie", session); a.status != http.StatusOK || !strings.Contains(string(a.body), `"user":"ann"`) {
		t.Errorf("with the session: %d %s", a.status, a.body)
	}
	if a := s.post(t, "/api/v1/topics", `{"name":"x"}`, "Cookie", session); a.status != http.StatusForbidden {
		t.Errorf("an operator creates a topic: %d", a.status)
	}
	if e := s.recorded(); len(e) != 1 || e[0].Act != "login" || e[0].User != "ann" {
		t.Errorf("recorded %+v", e)
	}
	out := s.post(t, "/api/v1/logout", "", "Cookie", session)
	if out.status != http.StatusOK || !strings.Contains(out.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("logout: %d %v", out.status, out.header)
	}
	if a := s.get(t, "/api/v1/me", "Cookie", session); a.status != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", a.status)
	}
	if a := s.post(t, "/api/v1/login", `{"user":"ann","password":"wrong"}`); a.status != http.StatusUnauthorized {
		t.Errorf("wrong password: %d %s", a.status, a.body)
	}
	if a := s.get(t, "/api/v1/me", "Authorization", "Basic YTpi"); a.status != http.StatusUnauthorized {
		t.Errorf("basic: %d", a.status)
	}
	proxied := s.post(t, "/api/v1/login", `{"user":"ann","password":"`+annsPassword+`"}`, "X-Forwarded-Proto", "https")
	if !strings.Contains(proxied.header.Get("Set-Cookie"), "Secure") {
		t.Errorf("behind TLS: %v", proxied.header)
	}
}

// TestLoginForm: pages without JavaScript log in by a form, and end up on a page.
func TestLoginForm(t *testing.T) {
	s := newSite(t, true, func(a *access) { a.base = "/pabal" })
	tests := []struct{ password, next, want string }{
		{annsPassword, "", "/pabal/"},
		{annsPassword, "/pabal/topics?search=a", "/pabal/topics?search=a"},
		{annsPassword, "https://evil.example/", "/pabal/"},
		{annsPassword, "//evil.example/", "/pabal/"},
		{annsPassword, "/pabal/\\evil", "/pabal/"},
		{annsPassword, "/elsewhere", "/pabal/"},
		{"wrong", "/pabal/topics", "/pabal/login?failed=login&next=%2Fpabal%2Ftopics"},
	}
	for _, test := range tests {
		form := url.Values{"user": {"ann"}, "password": {test.password}, "next": {test.next}}.Encode()
		a := s.post(t, "/api/v1/login", form, "Content-Type", "application/x-www-form-urlencoded")
		if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != test.want {
			t.Errorf("next %q: %d to %q, want %q", test.next, a.status, got, test.want)
		}
		if (a.header.Get("Set-Cookie") != "") != (test.password == annsPassword) {
			t.Errorf("next %q: cookie %q", test.next, a.header.Get("Set-Cookie"))
		}
	}
	for range 5 {
		s.post(t, "/api/v1/login", "user=ann&password=wrong", "Content-Type", "application/x-www-form-urlencoded")
	}
	a := s.post(t, "/api/v1/login", "user=ann&password=wrong", "Content-Type", "application/x-www-form-urlencoded")
	if !strings.Contains(a.header.Get("Location"), "failed=busy") {
		t.Errorf("after many failures: %v", a.header)
	}
}

func TestLoginWithoutUsers(t *testing.T) {
	s := newSite(t, false)
	if a := s.post(t, "/api/v1/login", `{"user":"a","password":"b"}`); a.status != http.StatusConflict {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestBadBases(t *testing.T) {
	for _, base := range []string{"pabal", "/a//b", "/a/../b", "/{x}", "/a?b", "/a b"} {
		if _, err := newWith((&fake{}).engines(), access{base: base}); !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %v", base, err)
		}
	}
	for _, host := range []string{"*.example.org", "https://a", "a/b", ""} {
		if _, err := newWith((&fake{}).engines(), access{allowedHosts: []string{host}}); !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestBase(t *testing.T) {
	s := newSite(t, false, func(a *access) { a.base = "/pabal/" })
	if !strings.HasSuffix(s.url, "/pabal") {
		t.Fatal(s.url)
	}
	if a := s.get(t, "/api/v1/me"); a.status != http.StatusOK {
		t.Errorf("%d", a.status)
	}
	if a := s.get(t, ""); a.status != http.StatusSeeOther || a.header.Get("Location") != "/pabal/" {
		t.Errorf("%d %v", a.status, a.header)
	}
	s.url = strings.TrimSuffix(s.url, "/pabal")
	for _, path := range []string{"/api/v1/me", "/pabalx/api/v1/me", "/"} {
		if a := s.get(t, path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}
