package console

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/auth"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/lifecycle"
)

var _ lifecycle.Service = (*Server)(nil)

func TestExposure(t *testing.T) {
	tests := []struct {
		listen            string
		users, tls, plain bool
		want              string // part of the error, "" where it is allowed
	}{
		{"127.0.0.1:8080", false, false, false, ""},
		{"localhost:0", false, false, false, ""},
		{"[::1]:8080", false, false, false, ""},
		{"127.3.2.1:8080", true, false, false, ""},
		{":8080", false, false, false, "pabal user add"},
		{"0.0.0.0:8080", false, true, true, "pabal user add"},
		{"[::]:8080", false, true, false, "nobody has to log in"},
		{"192.0.2.1:8080", true, false, false, "unencrypted"},
		{"console.example.org:80", true, false, false, "unencrypted"},
		{"0.0.0.0:8080", true, true, false, ""},
		{":8080", true, false, true, ""},
		{"8080", true, true, true, "not host:port"},
	}
	for _, test := range tests {
		err := checkExposure(test.listen, test.users, test.tls, test.plain)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%+v: %v", test, err)
		case test.want != "" && (!errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func startServer(t *testing.T, s *site, cfg Config) *Server {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	server, err := NewServer(s.console, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return server
}

// TestServerDrains: a request under way is answered, streams end, and nobody is served
// any more.
func TestServerDrains(t *testing.T) {
	s := newSite(t, false)
	server := startServer(t, s, Config{})
	s.url = strings.TrimSuffix(server.URL(), "/")
	events, tail := s.listen(t, "events"), s.listen(t, "topics/orders/tail")
	events.until("overview")
	tail.until("message")
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(context.Background()) }()
	for name, l := range map[string]*listener{"events": events, "tail": tail} {
		for {
			if _, ok := l.next(); !ok {
				break
			}
		}
		if err := l.lines.Err(); err != nil {
			t.Errorf("%s was cut off: %v", name, err)
		}
	}
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the server does not stop")
	}
	if _, err := http.Get(s.url + "/livez"); err == nil {
		t.Error("it still answers")
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("stopped twice: %v", err)
	}
}

func TestBusyPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	server, err := NewServer(newSite(t, false).console, Config{Listen: l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("got %v", err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	s := newSite(t, true)
	certificate, pool := testenv.Certificate(t)
	server := startServer(t, s, Config{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}})
	c, err := api.NewClient(api.ClientConfig{URL: server.URL(), CA: pool, Token: s.tokens[api.Viewer]})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if me, err := c.Me(t.Context()); err != nil || me.Role != api.Viewer {
		t.Errorf("%+v, %v", me, err)
	}
	stranger, err := api.NewClient(api.ClientConfig{URL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if _, err := stranger.Me(t.Context()); !errors.Is(err, api.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	done := errors.New("enough")
	if err := c.Events(t.Context(), func(any) error { return done }); !errors.Is(err, done) { // HTTP/2
		t.Errorf("events: %v", err)
	}
	s.url = strings.TrimSuffix(server.URL(), "/")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	res, err := client.Post(s.url+"/api/v1/login", "application/json", strings.NewReader(`{"user":"ann","password":"`+annsPassword+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if cookie := res.Header.Get("Set-Cookie"); !strings.Contains(cookie, "Secure") {
		t.Errorf("the cookie %q", cookie)
	}
}

// TestSlowRequestDoesNotHoldTheServer: neither headers nor bodies that never end.
func TestSlowRequestDoesNotHoldTheServer(t *testing.T) {
	s := newSite(t, false)
	server := startServer(t, s, Config{})
	for _, begun := range []string{"GET / HT", "POST /api/v1/topics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"} {
		conn, err := net.Dial("tcp", server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(begun)); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 256<<10))); err == nil {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		if line != "" && !strings.Contains(line, "431") {
			t.Errorf("endless headers: %q", line)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := server.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestKafkaThatDoesNotAnswer: what can be said is said, in bounded time.
func TestKafkaThatDoesNotAnswer(t *testing.T) {
	s := newSite(t, false)
	s.set(func(f *fake) { f.hang = true })
	begun := time.Now()
	o, err := s.client(t, "").Overview(t.Context())
	if took := time.Since(begun); err != nil || took > time.Minute || len(o.Problems) != 9 || o.Cluster.Problem == "" || o.Topics != -1 {
		t.Errorf("after %s: %+v, %v", took, o, err)
	}
	for _, p := range o.Problems {
		if !strings.Contains(p, "no answer within 1.5s") {
			t.Errorf("problem %q", p)
		}
	}
	begun = time.Now()
	if a := s.get(t, "/readyz"); a.status != http.StatusServiceUnavailable || time.Since(begun) > time.Minute {
		t.Errorf("readyz: %d after %s", a.status, time.Since(begun))
	}
	if a := s.get(t, "/livez"); a.status != http.StatusOK {
		t.Errorf("livez: %d", a.status)
	}
	begun = time.Now()
	if a := s.get(t, "/"); a.status != http.StatusOK || time.Since(begun) > time.Minute {
		t.Errorf("the first page: %d after %s", a.status, time.Since(begun))
	}
	if a := s.get(t, "/metrics"); !strings.Contains(string(a.body), "pabal_console_kafka_up 0") {
		t.Errorf("metrics:\n%s", a.body)
	}
	s.set(func(f *fake) { f.hang = false })
	if a := s.get(t, "/readyz"); a.status != http.StatusOK {
		t.Errorf("readyz, back again: %d", a.status)
	}
}

func TestMetrics(t *testing.T) {
	s := newSite(t, true)
	s.get(t, apiRoot+"topics/orders", bearer(s.tokens[api.Viewer])...)
	s.get(t, apiRoot+"topics/orders")
	if a := s.get(t, "/metrics"); a.status != http.StatusUnauthorized {
		t.Errorf("for everybody: %d", a.status)
	}
	a := s.get(t, "/metrics", bearer(s.tokens[api.Viewer])...)
	for _, want := range []string{
		`pabal_console_requests_total{route="GET topics/{topic}",status="200"} 1`, `pabal_console_requests_total{route="GET topics/{topic}",status="401"} 1`,
		`pabal_console_outbox_rows{service="payment",status="STARTED"} 2`, `pabal_console_outbox_rows{service="payment",status="FAILED"} 1`,
		`pabal_console_kafka_up 1`, `pabal_console_lens_events 3`, `pabal_console_dead_letters_open 2`, `pabal_console_streams 0`,
		`pabal_console_service_up{service="payment",instance="i1"} 1`, `process_resident_memory_bytes`,
	} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("no %s in\n%s", want, a.body)
		}
	}
	if got := label("a\"b\\c\nd"); got != `"a\"b\\c_d"` {
		t.Errorf("label %s", got)
	}
}

// TestPanicIsAnswered: one bad request is not the end of the console.
func TestPanicIsAnswered(t *testing.T) {
	s := newSite(t, false)
	s.tail = func(context.Context, func(api.Message) error) error { panic("a mistake of ours") }
	s.console.pages = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a mistake of ours") })
	a := s.get(t, "/")
	if p := a.problem(t); a.status != http.StatusInternalServerError || strings.Contains(p.Detail, "mistake") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.get(t, "/livez"); a.status != http.StatusOK {
		t.Errorf("after it: %d", a.status)
	}
}

// TestNoUsersNoServer: what the console has counts, not what the server is told.
func TestNoUsersNoServer(t *testing.T) {
	s := newSite(t, false)
	if _, err := NewServer(s.console, Config{Listen: "0.0.0.0:0", Users: (*auth.Users)(nil)}); !errors.Is(err, ErrConfig) {
		t.Errorf("got %v", err)
	}
}

func TestURLOfAllInterfacesNamesThisMachine(t *testing.T) {
	for addr, want := range map[string]string{
		"[::]:8080": "localhost:8080", "0.0.0.0:80": "localhost:80", "127.0.0.1:1": "127.0.0.1:1", "10.1.2.3:80": "10.1.2.3:80", "": "",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("%q is reached at %q, want %q", addr, got, want)
		}
	}
}
