package browsertest

import (
	"context"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// hostile is a payload that would show in a page that did not escape it.
const hostile = `{"id": "<img src=x onerror=alert(1)><script>alert(2)</script>"`

// TestDeadLettersAreRedriven: three customers' events are broken. As they are they
// fail again and are counted; one is mended on the page and is handled.
func TestDeadLettersAreRedriven(t *testing.T) {
	browser := chromium(t)
	s := newSite(t, nil).known()
	for i := range 3 {
		s.publish("customer-created", "customer-created", fmt.Sprintf("customer-%d", i), hostile)
	}
	b := newTab(t, browser, s.url)
	b.seesAt("/dead-letters", "customer-created")
	s.letters("open", 3)
	b.open("/dead-letters")
	b.sees("payment-service", "Failed again")
	b.picture("dead-letters")
	b.press("main table a", "")
	b.sees("Send all open ones again", "given up by the consumer payment-service")
	b.picture("dead-letters-kind")

	b.press("button[name=dryRun]", "")
	b.sees("3 letters")
	b.picture("redrive-plan")
	s.letters("open", 3)
	b.fill("input[name=reason]", "one more try")
	b.press("main button.primary", "Redrive all open ones")
	b.sees("This sends every open letter of this kind again")
	b.press("#confirm button[value=yes]", "")
	b.until("the redrive's page", `() => location.pathname.startsWith('/redrives/')`)
	b.sees("one more try")
	b.figure("Letters", "3")
	b.figure("Sent", "3")
	b.figure("Failed again", "3")
	b.figure("Handled", "0")
	b.picture("redrive-renewed")

	b.open("/dead-letters/all?state=open")
	b.press("main table a[href*='/dead-letters/letter/']", "")
	b.sees("Edit its payload first", "given up 2 times", "<img src=x onerror=alert(1)>")
	b.picture("letter")
	b.press("summary", "Edit its payload first")
	b.press("input[data-switch=value]", "")
	b.fill("textarea[name=value]", `{"id": "customer-mended", "username": "jenny", "email": "jenny@example.com"}`)
	b.picture("letter-edit")
	b.fill("input[name=reason]", "payload mended")
	b.press("main button.primary", "Redrive it")
	b.press("#confirm button[value=yes]", "")
	b.until("the redrive's page", `() => location.pathname.startsWith('/redrives/')`)
	b.figure("Sent", "1")
	b.figure("Handled", "1")
	b.picture("redrive-handled")
	if status, answer := s.call("GET", s.at("payment", "/credits/customer-mended"), nil); status != 200 {
		t.Errorf("the mended event had no effect: %d %v", status, answer)
	}
	s.letters("handled", 1)

	b.open("/audit")
	b.sees("redrive", "one more try", "payload mended", "done")
	b.lacks("jenny@example.com")
	b.picture("audit")
}

// letters waits until so many dead letters of payment are in the state.
func (s *site) letters(state string, count int) {
	s.Helper()
	client, err := api.NewClient(api.ClientConfig{URL: s.url})
	if err != nil {
		s.Fatal(err)
	}
	defer client.Close()
	testenv.Wait(s, fmt.Sprintf("%d %s letters", count, state), stateTimeout, func() bool {
		page, err := client.Letters(context.Background(), api.LetterQuery{State: state})
		n := 0
		for _, letter := range page.Items {
			if letter.Consumer == "payment-service" {
				n++
			}
		}
		return err == nil && n == count
	})
}

// figure waits until the page has that value under the name.
func (b *tab) figure(name, value string) {
	b.Helper()
	b.until(name+" "+value, `(name, value) => [...document.querySelectorAll('dl.figures > div')].some(d =>
		d.querySelector('dt').innerText.trim().toLowerCase() === name.toLowerCase() && d.querySelector('dd').innerText.trim() === value)`, name, value)
}

// TestProducedOnThePage: the form writes a message, the browser shows it as text, a
// tail sees the next one.
func TestProducedOnThePage(t *testing.T) {
	browser := chromium(t)
	s := newSite(t, nil).known()
	b := newTab(t, browser, s.url)
	b.open("/topics")
	b.press("summary", "Create a topic")
	b.fill("input[name=name]", "notes")
	b.picture("topics")
	b.press("main button.primary", "Create it")
	b.until("the topic's page", `() => location.pathname === '/topics/notes'`)
	b.press("nav.tabs a", "Produce")
	b.fill("input[name=key]", "k1")
	b.fill("textarea[name=value]", hostile)
	b.fill("textarea[name=headers]", "colour: <b>red</b>")
	b.picture("produce")
	b.press("main button.primary", "Produce")
	b.press("#confirm button[value=yes]", "")
	b.sees("Written to partition")
	b.open("/topics/notes")
	b.press("details.message summary", "")
	b.sees("<img src=x onerror=alert(1)><script>alert(2)</script>", "<b>red</b>")
	b.picture("messages")
	n, err := evaluate[int](b, `() => document.querySelectorAll('main img, main b, main script').length`)
	if err != nil || n != 0 {
		t.Errorf("%d elements of a payload are in the page, %v", n, err)
	}
	b.press("[data-tail-start]", "")
	b.tailed(s)
	b.picture("tail")
}

// tailed publishes until the tail, which begins some time after the click, has one.
func (b *tab) tailed(s *site) {
	b.Helper()
	for i := range 40 {
		s.publish("notes", "noted", fmt.Sprintf("tail-%d", i), `{"a": "<i>tailed</i>"}`)
		for range 20 {
			if ok, _ := evaluate[bool](b, `() => !!document.querySelector('[data-tail-list]')?.innerText.includes('<i>tailed</i>')`); ok {
				return
			}
			b.pause()
		}
	}
	b.Fatalf("the tail shows nothing; the page:\n%s", b.page())
}
