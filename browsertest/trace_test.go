package browsertest

import (
	"testing"
)

// TestOrderInTheLens: an order is found from the overview's search, and every hop of
// it is shown with its latency.
func TestOrderInTheLens(t *testing.T) {
	browser := chromium(t)
	s := newSite(t, nil).known().shop()
	order := s.place()
	s.approved(order)

	b := newTab(t, browser, s.url)
	b.open("/")
	b.sees("Overview", "Every rule between databases, log and consumers holds", "order-approval-request")
	b.picture("overview")
	b.fill("#find", order)
	b.keys("\r")
	b.until("the list of transactions", `() => location.pathname === '/traces'`)
	b.seesAt(b.path(), "payment-request")
	b.picture("traces")
	b.press("main table a", "")
	b.sees("all hops are done")
	for _, hop := range []string{"payment-request", "payment-response", "order-approval-request", "order-approval-response",
		"order-service", "payment-service", "restaurant-service"} {
		b.sees(hop)
	}
	b.lacks("Where is it stuck")
	hops, err := evaluate[[]hop](b, readHops)
	if err != nil {
		t.Fatal(err)
	}
	if len(hops) < 12 {
		t.Errorf("%d hops: %+v", len(hops), hops)
	}
	for _, h := range hops {
		if h.State != "done" || h.Latency == "" || h.At == "not yet" {
			t.Errorf("hop %+v", h)
		}
	}
	boxes, err := evaluate[int](b, `() => document.querySelectorAll('svg.flow g.node').length`)
	if err != nil || boxes != len(hops) {
		t.Errorf("the graph has %d boxes for %d hops, %v", boxes, len(hops), err)
	}
	b.picture("trace")
	b.press("table.hops a", "payment-request[")
	b.until("the message", `() => location.pathname === '/topics/payment-request'`)
	b.sees("payment-request", order)
}

type hop struct{ Name, State, At, Latency string }

const readHops = `() => [...document.querySelectorAll('table.hops tbody tr[id]')].map(r => {
	const cells = [...r.cells].map(c => c.innerText.replace(/\s+/g, ' ').trim());
	return {name: cells[1], state: cells[4], at: cells[5], latency: cells[6]};
})`

// TestPausedRelayIsNamed: somebody pauses a relay; the lens says so about an order
// that waits for it, and its one button lets the order go on.
func TestPausedRelayIsNamed(t *testing.T) {
	browser := chromium(t)
	s := newSite(t, nil).known().shop()
	b := newTab(t, browser, s.url)
	b.open("/outbox/payment")
	b.press("summary", "Pause the relay")
	b.fill("input[name=reason]", "cleaning <b>up</b>")
	b.picture("outbox-pause")
	b.press("main button", "Pause the relay")
	b.sees("publishes nothing until you resume it")
	b.picture("confirm")
	b.press("#confirm button[value=yes]", "")
	b.sees("paused", "cleaning <b>up</b>")
	b.picture("outbox-paused")

	order := s.place()
	b.seesAt("/traces/"+order, "Where is it stuck?")
	b.sees("The relay does not publish", "The relay of payment is paused (cleaning <b>up</b>)")
	b.picture("trace-stuck")
	b.open("/")
	b.sees("paused")
	b.picture("overview-paused")
	b.open("/traces/" + order)
	b.press(".stuck button.primary", "Resume")
	s.approved(order)
	b.sees("all hops are done")
	b.lacks("Where is it stuck")
	b.picture("trace-resumed")
}
