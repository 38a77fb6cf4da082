package restapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pabal-dev/pabal/internal/restapi"
)

// TestRefusal: other methods, other paths, and names that lead here from a page.
func TestRefusal(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things", func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct {
		method, url string
		local       bool
		status      int
	}{
		{"GET", "http://localhost:8083/things", true, 0},
		{"GET", "http://127.0.0.1/things", true, 0},
		{"GET", "http://[::1]:8083/things", true, 0},
		{"GET", "http://rebound.example:8083/things", true, 403},
		{"GET", "http://localhost.example/things", true, 403},
		{"GET", "http://pabal.example/things", false, 0},
		{"DELETE", "http://localhost/things", true, 405},
		{"GET", "http://localhost/thing", true, 404},
	} {
		status, body, refused := restapi.Refusal(mux, c.local, httptest.NewRequest(c.method, c.url, nil))
		if status != c.status || refused != (c.status != 0) || body.Code != c.status || (body.Message != "") != refused {
			t.Errorf("%s %s: %d %+v, %t; want %d", c.method, c.url, status, body, refused, c.status)
		}
	}
}
