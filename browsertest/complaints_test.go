package browsertest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/pabal-dev/pabal/console/pages"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// complaints are errors of scripts, of loading and of the content security policy.
type complaints struct {
	t       testing.TB
	mu      sync.Mutex
	all     []string
	allowed []string
}

// listen hears everything from now on.
func listen(t testing.TB, ctx context.Context) *complaints {
	t.Helper()
	c := &complaints{t: t}
	if err := chromedp.Listen(ctx, c.hear); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		second(chromedp.Call(ctx, log.Enable, cdp.Empty{})),
		second(chromedp.Call(ctx, runtime.Enable, cdp.Empty{})),
		second(chromedp.Call(ctx, audits.Enable, cdp.Empty{})),
		second(chromedp.Call(ctx, network.Enable, network.EnableParams{})),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func second[T any](_ T, err error) error { return err }

func (c *complaints) hear(ev any) {
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		switch ev.Type {
		case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
			c.add("console.%s: %s", ev.Type, arguments(ev.Args))
		}
	case *runtime.EventExceptionThrown:
		c.add("exception: %s", thrown(ev.ExceptionDetails))
	case *log.EventEntryAdded:
		if e := ev.Entry; e.Level == log.EntryLevelError || e.Level == log.EntryLevelWarning {
			c.add("%s %s: %s %s", e.Source, e.Level, e.Text, e.URL)
		}
	case *audits.EventIssueAdded:
		if d := ev.Issue.Details; d != nil && d.ContentSecurityPolicyIssueDetails != nil {
			c.add("policy: %s blocked by %s", d.ContentSecurityPolicyIssueDetails.BlockedURL, d.ContentSecurityPolicyIssueDetails.ViolatedDirective)
		}
	case *network.EventResponseReceived:
		if ev.Response.Status >= 400 {
			c.add("%s answered %d", ev.Response.URL, int(ev.Response.Status))
		}
	}
}

func arguments(args []*runtime.RemoteObject) string {
	var all []string
	for _, a := range args {
		all = append(all, strings.TrimSpace(string(a.Value)+" "+a.Description))
	}
	return strings.Join(all, " ")
}

func thrown(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Exception.Description
	}
	return d.Text
}

func (c *complaints) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, fmt.Sprintf(format, args...))
}

// allow takes complaints with that text as part of the journey.
func (c *complaints) allow(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.allowed = append(c.allowed, text)
}

// take returns what came up since the last time.
func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rest []string
	for _, line := range c.all {
		if !c.isAllowed(line) {
			rest = append(rest, line)
		}
	}
	c.all = nil
	return rest
}

func (c *complaints) isAllowed(line string) bool {
	for _, text := range c.allowed {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

func (c *complaints) report() {
	for _, line := range c.take() {
		c.t.Errorf("the browser complains: %s", line)
	}
}

// TestComplaintsAreHeard: a page that does everything wrong is noticed.
func TestComplaintsAreHeard(t *testing.T) {
	browser := chromium(t)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", pages.ContentSecurityPolicy)
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<p style="color:red">a<script>alert(1)</script><script src="/own.js"></script><img src="/none.png">`)
		case "/own.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, `console.error("said by own.js"); throw new Error("thrown by own.js")`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer site.Close()
	b := newTab(t, browser, site.URL)
	b.open("/")
	want := []string{"said by own.js", "thrown by own.js", "none.png", "style-src", "script-src"}
	heard := ""
	testenv.Wait(t, "all complaints", pageTimeout, func() bool {
		heard += strings.Join(b.complaints.take(), "\n")
		for _, part := range want {
			if !strings.Contains(heard, part) {
				return false
			}
		}
		return true
	})
}
