package up

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestBasicKeepsToTheRegistry: a redirect to another address does not get the password.
func TestBasicKeepsToTheRegistry(t *testing.T) {
	type sent struct {
		user, password string
		ok             bool
	}
	var here, there sent
	note := func(into *sent, r *http.Request) { into.user, into.password, into.ok = r.BasicAuth() }
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { note(&there, r) }))
	defer other.Close()
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(&here, r)
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	defer registry.Close()
	c := &http.Client{Transport: basic{"ann", "secret", origin(registry.URL)}}
	res, err := c.Get(registry.URL + "/subjects")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if here != (sent{"ann", "secret", true}) || there.ok {
		t.Errorf("the registry got %+v, and where it redirects to %+v", here, there)
	}
}
