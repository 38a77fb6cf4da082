package streams_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
)

// queried counts words, all in all and by seconds.
func queried(t testing.TB) *streams.Topology {
	b := streams.NewBuilder()
	g := streams.From(b, "words", serde.String(), serde.String()).GroupByKey()
	streams.Count(g, streams.Materialized("counts"))
	streams.CountWindows(g, streams.Tumbling(time.Second).Grace(time.Hour), streams.Materialized("windows"))
	streams.CountSessions(g, streams.Sessions(time.Second).Grace(time.Hour), streams.Materialized("sessions"))
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return topology
}

// served is an App and the server that answers for it.
type served struct {
	*streams.App
	server *httptest.Server
}

func serve(t testing.TB, k kafka.Config, change ...func(*streams.Config)) *served {
	var handler atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := handler.Load().(http.Handler); ok {
			h.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	cfg := streams.Config{ApplicationID: "queried", Kafka: k, Endpoint: server.URL + "/at", Workers: 1, CommitInterval: 20 * time.Millisecond,
		ProbeInterval: 100 * time.Millisecond, SessionTimeout: 6 * time.Second, HeartbeatInterval: 50 * time.Millisecond}
	for _, f := range change {
		f(&cfg)
	}
	app := startApp(t, queried(t), cfg)
	handler.Store(http.StripPrefix("/at", app.Handler()))
	return &served{app, server}
}

// write n words of each key, k0 to k(keys-1), at second s.
func writeWords(t testing.TB, c *kgo.Client, k kafka.Config, keys, n int, s int64) {
	t.Helper()
	var records []*kgo.Record
	for i := range keys {
		for range n {
			records = append(records, &kgo.Record{Topic: k.Topic("words"), Key: fmt.Appendf(nil, "k%d", i), Value: []byte("v"), Timestamp: time.UnixMilli(s * 1000)})
		}
	}
	if err := c.ProduceSync(withDeadline(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestQueriesOfOneApp(t *testing.T) {
	k := kafkatest.Start(t).Config
	c := newClient(t, k)
	makeTopics(t, c, k, 4, "words")
	app := serve(t, k)
	writeWords(t, c, k, 10, 3, 5)
	writeWords(t, c, k, 10, 2, 9)
	ctx := withDeadline(t)
	counts, err := streams.WaitStore[string, int64](ctx, app.App, "counts")
	if err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "everything is counted", time.Minute, func() bool {
		sum := int64(0)
		for p, err := range counts.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			sum += p.Value
		}
		return sum == 50
	})
	windows, err := streams.WaitWindowStore[string, int64](ctx, app.App, "windows")
	if err != nil {
		t.Fatal(err)
	}
	if n, ok, err := windows.Fetch(ctx, "k7", 9000); err != nil || !ok || n != 2 {
		t.Errorf("the window of 9 s: %d, %v, %v", n, ok, err)
	}
	sessions, err := streams.WaitSessionStore[string, int64](ctx, app.App, "sessions")
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	for p, err := range sessions.Fetch(ctx, "k7") {
		found += fmt.Sprint(p.Key.Window, "=", p.Value, " ", err, "; ")
	}
	if found != "{5000 5000}=3 <nil>; {9000 9000}=2 <nil>; " {
		t.Errorf("the sessions are %s", found)
	}
	place, err := app.Metadata("counts", []byte("k7"))
	if err != nil || place.Active == nil || !place.Active.Local || place.Active.Endpoint != app.server.URL+"/at" {
		t.Errorf("the key is at %+v, %v", place, err)
	}
	if _, err := streams.WaitStore[string, string](ctx, app.App, "counts"); !errors.Is(err, streams.ErrNoStore) {
		t.Errorf("a store of other values: %v", err)
	}
}

// TestQueriesOfThreeApps: each answers for all, also while one leaves and one comes: rightly,
// or by saying that it is not ready.
func TestQueriesOfThreeApps(t *testing.T) {
	k := kafkatest.Start(t).Config
	c := newClient(t, k)
	makeTopics(t, c, k, 6, "words")
	standby := func(cfg *streams.Config) { cfg.Standbys = 1 }
	apps := []*served{serve(t, k, standby), serve(t, k, standby), serve(t, k, standby)}
	const keys = 30
	writeWords(t, c, k, keys, 5, 5)
	ctx := withDeadline(t)
	stores := make([]*streams.Store[string, int64], len(apps))
	for i, app := range apps {
		testenv.Wait(t, "the tasks are spread", time.Minute, func() bool { return len(app.Stats().Tasks) == 2 && app.State() == streams.Running })
		var err error
		if stores[i], err = streams.WaitStore[string, int64](ctx, app.App, "counts", streams.Routed(nil)); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range stores {
		for n := range keys {
			key := fmt.Sprint("k", n)
			testenv.Wait(t, "every instance answers for "+key, time.Minute, func() bool { return answers(t, ctx, s, key) })
		}
		testenv.Wait(t, fmt.Sprint("instance ", i, " has all"), time.Minute, func() bool {
			n := 0
			for p, err := range s.All(ctx) {
				if err != nil && !isPassing(err) {
					t.Fatal(err)
				}
				if p.Value == 5 {
					n++
				}
			}
			return n == keys
		})
	}
	checkHTTP(t, apps)
	leave := make(chan error)
	go func() { leave <- apps[2].Stop(ctx) }()
	for left := false; !left; {
		select {
		case err := <-leave:
			if err != nil {
				t.Fatal(err)
			}
			left = true
		default:
		}
		answers(t, ctx, stores[0], "k3")
		answers(t, ctx, stores[1], "k4")
	}
	for n := range keys {
		testenv.Wait(t, "the others answer for what it had", time.Minute, func() bool { return answers(t, ctx, stores[0], fmt.Sprint("k", n)) })
	}
}

// answers says whether the store answers; a wrong answer fails the test.
func answers(t *testing.T, ctx context.Context, s *streams.Store[string, int64], key string) bool {
	t.Helper()
	n, ok, err := s.Get(ctx, key)
	if err != nil {
		if !isPassing(err) {
			t.Fatal(err)
		}
		return false
	}
	if ok && n > 5 {
		t.Fatalf("%s is %d", key, n)
	}
	return ok && n == 5
}

func isPassing(err error) bool {
	return errors.Is(err, streams.ErrNotReady) || errors.Is(err, streams.ErrElsewhere) || errors.Is(err, streams.ErrUnreachable)
}

func checkHTTP(t *testing.T, apps []*served) {
	t.Helper()
	for _, app := range apps {
		resp, err := http.Get(app.server.URL + "/at/stores/counts/keys/k17")
		if err != nil {
			t.Fatal(err)
		}
		var e streams.Entry
		err = json.NewDecoder(resp.Body).Decode(&e)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || e.Key != "k17" || e.Value != 5.0 {
			t.Errorf("%d: %+v, %v", resp.StatusCode, e, err)
		}
	}
}

// TestQueriesWithoutTheOwner: its server is gone: said so, or answered by a standby.
func TestQueriesWithoutTheOwner(t *testing.T) {
	k := kafkatest.Start(t).Config
	c := newClient(t, k)
	makeTopics(t, c, k, 2, "words")
	standby := func(cfg *streams.Config) { cfg.Standbys = 1 }
	a, b := serve(t, k, standby), serve(t, k, standby)
	writeWords(t, c, k, 10, 5, 5)
	for _, app := range []*served{a, b} {
		testenv.Wait(t, "each has a task", time.Minute, func() bool { return len(app.Stats().Tasks) == 1 && app.State() == streams.Running })
	}
	ctx := withDeadline(t)
	strict, err := streams.WaitStore[string, int64](ctx, a.App, "counts", streams.Routed(nil))
	if err != nil {
		t.Fatal(err)
	}
	stale, err := streams.WaitStore[string, int64](ctx, a.App, "counts", streams.Routed(nil), streams.AllowStale(-1))
	if err != nil {
		t.Fatal(err)
	}
	key := ""
	for n := 0; key == ""; n++ {
		place, err := a.Metadata("counts", fmt.Appendf(nil, "k%d", n))
		if err != nil {
			t.Fatal(err)
		}
		if place.Active != nil && !place.Active.Local && len(place.Standbys) == 1 {
			key = fmt.Sprint("k", n)
		}
	}
	testenv.Wait(t, "b answers", time.Minute, func() bool { return answers(t, ctx, strict, key) })
	b.server.Close()
	if _, _, err := strict.Get(ctx, key); !errors.Is(err, streams.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
	testenv.Wait(t, "the standby answers", time.Minute, func() bool { return answers(t, ctx, stale, key) })
}

func TestQueriesOfVersions(t *testing.T) {
	k := kafkatest.Start(t).Config
	c := newClient(t, k)
	makeTopics(t, c, k, 2, "prices")
	b := streams.NewBuilder()
	streams.TableFrom(b, "prices", serde.String(), serde.String(), streams.Materialized("prices-store"), streams.Versioned(time.Hour))
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	app := startApp(t, topology, streams.Config{ApplicationID: "priced", Kafka: k, Workers: 1, CommitInterval: 20 * time.Millisecond})
	for at, price := range []string{"one", "two", "three"} {
		r := &kgo.Record{Topic: "prices", Key: []byte("k"), Value: []byte(price), Timestamp: time.UnixMilli(int64(1000 * at))}
		if err := c.ProduceSync(withDeadline(t), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	ctx := withDeadline(t)
	prices, err := streams.WaitVersionedStore[string, string](ctx, app, "prices-store")
	if err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the latest version is there", time.Minute, func() bool {
		v, ok, err := prices.Get(ctx, "k")
		return err == nil && ok && v.Value == "three" && v.Timestamp == 2000
	})
	if v, ok, err := prices.GetAsOf(ctx, "k", 1999); err != nil || !ok || v.Value != "two" {
		t.Errorf("as of 1999: %v, %v, %v", v, ok, err)
	}
	text := ""
	for v, err := range prices.History(ctx, "k", 500, 1500) {
		text += fmt.Sprint(v.Value, "@", v.From, " ", err, "; ")
	}
	if text != "one@0 <nil>; two@1000 <nil>; " {
		t.Errorf("the history is %s", text)
	}
	if _, err := streams.WaitStore[string, string](ctx, app, "prices-store"); !errors.Is(err, streams.ErrNoStore) {
		t.Errorf("a versioned store is no other: %v", err)
	}
}
