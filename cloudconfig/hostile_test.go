package cloudconfig_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/cloudconfig"
)

// TestPlaceholdersThatMultiply: each is empty, so that only their number is large.
func TestPlaceholdersThatMultiply(t *testing.T) {
	var source []string
	for n := range 12 {
		source = append(source, fmt.Sprintf(`"k%d":%q`, n, strings.Repeat(fmt.Sprintf("${k%d}", n+1), 100)))
	}
	body := `{"propertySources":[{"name":"a","source":{` + strings.Join(source, ",") + `,"k12":""}}]}`
	p, err := serve(t, map[string]string{"/a/default": body}).source("a").Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Get("k0"); err == nil || !strings.Contains(err.Error(), "placeholders") {
		t.Errorf("got %v", err)
	}
	if v, _, err := p.Get("k11"); err != nil || v.Text != "" {
		t.Errorf("got %q, %v", v.Text, err)
	}
}

func TestFirstOfTwoSourcesOfOneNameCounts(t *testing.T) {
	s := serve(t, map[string]string{"/a/default": `{"propertySources":[{"name":"a","source":{"x":"first","l[0]":"1"}},{"name":"a","source":{"x":"second","l[0]":"2","l[1]":"3"}}]}`})
	p, err := s.source("a").Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v, _, _ := p.Get("x"); v.Text != "first" {
		t.Errorf("x is %q", v.Text)
	}
	if l, _ := p.List("l"); len(l) != 1 || l[0] != "1" {
		t.Errorf("l is %q", l)
	}
}

func TestPasswordDoesNotFollowARedirectFromHTTPS(t *testing.T) {
	asked := 0
	open := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer open.Close()
	safe := httptest.NewTLSServer(http.RedirectHandler(open.URL, http.StatusFound))
	defer safe.Close()
	trusting(t, safe)
	source := cloudconfig.Source{URL: safe.URL, Application: "a", User: "u", Password: "secret"}
	_, err := source.Fetch(t.Context())
	if err == nil || !strings.Contains(err.Error(), "without https") || strings.Contains(err.Error(), "secret") || asked > 0 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// trusting has the default transport trust a server's certificate.
func trusting(t *testing.T, s *httptest.Server) {
	before := http.DefaultTransport
	http.DefaultTransport = s.Client().Transport
	t.Cleanup(func() { http.DefaultTransport = before })
}
