package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/saga"
)

// whole is an API with something in every field.
func whole() *fake {
	line := admin.SagaLine{Name: "trip", ID: "t/1", Version: 2, Revision: 9, Status: saga.Compensating, CorrelationID: "c", Reason: "r", Current: "flight",
		Started: someTime, Changed: someTime, Ended: someTime, Due: someTime}
	partition := inbox.Partition{Cluster: "c", TopicID: "00ff", Topic: "orders", Partition: 3}
	return &fake{
		status: admin.Status{Name: "payment", Instance: "h-1", Version: "v1", Cluster: "c", Prefix: "p.", Started: someTime,
			Outbox: &admin.OutboxStatus{Name: "payment", ID: "uuid", Source: "/s", DeadLetterTopic: "d",
				Backlog: outbox.Backlog{Started: 1, Failed: 2, Completed: 3, Oldest: someTime},
				Relay:   admin.RelayStatus{State: outbox.Held, Reason: "paused: x", Paused: true, Published: 4, Refused: 5, Failed: 6}},
			Consumers: []admin.ConsumerStatus{{Name: "g", Topics: []string{"a"}, DeadLetterTopic: "g.d", Answers: map[string][]string{"a": {"b"}}, Problem: "p",
				Stats: inbox.Stats{Handled: 1, Duplicates: 2, Retried: 3, Dead: 4, Skipped: 5, Repeated: 6, Missed: 7, Waiting: 8, WaitingBytes: 9,
					Partitions: []inbox.PartitionStats{{Topic: "a", Partition: 1, Next: 2, End: 3, Lag: 1, Waiting: 4, WaitingBytes: 5, Full: true, Claiming: true}}}}}},
		rows: admin.RowPage{After: 9, Rows: []outbox.StoredRow{{ID: 9, Status: outbox.Completed, Topic: "t", Key: "k", EventID: "e", Type: "y", CorrelationID: "c",
			CausationID: "d", ContentType: "j", EnqueuedAt: someTime, PublishedAt: someTime, Attempts: 2, NextAttempt: someTime, Reason: "<r>", Size: 3,
			Payload: []byte{0, 255}, Headers: []event.Header{{Key: "h", Value: []byte{1}}}}}},
		count:     7,
		positions: []inbox.Position{{Partition: partition, Next: []int64{4, -1}, Epoch: 2, Replay: inbox.Replay{Generation: 1, From: 2, To: 3}}},
		marks:     []inbox.StoredMark{{ID: "e", Outcome: inbox.Dead, Generation: 2, MarkedAt: someTime}},
		waiting: admin.WaitingPage{Waiting: []inbox.StoredWaiting{{Place: inbox.Place{Topic: "t", Partition: 1, Offset: 2}, Key: "k", ID: "i", CorrelationID: "c", Type: "y",
			Attempts: 3, Next: someTime, Parked: true, Size: 4, Reason: "r"}},
			Next: &inbox.WaitingQuery{Consumer: "g", After: &inbox.Place{Topic: "t", Partition: 1, Offset: 2}, Limit: 1}},
		replay:   inbox.Replay{Generation: 3, From: 1, To: 9},
		types:    []admin.EntityType{{Name: "order", Kind: admin.EventSourced, States: true}},
		entities: admin.EntityPage{Entities: []admin.EntityLine{{PersistenceID: "order|1", SeqNr: 3, Time: someTime}}, Next: "order|1"},
		entity: admin.Entity{PersistenceID: "order|1", Type: "order", ID: "1", Slice: 253, SeqNr: 3, First: 2, States: true,
			Snapshot: &admin.SnapshotInfo{SeqNr: 2, Time: someTime, Serializer: 31, Manifest: "m", Size: 3},
			State:    &admin.StoredState{Revision: 3, Time: someTime, Tags: []string{"t"}, Deleted: true, Payload: admin.Content{Format: "null"}}},
		events: admin.EventPage{Next: 4, Events: []admin.StoredEvent{{SeqNr: 3, Time: someTime, Tags: []string{"t"}, Writer: "w", AdapterManifest: "a",
			Payload:  admin.Content{Serializer: 31, Manifest: "m", Size: 4, Format: "json", Text: "<{}>", Cut: true, Problem: "p"},
			Metadata: &admin.Content{Serializer: 4, Size: 2, Format: "binary", Base64: []byte{0, 255}}}}},
		states: admin.StatePage{Next: 5, States: []admin.EntityState{{SeqNr: 4, State: []byte(`{"a":1}`)}}},
		projections: []admin.ProjectionInfo{{Name: "view", Source: "s", Paused: true, Workers: []string{"w"}, Ranges: []admin.ProjectionRange{{Slices: "0-9", Epoch: 2, Saved: someTime}},
			Latest: someTime, Consumed: someTime, Running: &admin.ProjectionStatus{Name: "view", Source: "s", State: "failed",
				Ranges:    []projection.RangeStats{{Slices: "0-9", State: projection.StateStopped, Epoch: 2, Latest: someTime, Consumed: someTime, LagEvents: 3, LagSeconds: 0.5, Backtracking: true, Blocker: "b", Problem: "p"}},
				LagEvents: 3, LagMore: true, LagMicros: 4, Handled: 5, Skipped: 6, Failed: 7, Retried: 8, Problem: "p", Rebuild: &admin.RebuildStatus{State: "running", LagEvents: 1, LagMore: true, Problem: "q"}}}},
		sagaCounts: []saga.Count{{Name: "trip", Status: saga.Running, Count: 3, Oldest: someTime}},
		sagas:      admin.SagaPage{Sagas: []admin.SagaLine{line}, Next: &saga.Place{Started: someTime, Name: "trip", ID: "t/1"}},
		saga: admin.SagaDetail{SagaLine: line, State: []byte(`{"a":1}`), StateSize: 7, LeftOut: 2, Operable: true,
			Steps:   []saga.StepState{{Name: "flight", Phase: saga.StepUndoing, Attempt: 1, Undo: 2, Left: 3, Unanswered: 1, Parked: true, Command: "e", Reason: "r", Since: someTime}},
			Timers:  []saga.Timer{{Kind: saga.RetryTimer, Step: "flight", Attempt: 2, Due: someTime}},
			Entries: []saga.Entry{{At: someTime, Kind: saga.EntryAct, Step: "flight", Attempt: 1, MessageID: "e", Type: "y", Topic: "t", Status: saga.Compensating, Note: "<n>", Actor: "ann"}}},
		rebuilt: admin.Rebuilt{Differences: []projection.Difference{{Table: "t", Live: 1, Copy: 2, OnlyLive: 3, OnlyCopy: 4, LiveRows: []string{"{}"}, CopyRows: []string{"[]"}}}},
	}
}

// TestRoundTrip: what is asked and answered is the same on both sides of the wire.
func TestRoundTrip(t *testing.T) {
	api := whole()
	c := client(t, admin.ClientConfig{URL: serve(t, api, admin.HandlerConfig{Token: "secret"}) + "/", Token: "secret"})
	ctx, zero, big := t.Context(), int32(0), int64(1)<<40
	rowQuery := outbox.RowQuery{Status: outbox.Failed, Topic: "a&b", Key: "k\x00=김", EventIDs: []string{"e 1", "e,2"}, Correlation: "c+", After: 5, Limit: 6, Payload: true}
	waitingQuery := inbox.WaitingQuery{Consumer: "g", Topic: "t", Key: "\xff\xfe", Partition: &zero, Offset: &big, After: &inbox.Place{Topic: "t", Offset: 7}, Limit: 8}
	entityQuery := admin.EntityQuery{Type: "주문", Kind: admin.Durable, Prefix: "a&=+", After: `{"x":1}`, Limit: 9}
	eventQuery := admin.EventQuery{PersistenceID: "order|a/../b", From: 2, To: 3, Limit: 4}
	stateQuery := admin.StateQuery{PersistenceID: "order|%2F", From: 2, To: big}
	sagaQuery := saga.Query{Name: "trip", ID: "a&=", CorrelationID: "c+", Status: []saga.Status{saga.Running, saga.NeedsReview}, StartedBefore: someTime,
		After: &saga.Place{Started: someTime, Name: "trip", ID: "주문"}, Limit: 9}
	act := saga.Act{Saga: "trip", ID: "t/1", Do: saga.ForceAct, Step: "flight", Reason: "done by hand", Actor: "ann", Revision: 9}
	request := admin.ReplayRequest{Consumer: "g", Topic: "t", Partition: 2, Offset: 3}
	for _, x := range []struct {
		call  func() (any, error)
		asked string
		want  any
	}{
		{func() (any, error) { return c.Status(ctx) }, "status", api.status},
		{func() (any, error) { return c.Rows(ctx, rowQuery) }, fmt.Sprintf("rows %+v", rowQuery), api.rows},
		{func() (any, error) { return c.Rows(ctx, outbox.RowQuery{}) }, fmt.Sprintf("rows %+v", outbox.RowQuery{}), api.rows},
		{func() (any, error) { return c.Replay(ctx, 1, 2) }, "replay [1 2]", api.count},
		{func() (any, error) { return c.Replay(ctx) }, "replay []", api.count},
		{func() (any, error) { return nil, c.PauseRelay(ctx, "lunch") }, "pause lunch", nil},
		{func() (any, error) { return nil, c.ResumeRelay(ctx) }, "resume", nil},
		{func() (any, error) { return c.Positions(ctx, "g/1") }, "positions g/1", api.positions},
		{func() (any, error) { return c.Marks(ctx, "g", "a b", "ü") }, `marks g ["a b" "ü"]`, api.marks},
		{func() (any, error) { return c.Waiting(ctx, waitingQuery) }, "waiting " + describe(waitingQuery), api.waiting},
		{func() (any, error) { return c.Waiting(ctx, inbox.WaitingQuery{Consumer: "g"}) }, `waiting g "" "" limit 0`, api.waiting},
		{func() (any, error) { return c.StartReplay(ctx, request) }, fmt.Sprintf("start replay %+v", request), api.replay},
		{func() (any, error) { return c.Release(ctx, "g", "t", "k&") }, "release g t k&", api.count},
		{func() (any, error) { return c.EntityTypes(ctx) }, "entity types", api.types},
		{func() (any, error) { return c.Entities(ctx, entityQuery) }, fmt.Sprintf("entities %+v", entityQuery), api.entities},
		{func() (any, error) { return c.Entity(ctx, "order|a/b?c") }, `entity "order|a/b?c"`, api.entity},
		{func() (any, error) { return c.Events(ctx, eventQuery) }, fmt.Sprintf("events %+v", eventQuery), api.events},
		{func() (any, error) { return c.States(ctx, stateQuery) }, fmt.Sprintf("states %+v", stateQuery), api.states},
		{func() (any, error) { return c.SagaCounts(ctx) }, "saga counts", api.sagaCounts},
		{func() (any, error) { return c.Sagas(ctx, sagaQuery) }, "sagas " + describeSagas(sagaQuery), api.sagas},
		{func() (any, error) { return c.Sagas(ctx, saga.Query{}) }, "sagas " + describeSagas(saga.Query{}), api.sagas},
		{func() (any, error) { return c.Saga(ctx, "..", "a/../b?c") }, `saga ".." "a/../b?c"`, api.saga},
		{func() (any, error) { return c.ActOnSaga(ctx, act) }, fmt.Sprintf("act on saga %+v", act), api.saga.SagaLine},
		{func() (any, error) { return c.Projections(ctx) }, "projections", api.projections},
		{func() (any, error) { return nil, c.PauseProjection(ctx, "a/b") }, `pause projection "a/b"`, nil},
		{func() (any, error) { return nil, c.ResumeProjection(ctx, "view") }, `resume projection "view"`, nil},
		{func() (any, error) {
			return nil, c.ResetProjection(ctx, admin.ProjectionReset{Projection: "view", To: "now"})
		}, "reset projection {Projection:view To:now}", nil},
		{func() (any, error) {
			return c.RebuildProjection(ctx, admin.RebuildRequest{Projection: "view", Step: admin.RebuildSwap})
		}, "rebuild {Projection:view Step:swap}", api.rebuilt},
	} {
		got, err := x.call()
		if err != nil || api.asked != x.asked || !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: asked %s, got %+v, want %+v, %v", x.asked, api.asked, got, x.want, err)
		}
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	api := &fake{}
	c := client(t, admin.ClientConfig{URL: serve(t, api, admin.HandlerConfig{})})
	kinds := []error{admin.ErrNotFound, admin.ErrInvalid, admin.ErrConflict, admin.ErrUnavailable, admin.ErrDenied}
	for _, kind := range kinds {
		api.err = fmt.Errorf("%w: <because>", kind)
		_, err := c.Release(t.Context(), "g", "t", "k")
		for _, k := range kinds {
			if errors.Is(err, k) != (k == kind) {
				t.Errorf("%v became %v", api.err, err)
			}
		}
		if err == nil || err.Error() != api.err.Error() {
			t.Errorf("%v became %v", api.err, err)
		}
	}
	api.err = errors.New("out of the blue")
	if _, err := c.Status(t.Context()); !errors.Is(err, admin.ErrUnavailable) {
		t.Errorf("an unknown error became %v", err)
	}
}

func TestGuard(t *testing.T) {
	type headers map[string]string
	for _, x := range []struct {
		name   string
		config admin.HandlerConfig
		remote string
		host   string
		header headers
		want   int
	}{
		{"loopback", admin.HandlerConfig{}, "127.0.0.1:9", "127.0.0.1:8101", nil, 200},
		{"loopback, version 6", admin.HandlerConfig{}, "[::1]:9", "[::1]:8101", nil, 200},
		{"loopback, 4 in 6", admin.HandlerConfig{}, "[::ffff:127.0.0.1]:9", "localhost", nil, 200},
		{"loopback, a token nobody wants", admin.HandlerConfig{}, "127.0.0.1:9", "localhost:1", headers{"Authorization": "Bearer x"}, 200},
		{"not loopback", admin.HandlerConfig{}, "10.0.0.1:9", "10.0.0.2:8101", nil, 401},
		{"not loopback, an empty token", admin.HandlerConfig{}, "10.0.0.1:9", "10.0.0.2", headers{"Authorization": "Bearer "}, 401},
		{"for somebody else", admin.HandlerConfig{}, "127.0.0.1:9", "127.0.0.1", headers{"X-Forwarded-For": "10.0.0.1"}, 401},
		{"through a proxy", admin.HandlerConfig{}, "127.0.0.1:9", "127.0.0.1", headers{"Via": "1.1 p"}, 401},
		{"no address", admin.HandlerConfig{}, "@", "127.0.0.1", nil, 401},
		{"token", admin.HandlerConfig{Token: "s"}, "10.0.0.1:9", "10.0.0.2", headers{"Authorization": "bearer s"}, 200},
		{"token through a proxy", admin.HandlerConfig{Token: "s"}, "10.0.0.1:9", "10.0.0.2", headers{"Authorization": "Bearer s", "Via": "p"}, 200},
		{"no token, loopback", admin.HandlerConfig{Token: "s"}, "127.0.0.1:9", "localhost", nil, 401},
		{"wrong token", admin.HandlerConfig{Token: "s"}, "127.0.0.1:9", "localhost", headers{"Authorization": "Bearer st"}, 401},
		{"another scheme", admin.HandlerConfig{Token: "s"}, "127.0.0.1:9", "localhost", headers{"Authorization": "Basic s"}, 401},
		{"foreign host", admin.HandlerConfig{}, "127.0.0.1:9", "evil.example:8101", nil, 403},
		{"foreign host with a token", admin.HandlerConfig{Token: "s"}, "127.0.0.1:9", "evil.example", headers{"Authorization": "Bearer s"}, 403},
		{"no host", admin.HandlerConfig{}, "127.0.0.1:9", "", nil, 403},
		{"our host", admin.HandlerConfig{Hosts: []string{"Orders.Example"}}, "127.0.0.1:9", "orders.example:8101", nil, 200},
		{"foreign origin", admin.HandlerConfig{}, "127.0.0.1:9", "127.0.0.1:8101", headers{"Origin": "http://evil.example"}, 403},
		{"the origin null", admin.HandlerConfig{}, "127.0.0.1:9", "127.0.0.1:8101", headers{"Origin": "null"}, 403},
		{"another port's origin", admin.HandlerConfig{}, "127.0.0.1:9", "127.0.0.1:8101", headers{"Origin": "http://127.0.0.1:8080"}, 403},
		{"own origin", admin.HandlerConfig{}, "127.0.0.1:9", "127.0.0.1:8101", headers{"Origin": "http://127.0.0.1:8101"}, 200},
		{"another site's image", admin.HandlerConfig{}, "127.0.0.1:9", "127.0.0.1:8101", headers{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a person's address line", admin.HandlerConfig{}, "127.0.0.1:9", "127.0.0.1:8101", headers{"Sec-Fetch-Site": "none"}, 200},
	} {
		x.config.Logger = quiet
		r := httptest.NewRequest("GET", "/status", nil)
		r.RemoteAddr, r.Host = x.remote, x.host
		for name, value := range x.header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		api := &fake{}
		admin.Handler(api, x.config).ServeHTTP(w, r)
		if w.Code != x.want || (api.asked != "") != (x.want == 200) {
			t.Errorf("%s: %d %s, want %d", x.name, w.Code, w.Body, x.want)
		}
		if (w.Header().Get("WWW-Authenticate") != "") != (x.want == 401) {
			t.Errorf("%s: WWW-Authenticate %q", x.name, w.Header().Get("WWW-Authenticate"))
		}
	}
}

func TestBadRequests(t *testing.T) {
	api := &fake{}
	url := serve(t, api, admin.HandlerConfig{})
	for _, x := range []struct {
		method, path, body, contentType string
		want                            int
		says                            string
	}{
		{"GET", "/", "", "", 404, "nothing at"},
		{"GET", "/outbox/replay", "", "", 404, "nothing at"},
		{"DELETE", "/status", "", "", 404, "nothing at"},
		{"GET", "/outbox/rows?limit=ten", "", "", 400, "limit"},
		{"GET", "/outbox/rows?limit=99999999999", "", "", 400, "limit"},
		{"GET", "/outbox/rows?after=1&after=2", "", "", 400, "after is given 2 times"},
		{"GET", "/outbox/rows?colour=red", "", "", 400, `"colour"`},
		{"GET", "/outbox/rows?payload=yes", "", "", 400, "payload"},
		{"GET", "/outbox/rows?eventId=%ff", "", "", 400, "eventId"},
		{"GET", "/consumers/g/waiting?partition=4294967296", "", "", 400, "partition"},
		{"GET", "/sagas?startedBefore=yesterday", "", "", 400, "startedBefore"},
		{"GET", "/sagas?afterStarted=1", "", "", 400, "afterStarted"},
		{"GET", "/saga?name=trip&id=1&id=2", "", "", 400, "id is given 2 times"},
		{"POST", "/saga", `{"saga":"trip","act":"retry"}`, "application/json", 400, "act"},
		{"POST", "/outbox/relay", `{"paused":true}`, "text/plain", 400, "application/json"},
		{"POST", "/outbox/relay", `{"paused":true}`, "", 400, "application/json"},
		{"POST", "/outbox/relay", `{"paused":"true"}`, "application/json", 400, "paused"},
		{"POST", "/outbox/relay", `{"stop":true}`, "application/json", 400, "stop"},
		{"POST", "/outbox/relay", `{} {}`, "application/json", 400, "more behind"},
		{"POST", "/outbox/relay", `{`, "application/json", 400, "body"},
		{"POST", "/outbox/replay", `{}`, "application/json", 400, "either ids or all"},
		{"POST", "/outbox/replay", `{"ids":[1],"all":true}`, "application/json", 400, "either ids or all"},
		{"POST", "/outbox/replay", `{"ids":[` + strings.Repeat("1,", 50_000) + `1]}`, "application/json", 400, "too large"},
	} {
		r, err := http.NewRequest(x.method, url+x.path, strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		if x.contentType != "" {
			r.Header.Set("Content-Type", x.contentType)
		}
		status, body := answer(t, r)
		if status != x.want || !strings.Contains(strings.ReplaceAll(body, `\"`, `"`), x.says) || api.asked != "" {
			t.Errorf("%s %s %.40s: %d %s, want %d %s; asked %q", x.method, x.path, x.body, status, body, x.want, x.says, api.asked)
		}
	}
}

// TestClientMeetsStrangers: what is no service does the client no harm.
func TestClientMeetsStrangers(t *testing.T) {
	moved := 0
	endless := make(chan struct{})
	t.Cleanup(func() { close(endless) })
	mux := http.NewServeMux()
	mux.HandleFunc("/html/status", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello") })
	mux.HandleFunc("/moved/status", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/target/status", http.StatusFound) })
	mux.HandleFunc("/target/status", func(w http.ResponseWriter, _ *http.Request) { moved++; fmt.Fprint(w, "{}") })
	mux.HandleFunc("/huge/status", func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			fmt.Fprint(w, strings.Repeat(" ", 1<<20))
		}
	})
	mux.HandleFunc("/broken/status", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/slow/status", func(http.ResponseWriter, *http.Request) { <-endless })
	server := httptest.NewServer(mux)
	t.Cleanup(server.CloseClientConnections)
	for path, want := range map[string]error{"html": admin.ErrUnavailable, "moved": admin.ErrUnavailable, "huge": admin.ErrInvalid,
		"broken": admin.ErrUnavailable, "slow": admin.ErrUnavailable, "nothing": admin.ErrUnavailable} {
		timeout := time.Minute
		if path == "slow" {
			timeout = 100 * time.Millisecond
		}
		c := client(t, admin.ClientConfig{URL: server.URL + "/" + path, Timeout: timeout, MaxAnswer: 1 << 20})
		if _, err := c.Status(t.Context()); !errors.Is(err, want) || len(err.Error()) > 300 {
			t.Errorf("%s: %v", path, err)
		}
	}
	if moved > 0 {
		t.Error("a redirect was followed")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := client(t, admin.ClientConfig{URL: server.URL}).Status(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who is gone: %v", err)
	}
	for _, url := range []string{"", "127.0.0.1:8101", "file:///etc/passwd", "http://", "http://u:p@h/", "http://h/?q=1", "http://h/#f", "gopher://h", "http://[::1"} {
		if _, err := admin.NewClient(admin.ClientConfig{URL: url}); !errors.Is(err, admin.ErrInvalid) {
			t.Errorf("URL %q: %v", url, err)
		}
	}
}

// A swap may take longer than whatever else there is, on both sides.
func TestRebuildTakesLong(t *testing.T) {
	api := &fake{slowly: func(ctx context.Context) {
		if until, _ := ctx.Deadline(); time.Until(until) < 30*time.Second {
			t.Errorf("it has %v", time.Until(until))
		}
		<-time.After(300 * time.Millisecond)
	}}
	server := httptest.NewUnstartedServer(admin.Handler(api, admin.HandlerConfig{Logger: quiet}))
	server.Config.WriteTimeout = 100 * time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	c := client(t, admin.ClientConfig{URL: server.URL, Timeout: 100 * time.Millisecond})
	if _, err := c.RebuildProjection(t.Context(), admin.RebuildRequest{Projection: "orders", Step: admin.RebuildSwap}); err != nil {
		t.Error(err)
	}
}
