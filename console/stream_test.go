package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// listener reads a stream.
type listener struct {
	t      *testing.T
	res    *http.Response
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

func (s *site) listen(t *testing.T, path string, headers ...string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+apiRoot+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, res.Status)
	}
	l := &listener{t, res, bufio.NewScanner(res.Body), cancel}
	l.lines.Buffer(nil, 1<<20)
	return l
}

type received struct{ id, event, data string }

// next is the next event; false at the end of the stream.
func (l *listener) next() (received, bool) {
	var e received
	for l.lines.Scan() {
		field, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.event = value
		case "data":
			e.data = value
		case "":
			if e.event != "" {
				return e, true
			}
		}
	}
	return e, false
}

// until is the next event of that name.
func (l *listener) until(name string) received {
	l.t.Helper()
	for {
		e, ok := l.next()
		if !ok {
			l.t.Fatalf("the stream ended before %s: %v", name, l.lines.Err())
		}
		if e.event == name {
			return e
		}
	}
}

// fast makes the hub's seconds short.
func fast(s *site) { s.console.hub.period = 5 * time.Millisecond }

func TestEventsAreMadeOnceForAll(t *testing.T) {
	s := newSite(t, false)
	fast(s)
	var made atomic.Int64
	produce := s.console.hub.produce
	s.console.hub.produce = func(ctx context.Context) (api.Overview, error) {
		made.Add(1)
		return produce(ctx)
	}
	if made.Load() != 0 {
		t.Error("made though nobody listens")
	}
	ids := map[string]int{}
	var all []*listener
	for range 5 {
		all = append(all, s.listen(t, "events"))
	}
	reachedAll := func() bool {
		return slices.Contains(slices.Collect(maps.Values(ids)), len(all))
	}
	for round := 0; round < 10 || !reachedAll() && round < 1000; round++ { // on a busy machine events are left out
		for _, l := range all {
			e := l.until("overview")
			var o api.Overview
			if err := json.Unmarshal([]byte(e.data), &o); err != nil || o.Cluster.ID != "k" {
				t.Fatalf("%s: %v", e.data, err)
			}
			ids[e.id]++
		}
	}
	if !reachedAll() {
		t.Errorf("no event reached all: %v", ids)
	}
	for _, l := range all {
		l.cancel()
	}
	eventually(t, "nothing is made for nobody", func() bool {
		s.console.hub.mu.Lock()
		defer s.console.hub.mu.Unlock()
		return !s.console.hub.producing && len(s.console.hub.listeners) == 0
	})
	before := made.Load()
	if e := s.listen(t, "events").until("overview"); e.id == "" || made.Load() == before {
		t.Error("it does not begin again")
	}
}

// TestViolationsThatBegin are told once, also to one who was away for a moment.
func TestViolationsThatBegin(t *testing.T) {
	s := newSite(t, false)
	fast(s)
	s.console.shared.at = time.Time{}
	stay := s.listen(t, "events")
	last := stay.until("overview")
	away := s.listen(t, "events")
	away.until("overview")
	away.cancel()
	fresh := api.Violation{Rule: "offset-ahead-of-inbox", Service: "order", What: "9 ahead", Since: at0.Add(time.Hour)}
	s.set(func(f *fake) { f.violations = []api.Violation{aViolation, fresh} })
	told := stay.until("violation")
	if !strings.Contains(told.data, "9 ahead") {
		t.Errorf("told %s", told.data)
	}
	fresh.What = "10 ahead" // the same one, with another figure
	s.set(func(f *fake) { f.violations = []api.Violation{aViolation, fresh} })
	back := s.listen(t, "events", "Last-Event-ID", last.id)
	if again, ok := back.next(); !ok || again != told {
		t.Errorf("after coming back: %+v, want %+v", again, told)
	}
	for range 3 {
		stay.until("overview")
		if e, _ := back.next(); e.event == "violation" {
			t.Errorf("told again: %s", e.data)
		}
	}
	for _, id := range []string{told.id, "other-1", "rubbish", "-", ""} {
		if e, ok := s.listen(t, "events", "Last-Event-ID", id).next(); !ok || e.event != "overview" {
			t.Errorf("Last-Event-ID %q: %+v", id, e)
		}
	}
}

// TestSlowListenerIsDropped: it costs a bounded memory, and the others nothing.
func TestSlowListenerIsDropped(t *testing.T) {
	s := newSite(t, false)
	h := s.console.hub
	h.period = time.Hour
	slow, leave, err := h.listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	quick, leaveQuick, err := h.listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer leaveQuick()
	for range perListener + 2 {
		if err := h.publish(api.Overview{}); err != nil {
			t.Fatal(err)
		}
		<-quick
	}
	n := 0
	for range slow { // it ends: the channel is closed
		n++
	}
	if n > perListener {
		t.Errorf("%d events were kept for a listener who did not take them", n)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) != 1 {
		t.Errorf("%d listeners", len(h.listeners))
	}
}

// TestClientThatDoesNotRead: the topic is read no faster than the client takes it, and
// a client that takes nothing costs nothing when it goes.
func TestClientThatDoesNotRead(t *testing.T) {
	s := newSite(t, false)
	var sent atomic.Int64
	ended := make(chan struct{})
	big := aMessage
	big.Value.Text = strings.Repeat("x", 64<<10)
	s.tail = func(ctx context.Context, fn func(api.Message) error) error {
		defer close(ended)
		for ctx.Err() == nil {
			if err := fn(big); err != nil {
				return err
			}
			sent.Add(1)
		}
		return ctx.Err()
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET %stopics/orders/tail HTTP/1.1\r\nHost: localhost\r\n\r\n", apiRoot); err != nil {
		t.Fatal(err)
	}
	before := int64(-1)
	eventually(t, "the reading stops", func() bool {
		now := sent.Load()
		stopped := now == before && now > 0
		before = now
		time.Sleep(50 * time.Millisecond)
		return stopped
	})
	if bytes := sent.Load() * int64(len(big.Value.Text)); bytes > 64<<20 {
		t.Errorf("%d bytes were read for a client that takes none", bytes)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the tail goes on though the client is gone")
	}
	eventually(t, "its place is free", func() bool { return s.console.streams.open.Load() == 0 })
}

func TestTailGoesOnWhereItBroke(t *testing.T) {
	s := newSite(t, false)
	first := s.listen(t, "topics/orders/tail?from=latest").until("message")
	if first.id != fmt.Sprintf("%d-2-7", at0.UnixMilli()) {
		t.Errorf("id %q", first.id)
	}
	later := aMessage
	later.Offset = 8
	s.set(func(f *fake) {
		f.tail = func(ctx context.Context, fn func(api.Message) error) error {
			for _, m := range []api.Message{aMessage, later} { // the first one was seen
				if err := fn(m); err != nil {
					return err
				}
			}
			<-ctx.Done()
			return ctx.Err()
		}
	})
	second := s.listen(t, "topics/orders/tail?from=latest", "Last-Event-ID", first.id).until("message")
	if !strings.Contains(second.data, `"offset":8`) {
		t.Errorf("went on with %s", second.data)
	}
	if want := "from=time%3A2026-01-02T03%3A04%3A05Z"; !slices.ContainsFunc(s.asked(), func(c string) bool { return strings.Contains(c, want) }) {
		t.Errorf("asked %v, want %s", s.asked(), want)
	}
	if a := s.get(t, apiRoot+"topics/orders/tail", "Last-Event-ID", "rubbish"); a.status != http.StatusBadRequest {
		t.Errorf("a foreign id: %d", a.status)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	s := newSite(t, false)
	s.console.streams.open.Store(maxStreams)
	for _, path := range []string{"events", "topics/orders/tail"} {
		if a := s.get(t, apiRoot+path); a.status != http.StatusTooManyRequests {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if n := s.console.streams.open.Load(); n != maxStreams {
		t.Errorf("%d streams are counted", n)
	}
}

// TestStreamEndsWithTheSession: who logs out, or is taken out of the file, hears
// nothing more.
func TestStreamEndsWithTheSession(t *testing.T) {
	s := newSite(t, true)
	s.console.keepAlive = 5 * time.Millisecond
	a := s.post(t, apiRoot+"login", `{"user":"ann","password":"`+annsPassword+`"}`)
	session, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	l := s.listen(t, "topics/orders/tail", "Cookie", session)
	l.until("message")
	s.post(t, apiRoot+"logout", "", "Cookie", session)
	if e, ok := l.next(); ok {
		t.Errorf("after the logout: %+v", e)
	}
}
