package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestConnectorsForOthers: on an address that others reach there is HTTPS only, and nothing without
// a token.
func TestConnectorsForOthers(t *testing.T) {
	t.Parallel()
	users := filepath.Join(t.TempDir(), "users")
	tokens := map[string]string{"nobody": ""}
	for _, role := range []string{"viewer", "admin"} {
		made := pabal(t, "user", "token", role, "--role="+role, "--file="+users)
		if tokens[role] = strings.TrimSpace(made.stdout); made.code != exitOK || tokens[role] == "" {
			t.Fatalf("%+v", made)
		}
	}
	certificate, roots := testenv.Certificate(t)
	cert, key := testenv.CertificateFiles(t, certificate)
	r := startUp(t, "--connect=0.0.0.0:0", "--console-users="+users, "--console-tls-cert="+cert, "--console-tls-key="+key)
	found := regexp.MustCompile(`(?m)^  connect +https://\S+:(\d+)/`).FindStringSubmatch(r.banner)
	if found == nil {
		t.Fatal(r.banner)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	ask := func(scheme, as, method, path, body string) int {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), method, scheme+"://127.0.0.1:"+found[1]+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		if tokens[as] != "" {
			q.Header.Set("Authorization", "Bearer "+tokens[as])
		}
		res, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	const connector = `{"name":"a","config":{"connector.class":"FileStreamSource","file":"/none","topic":"t"}}`
	for _, c := range []struct {
		scheme, as, method, path, body string
		want                           int
	}{
		{"http", "admin", "GET", "/connectors", "", http.StatusBadRequest},
		{"https", "nobody", "GET", "/connectors", "", http.StatusUnauthorized},
		{"https", "viewer", "POST", "/connectors", connector, http.StatusForbidden},
		{"https", "admin", "POST", "/connectors", connector, http.StatusCreated},
		{"https", "viewer", "GET", "/connectors/a", "", http.StatusOK},
		{"https", "viewer", "DELETE", "/connectors/a", "", http.StatusForbidden},
		{"https", "admin", "DELETE", "/connectors/a", "", http.StatusNoContent},
	} {
		if got := ask(c.scheme, c.as, c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s %s by %s: %d, not %d", c.scheme, c.method, c.path, c.as, got, c.want)
		}
	}
}
