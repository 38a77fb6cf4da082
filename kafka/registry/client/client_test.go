package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// front is a registry behind a door that can be shut, and that counts who goes in.
type front struct {
	*httptest.Server
	shut  atomic.Bool
	asked atomic.Int64
	seen  func(*http.Request)
}

func newFront(t *testing.T) *front {
	t.Helper()
	r, err := registry.Open(t.Context(), registry.Config{Kafka: kafkatest.Start(t).Config, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	f, inner := &front{}, r.Handler()
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked.Add(1)
		if f.seen != nil {
			f.seen(r)
		}
		if f.shut.Load() {
			http.Error(w, "closed", http.StatusServiceUnavailable)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func open(t *testing.T, c client.Config) *client.Client {
	t.Helper()
	c.Logger = quiet()
	cl, err := client.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cl.Close(); err != nil {
			t.Error(err)
		}
	})
	return cl
}

func fixed(size int) client.Schema {
	return client.Schema{Text: fmt.Sprintf(`{"type":"fixed","name":"F","size":%d}`, size)}
}

func TestLife(t *testing.T) {
	f := newFront(t)
	c, ctx := open(t, client.Config{URLs: []string{f.URL}}), t.Context()
	id, err := c.Register(ctx, "s/ü", fixed(1))
	if err != nil || id != 1 {
		t.Fatalf("id %d: %v", id, err)
	}
	s, err := c.ByID(ctx, id)
	if err != nil || s.Text != fixed(1).Text || s.Type != client.Avro {
		t.Errorf("by id: %+v %v", s, err)
	}
	found, err := c.Lookup(ctx, "s/ü", fixed(1))
	if err != nil || found.Version != 1 || found.Subject != "s/ü" {
		t.Errorf("looked up: %+v %v", found, err)
	}
	latest, err := c.Latest(ctx, "s/ü")
	if err != nil || latest.ID != 1 {
		t.Errorf("latest: %+v %v", latest, err)
	}
	reasons, err := c.Compatible(ctx, "s/ü", fixed(2))
	if err != nil || len(reasons) == 0 || !strings.Contains(reasons[0], "FIXED_SIZE_MISMATCH") {
		t.Errorf("compatible: %v %v", reasons, err)
	}
	if reasons, err := c.Compatible(ctx, "s/ü", fixed(1)); err != nil || len(reasons) > 0 {
		t.Errorf("compatible: %v %v", reasons, err)
	}
	with := client.Schema{Text: `["null","F"]`, References: []client.Reference{{Name: "F", Subject: "s/ü", Version: 1}}}
	if id, err := c.Register(ctx, "u", with); err != nil || id != 2 {
		t.Errorf("with a reference: %d %v", id, err)
	}
	if v, err := c.Version(ctx, "s/ü", 1); err != nil || v.Text != fixed(1).Text {
		t.Errorf("version: %+v %v", v, err)
	}
}

func TestErrors(t *testing.T) {
	f := newFront(t)
	c, ctx := open(t, client.Config{URLs: []string{f.URL}}), t.Context()
	if _, err := c.Register(ctx, "s", fixed(1)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Register(ctx, "s", fixed(2))
	is(t, err, client.ErrIncompatible)
	_, err = c.Register(ctx, "s", client.Schema{Text: "{"})
	is(t, err, client.ErrInvalid)
	_, err = c.ByID(ctx, 99)
	is(t, err, client.ErrNotFound)
	before := f.asked.Load()
	_, err = c.ByID(ctx, 99)
	is(t, err, client.ErrNotFound)
	if f.asked.Load() != before {
		t.Error("an id that does not exist is asked for again at once")
	}
	_, err = c.Latest(ctx, "none")
	is(t, err, client.ErrNotFound)
	_, err = c.Lookup(ctx, "s", fixed(3))
	is(t, err, client.ErrNotFound)
	var answer *client.Error
	if !errors.As(err, &answer) || answer.Code != 40403 {
		t.Errorf("the answer is %+v", answer)
	}
	for _, bad := range []client.Config{{}, {URLs: []string{"localhost:8081"}}, {URLs: []string{f.URL}, Context: ":x"}, {URLs: []string{f.URL}, User: "a", Token: "b"}, {URLs: []string{f.URL}, CacheFile: "/no/such/folder/file"}} {
		if _, err := client.New(bad); !errors.Is(err, client.ErrConfig) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, bad := range []string{"ftp://ann:secret@there", "ann:secret@there:8081", "http://ann:secret@th ere"} {
		if _, err := client.New(client.Config{URLs: []string{bad}}); !errors.Is(err, client.ErrConfig) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func is(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("the error is %v, want %v", err, kind)
	}
}

// TestAsksOnce: many that need the same id make one request.
func TestAsksOnce(t *testing.T) {
	f := newFront(t)
	c, ctx := open(t, client.Config{URLs: []string{f.URL}}), t.Context()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if id, err := c.Register(ctx, "s", fixed(1)); err != nil || id != 1 {
				t.Errorf("id %d: %v", id, err)
			}
		})
	}
	wg.Wait()
	if n := f.asked.Load(); n != 1 {
		t.Errorf("registering asked %d times", n)
	}
	for range 50 {
		wg.Go(func() {
			if _, err := c.ByID(ctx, 1); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := f.asked.Load(); n != 2 {
		t.Errorf("with the schema of the id it was asked %d times", n)
	}
}

// TestDown: known ids go on, a new one is asked for until the registry is back.
func TestDown(t *testing.T) {
	f := newFront(t)
	c, ctx := open(t, client.Config{URLs: []string{f.URL}, LatestFor: time.Nanosecond}), t.Context()
	for i := 1; i <= 2; i++ {
		if _, err := c.Register(ctx, fmt.Sprint("s", i), fixed(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.ByID(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Latest(ctx, "s1"); err != nil {
		t.Fatal(err)
	}
	f.shut.Store(true)
	if s, err := c.ByID(ctx, 1); err != nil || s.Text != fixed(1).Text {
		t.Errorf("a known id: %v", err)
	}
	if id, err := c.Register(ctx, "s1", fixed(1)); err != nil || id != 1 {
		t.Errorf("a known schema: %v", err)
	}
	if latest, err := c.Latest(ctx, "s1"); err != nil || latest.ID != 1 {
		t.Errorf("a known subject: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err := c.ByID(short, 2)
	is(t, err, client.ErrUnavailable)

	before := f.asked.Load()
	answer := make(chan error, 1)
	go func() {
		_, err := c.ByID(ctx, 2)
		answer <- err
	}()
	for f.asked.Load() < before+2 {
		select {
		case err := <-answer:
			t.Fatalf("it gave up: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	f.shut.Store(false)
	if err := <-answer; err != nil {
		t.Error(err)
	}
}

// TestGivesUp: a registry that stays away is an error that says so.
func TestGivesUp(t *testing.T) {
	f := newFront(t)
	f.shut.Store(true)
	c := open(t, client.Config{URLs: []string{f.URL}, RetryFor: -1})
	_, err := c.ByID(t.Context(), 1)
	is(t, err, client.ErrUnavailable)
	if n := f.asked.Load(); n != 1 {
		t.Errorf("it asked %d times", n)
	}
}

func TestNextInstance(t *testing.T) {
	f := newFront(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	c := open(t, client.Config{URLs: []string{gone.URL, f.URL}})
	if _, err := c.Register(t.Context(), "s", fixed(1)); err != nil {
		t.Error(err)
	}
}

func TestContext(t *testing.T) {
	f := newFront(t)
	a, b := open(t, client.Config{URLs: []string{f.URL}, Context: ".a"}), open(t, client.Config{URLs: []string{f.URL + "/"}, Context: "b"})
	for i, c := range []*client.Client{a, b} {
		if id, err := c.Register(t.Context(), "s", fixed(i+1)); err != nil || id != 1 {
			t.Errorf("id %d: %v", id, err)
		}
		if s, err := c.ByID(t.Context(), 1); err != nil || s.Text != fixed(i+1).Text {
			t.Errorf("%+v %v", s, err)
		}
	}
	if latest, err := a.Latest(t.Context(), "s"); err != nil || latest.Subject != ":.a:s" {
		t.Errorf("latest: %+v %v", latest, err)
	}
}

func TestCredentials(t *testing.T) {
	f := newFront(t)
	var got atomic.Value
	f.seen = func(r *http.Request) { got.Store(r.Header.Get("Authorization")) }
	for want, c := range map[string]client.Config{
		"Basic YTpi": {URLs: []string{f.URL}, User: "a", Password: "b"},
		"Bearer t":   {URLs: []string{f.URL}, Token: "t"},
	} {
		if _, err := open(t, c).Latest(t.Context(), "s"); !errors.Is(err, client.ErrNotFound) {
			t.Error(err)
		}
		if got.Load() != want {
			t.Errorf("sent %v, want %s", got.Load(), want)
		}
	}
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer refusing.Close()
	_, err := open(t, client.Config{URLs: []string{refusing.URL}}).Latest(t.Context(), "s")
	is(t, err, client.ErrUnauthorized)
}

// TestNoRegistry: what a proxy answers says nothing about ids and subjects.
func TestNoRegistry(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		text   string
		kind   error
		not    error
	}{
		"a page":                    {200, "<html>", client.ErrUnavailable, client.ErrNotFound},
		"an ingress without a path": {404, "default backend - 404", client.ErrUnavailable, client.ErrNotFound},
		"an ingress with JSON":      {404, `{"message":"no Route matched with those values"}`, client.ErrUnavailable, client.ErrNotFound},
		"a registry":                {404, `{"error_code":40403,"message":"Schema not found"}`, client.ErrNotFound, client.ErrUnavailable},
	} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(answer.status)
			fmt.Fprint(w, answer.text)
		}))
		_, err := open(t, client.Config{URLs: []string{proxy.URL}, RetryFor: -1}).ByID(t.Context(), 1)
		proxy.Close()
		if !errors.Is(err, answer.kind) || errors.Is(err, answer.not) {
			t.Errorf("%s: %v", name, err)
		}
		if answer.kind == client.ErrUnavailable && !strings.Contains(err.Error(), "not a schema registry") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOffline: what was known is known after a start without a registry.
func TestOffline(t *testing.T) {
	f := newFront(t)
	file := filepath.Join(t.TempDir(), "schemas.json")
	cfg := client.Config{URLs: []string{f.URL}, CacheFile: file, RetryFor: -1, Logger: quiet()}
	first, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Register(t.Context(), "s", fixed(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Latest(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	f.shut.Store(true)
	again := open(t, cfg)
	if s, err := again.ByID(t.Context(), 1); err != nil || s.Text != fixed(1).Text {
		t.Errorf("by id: %+v %v", s, err)
	}
	if id, err := again.Register(t.Context(), "s", fixed(1)); err != nil || id != 1 {
		t.Errorf("registered: %d %v", id, err)
	}
	if latest, err := again.Latest(t.Context(), "s"); err != nil || latest.Version != 1 {
		t.Errorf("latest: %+v %v", latest, err)
	}
	_, err = again.ByID(t.Context(), 2)
	is(t, err, client.ErrUnavailable)

	other := cfg
	other.Context = ".other"
	_, err = open(t, other).ByID(t.Context(), 1)
	is(t, err, client.ErrUnavailable) // the file has the ids of another context
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = open(t, cfg).ByID(t.Context(), 1)
	is(t, err, client.ErrUnavailable)
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("files that are left: %v %v", left, err)
	}
}
