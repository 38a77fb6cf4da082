package pages_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
)

// TestApplicationPage: what passes the nodes, where tasks stand, how far stores are.
func TestApplicationPage(t *testing.T) {
	s := newSite(fake{}, "", false, 0)
	_, body := s.page(t, "/streams/shop.visits", api.Viewer, 200)
	for _, text := range []string{
		"Sub-topology 0", "Sub-topology 1", "Global, in every instance", "12.5/s · 9,000", "12 keys", `href="/topics/shop.visits-by-page-repartition"`, `href="/topics/shop.pages"`,
		`href="/streams/shop.visits/stores/totals"`, "300 of 400 records", "the broker is away", "late", "it is not JSON", "connection refused", "Resume it", "This needs the role operator", "what came since is not counted",
	} {
		if !strings.Contains(body, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	without := newSite(fake{change: func(v reflect.Value) reflect.Value {
		if a, ok := v.Interface().(api.StreamsApp); ok {
			a.Topology, a.State, a.Parts = nil, "running", nil
			return reflect.ValueOf(a)
		}
		return v
	}}, "", false, 0)
	if _, body := without.page(t, "/streams/shop.visits", api.Operator, 200); !strings.Contains(body, "it is not known") || !strings.Contains(body, "Pause it") || strings.Contains(body, "<svg class=\"graph") {
		t.Errorf("without a topology: %s", body[strings.Index(body, "<main"):])
	}
}

// TestApplicationsPage: the column of problems is there when somebody has one.
func TestApplicationsPage(t *testing.T) {
	_, body := newSite(fake{}, "", false, 0).page(t, "/streams", api.Viewer, 200)
	if !strings.Contains(body, "<th>Problem</th>") || !strings.Contains(body, "it is not JSON") || !strings.Contains(body, "on 1 instance") {
		t.Errorf("with a problem: %s", body[strings.Index(body, "<main"):])
	}
	well := newSite(fake{change: func(v reflect.Value) reflect.Value {
		if list, ok := v.Interface().(api.StreamsList); ok {
			for i := range list.Items {
				list.Items[i].Problems = nil
			}
			return reflect.ValueOf(list)
		}
		return v
	}}, "", false, 0)
	if _, body := well.page(t, "/streams", api.Viewer, 200); strings.Contains(body, "Problem</th>") || !strings.Contains(body, "shop.visits") {
		t.Errorf("without one: %s", body[strings.Index(body, "<main"):])
	}
}

// TestStorePage: nothing is read before it is asked for, and keys are as they were given.
func TestStorePage(t *testing.T) {
	s := newSite(fake{}, "", false, 0)
	_, body := s.page(t, "/streams/shop.visits/stores/totals", api.Viewer, 200)
	if strings.Contains(body, "page/1") || !strings.Contains(body, "Give a key") {
		t.Error("it reads what nobody asked for")
	}
	_, body = s.page(t, "/streams/shop.visits/stores/totals?key=a%20%2Fb&since=2026-03-01T12:00:00Z&stale=true", api.Viewer, 200)
	for _, text := range []string{"page/1", "Hidden from your role: card", "it is no JSON", "2026-03-01 12:01:00", "cursor=more%2B%2F%3D", "key=a&#43;%2Fb", `value="a /b"`, " checked"} {
		if !strings.Contains(body, text) {
			t.Errorf("it does not say %q", text)
		}
	}
}
