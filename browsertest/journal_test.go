package browsertest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testenv/cartservice"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// cartSite is a console and a service with entities and a projection.
func cartSite(t *testing.T) (*cartservice.Service, string) {
	t.Helper()
	cluster := kafkatest.Start(t)
	url := startConsole(t, console.Config{Kafka: cluster.Config, Listen: "127.0.0.1:0", Version: "of a test", Logger: logger(t)})
	s := cartservice.Start(t, &cluster.Config)
	client, err := api.NewClient(api.ClientConfig{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	testenv.Wait(t, "the service to announce itself", stateTimeout, func() bool {
		all, err := client.Services(t.Context())
		return err == nil && len(all) == 1 && all[0].Status != nil
	})
	return s, url
}

// filled has a cart with a history.
func filled(t *testing.T, s *cartservice.Service) {
	t.Helper()
	s.Cart(t, "42", cartservice.Opened{Customer: "ann", Card: "4111 1111 1111 1111"}, cartservice.ItemAdded{ID: "tea", Price: 5},
		cartservice.ItemAdded{ID: "cup & saucer", Price: 7}, cartservice.Opened{Customer: "anna", Card: "4222"}, cartservice.ItemAdded{ID: "pot", Price: 20}, cartservice.CheckedOut{})
	s.Cart(t, "주문😀", cartservice.Opened{Customer: hostile})
	for range 60 {
		s.Cart(t, "long", cartservice.ItemAdded{ID: "tea", Price: 1})
	}
	for _, name := range []string{"ann", "anna"} {
		if _, err := s.Profiles.Ask(context.Background(), "ann", name); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTimeMachine goes from the list of services to what changed a field.
func TestTimeMachine(t *testing.T) {
	browser := chromium(t)
	s, url := cartSite(t)
	filled(t, s)
	b := newTab(t, browser, url)
	b.open("/")
	b.keys("gj")
	b.sees("cart", "profile")
	b.press("main td a", "cart")
	b.sees("cart|42", "cart|long")
	b.press("main td a", "cart|42")
	b.sees("checked-out", "opened")
	b.press("main .tabs a", "Time machine")
	b.sees("6 of 6", "checkedOut", "What event 6 changed")
	b.picture("machine-last")

	b.do(focus(".slider input"))
	b.keys(kb.Home)
	b.sees("1 of 6", "What event 1 changed")
	b.keys(kb.ArrowRight)
	b.sees("2 of 6", "items[0]", "total")
	if at, err := evaluate[string](b, `() => new URL(location.href).searchParams.get('at')`); err != nil || at != "2" {
		t.Errorf("the address says %q, %v", at, err)
	}
	b.press("main a", "On")
	b.sees("3 of 6", "cup & saucer")
	b.fill("input[name=from]", "1")
	b.keys("\r")
	b.sees("What changed from event 1 to 3")
	b.open("/journal/carts/cart%7C42?tab=time&at=6")
	b.fill("input[name=path]", "customer")
	b.keys("\r")
	b.sees("Looked at events 1 to 6", `"anna"`)
	b.picture("machine-field")

	b.open("/journal")
	b.fill("input[name=prefix]", "profile|")
	b.keys("\r")
	b.press("main td a", "profile|ann")
	b.sees("keeps this one revision", `"visits": 2`)
	b.open("/journal/carts/cart%7Clong")
	b.sees("Older")
	b.keys("n")
	b.sees("Newer")
	b.lacks("Older")
}

// TestProjectionPage pauses, resumes and rebuilds with the mouse.
func TestProjectionPage(t *testing.T) {
	browser := chromium(t)
	s, url := cartSite(t)
	filled(t, s)
	b := newTab(t, browser, url)
	b.open("/")
	b.keys("gp")
	b.sees(cartservice.View, "running")
	b.press("main td a", cartservice.View)
	b.press("main button", "Pause it")
	b.press("#confirm button", "Do it")
	b.sees("Resume it", "paused")
	b.until("the worker to rest", `() => [...document.querySelectorAll('main td')].some(td => td.textContent.trim() === 'paused')`)
	s.Cart(t, "7", cartservice.ItemAdded{ID: "tea", Price: 1})
	b.until("the lag", `() => document.querySelector('.figures dd').textContent === '1'`)
	b.picture("projection-paused")
	b.press("main button", "Resume it")
	b.sees("Pause it", "running")
	b.press("main button", "Start a rebuild")
	b.press("#confirm button", "Do it")
	b.sees("caught up", "beside the live view")
	b.press("main button", "Compare with the live view")
	b.until("the comparison", `() => !!document.querySelector('[data-plan-shown] table')`)
	b.sees("Only rebuilt", cartservice.View)
	b.picture("projection-compared")
	b.press("main button", "Swap")
	b.press("#confirm button", "Do it")
	b.sees("Start a rebuild")

	s.Cart(t, "8", cartservice.ItemAdded{ID: cartservice.Poison})
	b.sees("It does not go on", "no such product")
	b.picture("projection-failed")
	b.open("/")
	b.sees("1 of 1 does not go on")
	b.picture("overview-failed")
}

// TestJournalPages: none makes the browser complain or is wider than a telephone, in
// light and dark.
func TestJournalPages(t *testing.T) {
	browser := chromium(t)
	s, url := cartSite(t)
	filled(t, s)
	b := newTab(t, browser, url)
	for _, path := range []string{
		"/journal", "/journal?service=carts&type=cart&kind=events", "/journal?prefix=none", "/journal?service=carts&kind=states",
		"/journal/carts/cart%7C42", "/journal/carts/cart%7Clong", "/journal/carts/cart%7C%EC%A3%BC%EB%AC%B8%F0%9F%98%80", "/journal/carts/profile%7Cann",
		"/journal/carts/cart%7C42?tab=time", "/journal/carts/cart%7C42?tab=time&at=3&path=total", "/journal/carts/cart%7C%EC%A3%BC%EB%AC%B8%F0%9F%98%80?tab=time",
		"/journal/carts/cart%7Cnobody", "/projections", "/projections/carts/" + cartservice.View,
	} {
		for _, look := range []struct {
			scheme        string
			width, height int64
		}{{"light", 1280, 900}, {"dark", 1280, 900}, {"light", 360, 740}, {"dark", 360, 740}} {
			b.scheme(look.scheme)
			b.size(look.width, look.height)
			b.open(path)
			b.fits(path, look.width)
			b.legible(path, look.scheme)
			b.picture(fmt.Sprintf("journal%s-%s-%d", strings.NewReplacer("/", "_", "?", "_", "=", "-", "%", "").Replace(path), look.scheme, look.width))
			for _, line := range b.complaints.take() {
				if strings.Contains(path, "nobody") && strings.Contains(line, "404") {
					continue
				}
				t.Errorf("%s, %s, %d wide: the browser complains: %s", path, look.scheme, look.width, line)
			}
		}
	}
}
