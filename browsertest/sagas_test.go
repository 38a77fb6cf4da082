package browsertest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/lens"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testenv/tripservice"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/saga"
)

// tripSite is a console and a service whose sagas ended, wait, and need somebody.
func tripSite(t *testing.T) (*tripservice.Service, string) {
	t.Helper()
	cluster := kafkatest.Start(t)
	url := startConsole(t, console.Config{Kafka: cluster.Config, Listen: "127.0.0.1:0", Version: "of a test", Logger: logger(t), Lens: lens.Config{StallAfter: time.Second}})
	s := tripservice.Start(t, cluster.Config)
	s.Book("done", tripservice.Trip{Traveller: "ann", Card: "4111 1111 1111 1111"})
	s.Book("undone", tripservice.Trip{Traveller: "bob", Refuses: "car"})
	s.Book("waits", tripservice.Trip{Traveller: "cem", Silent: "hotel"})
	s.Book("여행😀/7", tripservice.Trip{Traveller: hostile, Refuses: "flight"})
	s.Book("parked", tripservice.Trip{Traveller: "dea", Refuses: "car", Broken: "flight"})
	s.Arrive("guest", "room-ready")
	s.Await(tripservice.TripSaga, "done", saga.Completed, "")
	s.Await(tripservice.TripSaga, "undone", saga.Compensated, "")
	s.Await(tripservice.TripSaga, "여행😀/7", saga.Compensated, "")
	s.Await(tripservice.TripSaga, "waits", saga.Running, "hotel")
	s.Await(tripservice.TripSaga, "parked", saga.NeedsReview, "")
	s.Await(tripservice.ArrivalSaga, "guest", saga.Running, "")
	client, err := api.NewClient(api.ClientConfig{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	testenv.Wait(t, "the service to announce itself", stateTimeout, func() bool {
		counts, err := client.SagaCounts(t.Context())
		return err == nil && len(counts.Items) == 5
	})
	return s, url
}

// TestSagaJourney goes from the overview to the saga that needs somebody, and mends it
// with the keyboard; from a transaction to its saga, and back.
func TestSagaJourney(t *testing.T) {
	browser := chromium(t)
	s, url := tripSite(t)
	b := newTab(t, browser, url)
	b.open("/")
	b.sees("Sagas that need somebody", "the flight desk is closed")
	b.picture("saga-overview")
	b.press("main h3 a", "trip")
	b.sees("It needs somebody", "UNDO_FAILED", "Retry", "trip parked")
	b.picture("saga-parked")

	s.Mended.Store(true)
	b.press("main button", "Retry") // without a reason the browser refuses
	b.until("the focus in the reason", `() => document.activeElement.name === 'reason' && !document.querySelector('#confirm').open`)
	b.fill("input[name=reason]", "the desk is open again")
	b.press("main button", "Retry")
	b.sees("message is sent again", "attempts count anew")
	b.picture("saga-confirm")
	b.press("#confirm button", "Do it")
	b.sees("COMPENSATED", "by local", "retry: the desk is open again")
	b.lacks("Act on it")
	b.picture("saga-mended")
	testenv.Wait(t, "the transaction in the index", time.Minute, func() bool {
		answer, err := http.Get(url + "/traces/parked")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	b.press("main a", "parked") // the correlation id
	b.sees("Transaction parked", "Its saga", "all hops are done")
	b.press("main td a", "trip parked")
	b.sees("Timeline")

	b.open("/")
	b.keys("gw")
	b.sees("One by one", "waits", "guest")
	b.lacks("여행")
	b.press("main .tabs a", "compensated")
	b.sees("여행")
	b.lacks("guest")
	b.open("/sagas")
	b.fill("input[name=id]", "waits")
	b.keys("\r")
	b.until("the one found", `() => document.readyState === 'complete' && document.querySelectorAll('[data-part=list] tbody tr').length === 1`)
	b.keys("j")
	b.until("a fresh list with the same line chosen", `() => {
		const row = document.querySelector('.chosen');
		if (!window.first) window.first = row;
		return row && row !== window.first && !window.first.isConnected;
	}`)
	b.keys("\r")
	b.sees("trip waits", "It waits for the answer of step hotel", "Time-out of attempt 1")
	b.seesAt("/traces/waits", "A saga waits for an answer")
	b.picture("saga-stuck")
	b.press("main .stuck a", "Saga trip")
	b.sees("Act on it")
}

// TestSagaChangedMeanwhile: an act is for what its reader sees.
func TestSagaChangedMeanwhile(t *testing.T) {
	browser := chromium(t)
	s, url := tripSite(t)
	b := newTab(t, browser, url)
	b.complaints.allow("409")
	b.open("/sagas/trips/trip/parked")
	b.fill("input[name=reason]", "too late")
	if _, err := s.Trips.Act(t.Context(), saga.Act{Saga: "trip", ID: "parked", Do: saga.RetryAct, Step: "flight", Reason: "somebody else was faster", Actor: "eve"}); err != nil {
		t.Fatal(err)
	}
	b.sees("somebody else was faster")
	s.Await(tripservice.TripSaga, "parked", saga.NeedsReview, "")
	b.press("main button", "Skip")
	b.press("#confirm button", "Do it")
	b.sees("look at it again")
	b.picture("saga-changed")
	if kept, err := evaluate[string](b, `() => document.querySelector('input[name=reason]').value`); err != nil || kept != "too late" {
		t.Errorf("what was written is gone: %q, %v", kept, err)
	}
	b.do(focus("input[name=reason]"))
	b.keys(kb.Escape)
}

// TestSagaPages: none makes the browser complain or is wider than a telephone, in
// light and dark.
func TestSagaPages(t *testing.T) {
	browser := chromium(t)
	_, url := tripSite(t)
	b := newTab(t, browser, url)
	for _, path := range []string{
		"/", "/sagas", "/sagas?show=all", "/sagas?show=NEEDS_REVIEW&service=trips&older=1h", "/sagas/trips/trip/done", "/sagas/trips/trip/undone", "/sagas/trips/trip/waits",
		"/sagas/trips/trip/parked", "/sagas/trips/trip/%EC%97%AC%ED%96%89%F0%9F%98%80%2F7", "/sagas/trips/arrival/guest", "/sagas/trips/trip/nobody", "/traces/parked", "/traces/undone",
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
			b.picture(fmt.Sprintf("saga%s-%s-%d", strings.NewReplacer("/", "_", "?", "_", "=", "-", "&", "-", "%", "").Replace(path), look.scheme, look.width))
			for _, line := range b.complaints.take() {
				if strings.Contains(path, "nobody") && strings.Contains(line, "404") {
					continue
				}
				t.Errorf("%s, %s, %d wide: the browser complains: %s", path, look.scheme, look.width, line)
			}
		}
	}
}
