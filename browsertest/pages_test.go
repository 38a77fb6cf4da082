package browsertest

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/auth"
)

// TestEveryPage: none makes the browser complain or is wider than a telephone, in
// light and dark.
func TestEveryPage(t *testing.T) {
	browser := chromium(t)
	s := newSite(t, nil).known().shop()
	order := s.place()
	s.approved(order)
	s.publish("customer-created", "customer-created", strings.Repeat("long-key-", 20), hostile)
	s.letters("open", 1)
	letter := s.anyLetter()

	b := newTab(t, browser, s.url)
	b.seesAt("/traces/"+order, "all hops are done")
	b.complaints.take() // of a trace that was not there yet
	for _, path := range []string{
		"/", "/traces", "/traces?search=none", "/traces/" + order, "/topics", "/topics?internal=true",
		"/topics/payment-request", "/topics/payment-request?from=earliest", "/topics/payment-request?tab=partitions", "/topics/payment-request?tab=config",
		"/topics/payment-request?tab=produce", "/groups", "/groups/payment-service", "/outbox", "/outbox/payment", "/outbox/payment?status=COMPLETED",
		"/dead-letters", "/dead-letters/" + letter.Fingerprint, "/dead-letters/letter/" + letter.ID, "/services", "/services/payment/consumers/payment-service",
		"/audit", "/help", "/login",
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
			b.picture(fmt.Sprintf("page%s-%s-%d", strings.NewReplacer("/", "_", "?", "_", "=", "-", letter.ID, "letter", letter.Fingerprint, "kind", order, "order").Replace(path), look.scheme, look.width))
			for _, line := range b.complaints.take() {
				t.Errorf("%s, %s, %d wide: the browser complains: %s", path, look.scheme, look.width, line)
			}
		}
	}
}

// fits checks that the page's body is not wider than the window, and names who is.
func (b *tab) fits(path string, width int64) {
	b.Helper()
	wide, err := evaluate[[]string](b, `width => {
		if (document.scrollingElement.scrollWidth <= width) return [];
		const clipped = e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) if (getComputedStyle(p).overflowX !== 'visible') return true; return false; };
		return [document.scrollingElement.scrollWidth + ' px'].concat([...document.body.querySelectorAll('*')]
			.filter(e => e.getBoundingClientRect().right > width + 1 && !clipped(e)).slice(0, 5)
			.map(e => e.tagName + '.' + e.getAttribute('class') + ' to ' + Math.round(e.getBoundingClientRect().right)));
	}`, width)
	if err != nil {
		b.Fatal(err)
	}
	if len(wide) > 0 {
		b.Errorf("%s at %d px is too wide: %q", path, width, wide)
	}
}

// legible checks that text and ground differ enough: 4.5 to 1 (WCAG AA) for text of
// normal size on an opaque ground.
func (b *tab) legible(path, scheme string) {
	b.Helper()
	faint, err := evaluate[[]string](b, readContrast)
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range faint {
		b.Errorf("%s, %s: hard to read: %s", path, scheme, line)
	}
}

const readContrast = `() => {
	const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
	const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const lum = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ground = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; if (c[3] > 0) return null; } return rgba('Canvas'); };
	const seen = new Map();
	for (const e of document.body.querySelectorAll('*')) {
		if (e.closest('svg') || !e.checkVisibility({opacityProperty: true}) || e.closest(':disabled, .hidden, .skip')) continue;
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const back = ground(e), fore = rgba(getComputedStyle(e).color);
		if (!back || fore[3] < 255) continue;
		const [a, b] = [lum(fore), lum(back)], ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) seen.set(e.tagName + '.' + e.className, ratio.toFixed(2) + ' ' + e.tagName + '.' + e.className + ' "' + e.innerText.slice(0, 30) + '"');
	}
	return [...seen.values()].slice(0, 8);
}`

func (s *site) anyLetter() api.DeadLetter {
	s.Helper()
	client, err := api.NewClient(api.ClientConfig{URL: s.url})
	if err != nil {
		s.Fatal(err)
	}
	defer client.Close()
	page, err := client.Letters(context.Background(), api.LetterQuery{State: "open"})
	if err != nil || len(page.Items) == 0 {
		s.Fatalf("%+v, %v", page, err)
	}
	return page.Items[0]
}

// TestLogin: a stranger is sent to the login page and comes back to where he wanted
// to go; a viewer reads, and sees why he may not act.
func TestLogin(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users")
	if err := auth.AddUser(users, "vera", api.Viewer, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	loaded, err := auth.Load(users)
	if err != nil {
		t.Fatal(err)
	}
	browser := chromium(t)
	s := newSite(t, func(c *console.Config) { c.Users = loaded })
	b := newTab(t, browser, s.url)
	b.complaints.allow("401")
	b.open("/outbox/payment")
	b.until("the login page", `() => location.pathname === '/login'`)
	b.fill("input[name=user]", "vera")
	b.fill("input[name=password]", "wrong horse")
	b.press("main button.primary", "Log in")
	b.sees("wrong")
	b.picture("login-wrong")
	b.fill("input[name=password]", "correct horse battery")
	b.press("main button.primary", "Log in")
	b.until("the page wanted", `() => location.pathname === '/outbox/payment'`)
	b.seesAt("/outbox/payment", "Pause the relay")
	b.press("summary", "Pause the relay")
	b.sees("This needs the role operator; yours is viewer.")
	off, err := evaluate[bool](b, `() => [...document.querySelectorAll('main form[method=post] button')].every(b => b.matches(':disabled'))`)
	if err != nil || !off {
		t.Errorf("a viewer may press what he may not do (%v)", err)
	}
	b.picture("viewer")
	b.complaints.allow("403")
	b.open("/audit")
	b.sees("admin", "viewer")
	b.picture("viewer-audit")
	b.press("header button", "Log out")
	b.until("the login page", `() => location.pathname === '/login'`)
	b.open("/topics")
	b.until("the login page", `() => location.pathname === '/login'`)
}

// TestBrokerGone: pages still come, and say what is wrong.
func TestBrokerGone(t *testing.T) {
	browser := chromium(t)
	s := newSite(t, nil).known()
	b := newTab(t, browser, s.url)
	b.open("/")
	b.sees("The chain", "payment")
	if err := s.cluster.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.complaints.allow("503")
	b.sees("Kafka does not answer")
	b.picture("broker-gone")
	for path, text := range map[string]string{
		"/topics": "topics", "/groups": "groups", "/traces": "transactions", "/outbox": "outbox", "/dead-letters": "dead letters", "/services": "services", "/topics/payment-request": "payment-request",
	} {
		b.open(path)
		b.sees(text)
		problem, err := evaluate[bool](b, `() => !!document.querySelector('main [role=alert]')`)
		if needs := path == "/topics" || path == "/groups" || path == "/topics/payment-request"; err != nil || needs && !problem {
			t.Errorf("%s does not say that Kafka is away (%v):\n%s", path, err, b.page())
		}
		b.picture("broker-gone" + strings.ReplaceAll(path, "/", "_"))
	}
}
