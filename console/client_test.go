package console

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

// same compares what the client got with what the engine itself says.
func same[T any](t *testing.T, what string, near, far func() (T, error)) {
	t.Helper()
	want, err1 := near()
	got, err2 := far()
	if err1 != nil || err2 != nil {
		t.Errorf("%s: %v, %v", what, err1, err2)
		return
	}
	a, err1 := encodeJSON(want)
	b, err2 := encodeJSON(got)
	if err1 != nil || err2 != nil || string(a) != string(b) {
		t.Errorf("%s: got %s, want %s", what, b, a)
	}
}

// TestClientIsTheEngines asks everything over HTTP and next to it: the answers are the
// same, and the engines are asked the same.
func TestClientIsTheEngines(t *testing.T) {
	s := newSite(t, false)
	used := &routesUsed{}
	s.console.api = used.watch(s.console.api)
	ctx := t.Context()
	far := s.client(t, "").Engines("v1.2.3")
	near := s.engines()
	for _, e := range []api.Engines{near, far} {
		s.set(func(f *fake) { f.calls = nil })
		askAll(t, ctx, e)
		asked := slices.DeleteFunc(s.asked(), func(c string) bool {
			return strings.HasPrefix(c, "record ") || strings.HasPrefix(c, "at ") || c == "topic a/b"
		})
		if used.want == nil {
			used.want = asked
		} else if !slices.Equal(asked, used.want) {
			t.Errorf("the engines were asked\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(used.want, "\n"))
		}
	}
	same(t, "cluster", func() (api.Cluster, error) { return near.Topics.Cluster(ctx) }, func() (api.Cluster, error) { return far.Topics.Cluster(ctx) })
	same(t, "topic", func() (api.Topic, error) { return near.Topics.Topic(ctx, "orders") }, func() (api.Topic, error) { return far.Topics.Topic(ctx, "orders") })
	same(t, "messages", func() (api.Messages, error) { return near.Topics.Messages(ctx, api.MessageQuery{Topic: "orders"}) }, func() (api.Messages, error) { return far.Topics.Messages(ctx, api.MessageQuery{Topic: "orders"}) })
	same(t, "services", func() ([]api.Service, error) { return near.Services.Services(ctx) }, func() ([]api.Service, error) { return far.Services.Services(ctx) })
	same(t, "trace", func() (api.Trace, error) { return near.Lens.Trace(ctx, "c1") }, func() (api.Trace, error) { return far.Lens.Trace(ctx, "c1") })
	same(t, "letter", func() (api.DeadLetter, error) { return near.DeadLetters.Letter(ctx, "payment.dead/0/4") }, func() (api.DeadLetter, error) { return far.DeadLetters.Letter(ctx, "payment.dead/0/4") })
	same(t, "group", func() (api.Group, error) { return near.Groups.Group(ctx, "payment") }, func() (api.Group, error) { return far.Groups.Group(ctx, "payment") })

	c := s.client(t, "")
	service, err := near.Services.At(ctx, "payment")
	if err != nil {
		t.Fatal(err)
	}
	one := int64(1)
	diff := api.DiffQuery{Service: "payment", PersistenceID: "order|1", From: &one, To: 3}
	field := api.FieldQuery{Service: "payment", PersistenceID: "order|1", Path: `items[0]["n"]`}
	same(t, "diff", func() (api.StateDiff, error) { return api.DiffStates(ctx, service, diff) }, func() (api.StateDiff, error) { return c.Diff(ctx, diff) })
	same(t, "changes", func() (api.FieldHistory, error) { return api.FieldChanges(ctx, service, field) }, func() (api.FieldHistory, error) { return c.FieldChanges(ctx, field) })
	same(t, "projections", func() (api.ProjectionList, error) { return near.Projections(ctx) }, func() (api.ProjectionList, error) { return c.Projections(ctx) })
	sagas := api.SagaQuery{Name: "place-order", Status: []saga.Status{saga.Running, saga.NeedsReview}, StartedBefore: "2026-01-31T12:00:00Z", Limit: 1}
	same(t, "sagas", func() (api.SagaList, error) { return near.Sagas(ctx, sagas) }, func() (api.SagaList, error) { return c.Sagas(ctx, sagas) })
	same(t, "saga counts", func() (api.SagaCounts, error) { return near.SagaCounts(ctx) }, func() (api.SagaCounts, error) { return c.SagaCounts(ctx) })
	if me, err := c.Me(ctx); err != nil || me != (api.Me{User: "local", Role: api.Admin, Open: true}) {
		t.Errorf("me: %+v, %v", me, err)
	}
	if o, err := c.Overview(ctx); err != nil || o.Version != "v1.2.3" || len(o.Services) != 1 {
		t.Errorf("overview: %+v, %v", o, err)
	}
	if doc, err := c.OpenAPI(ctx); err != nil || len(doc) < 1000 {
		t.Errorf("openapi: %d bytes, %v", len(doc), err)
	}
	done := errors.New("enough")
	if err := c.Events(ctx, func(any) error { return done }); !errors.Is(err, done) {
		t.Errorf("events: %v", err)
	}
	for _, rt := range routes {
		if pattern := rt.method + " " + apiRoot + rt.pattern; !used.has(pattern) && rt.pattern != "login" && rt.pattern != "logout" {
			t.Errorf("the client has no way to %s", pattern)
		}
	}
}

// routesUsed notes which routes were asked for.
type routesUsed struct {
	mu   sync.Mutex
	seen []string
	want []string
}

func (u *routesUsed) watch(mux *http.ServeMux) *http.ServeMux {
	outer := http.NewServeMux()
	outer.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		u.mu.Lock()
		u.seen = append(u.seen, pattern)
		u.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
	return outer
}

func (u *routesUsed) has(pattern string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Contains(u.seen, pattern)
}

// askAll calls every method of the engines once, with names that need escaping.
func askAll(t *testing.T, ctx context.Context, e api.Engines) {
	t.Helper()
	q := api.PageQuery{Search: "a&b=c d", Cursor: "ü", Limit: 7}
	enough := errors.New("enough")
	service, err := e.Services.At(ctx, "pay ment/..")
	check := func(errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
	}
	check(err)
	for _, ask := range []func() error{
		func() error { return second(e.Topics.Cluster(ctx)) },
		func() error { return second(e.Topics.Topics(ctx, api.TopicQuery{PageQuery: q, Internal: true})) },
		func() error { return second(e.Topics.Topic(ctx, "a/b?c#d%2F")) },
		func() error {
			return e.Topics.CreateTopic(ctx, api.NewTopic{Name: "n", Partitions: 3, Config: map[string]string{"a": "b"}})
		},
		func() error {
			return second(e.Topics.Messages(ctx, api.MessageQuery{Topic: "..", Partition: &partition2, From: "time:2026-01-01T00:00:00+01:00", Filter: "x y", Full: true}))
		},
		func() error {
			return second(e.Topics.Produce(ctx, api.ProduceRequest{Topic: "a/b", Key: "k", Value: "<v>\x00"}))
		},
		func() error { return second(e.Groups.Groups(ctx, q)) },
		func() error { return second(e.Groups.Group(ctx, ".")) },
		func() error {
			return second(e.Groups.Reset(ctx, api.ResetRequest{Group: "g//", Topic: "t", To: "latest"}))
		},
		func() error { return second(e.Services.Services(ctx)) },
		func() error { return second(service.Status(ctx)) },
		func() error {
			return second(service.Rows(ctx, outbox.RowQuery{Status: "FAILED", EventIDs: []string{"a", "b,c"}, After: 5, Payload: true}))
		},
		func() error { return second(service.Replay(ctx, 1, 2)) },
		func() error { return second(service.Replay(ctx)) },
		func() error { return service.PauseRelay(ctx, "why") },
		func() error { return service.ResumeRelay(ctx) },
		func() error { return second(service.Positions(ctx, "c/d")) },
		func() error { return second(service.Marks(ctx, "c", "x", "y")) },
		func() error {
			return second(service.Waiting(ctx, inbox.WaitingQuery{Consumer: "c", Offset: &offset7, After: &inbox.Place{Topic: "t", Partition: 1, Offset: 2}}))
		},
		func() error {
			return second(service.StartReplay(ctx, admin.ReplayRequest{Consumer: "c", Topic: "t", Partition: 1, Offset: 0}))
		},
		func() error { return second(service.Release(ctx, "c", "t", "k")) },
		func() error { return second(service.EntityTypes(ctx)) },
		func() error {
			return second(service.Entities(ctx, admin.EntityQuery{Type: "a b", Kind: admin.Durable, Prefix: "x&y", After: `{"c":1}`, Limit: 7}))
		},
		func() error { return second(service.Entity(ctx, "order|a/b?c")) },
		func() error {
			return second(service.Events(ctx, admin.EventQuery{PersistenceID: "주문|ü", From: 2, To: 9, Limit: 3}))
		},
		func() error {
			return second(service.States(ctx, admin.StateQuery{PersistenceID: "order|1", From: 2, To: 3}))
		},
		func() error { return second(service.SagaCounts(ctx)) },
		func() error {
			return second(service.Sagas(ctx, saga.Query{Name: "n", ID: "주문/1", CorrelationID: "c&", Status: []saga.Status{saga.Running, saga.Resolved},
				StartedBefore: at0, After: &saga.Place{Started: at0, Name: "n", ID: "a=b"}, Limit: 3}))
		},
		func() error { return second(service.Saga(ctx, "place-order", "..")) },
		func() error {
			return second(service.ActOnSaga(ctx, saga.Act{Saga: "place-order", ID: "주문/1 ?", Do: saga.SkipAct, Step: "pay", Reason: "r", Actor: "local", Revision: 7}))
		},
		func() error { return second(e.Streams.StreamsApps(ctx)) },
		func() error { return second(e.Streams.StreamsApp(ctx, "a/b")) },
		func() error {
			key := "a/.. ?&"
			return second(e.Streams.QueryStore(ctx, api.StoreQuery{StoreQuery: admin.StoreQuery{Application: "a", Store: "s/..", Key: &key, TimeFrom: "5", Stale: true, Limit: 3}}))
		},
		func() error {
			return second(e.Streams.QueryStore(ctx, api.StoreQuery{StoreQuery: admin.StoreQuery{Application: "a", Store: "s", From: "주문", To: "z", Reverse: true, Cursor: "c+/"}}))
		},
		func() error {
			return second(e.Streams.PauseStreams(ctx, api.PauseStreams{Application: "a/b", Paused: true}))
		},
		func() error {
			return second(e.Streams.ResetStreams(ctx, api.ResetStreams{Application: "a", To: "beginning"}))
		},
		func() error { return second(e.Connectors.Connectors(ctx)) },
		func() error { return second(e.Connectors.Connector(ctx, "a/b ?")) },
		func() error { return second(e.Connectors.ConnectorPlugins(ctx)) },
		func() error { return second(e.Connectors.ConnectorPlugin(ctx, "io.x.Y")) },
		func() error {
			return second(e.Connectors.CreateConnector(ctx, api.ConnectorConfig{Connector: "주문/1", Config: map[string]string{"password": "p"}, DryRun: true}))
		},
		func() error {
			return second(e.Connectors.ConfigureConnector(ctx, api.ConnectorConfig{Connector: "a/..", Config: map[string]string{"a": "b"}}))
		},
		func() error {
			return second(e.Connectors.ActOnConnector(ctx, api.ActOnConnector{Connector: "a", Do: "restart", FailedOnly: true}))
		},
		func() error { return second(e.Connectors.DeleteConnector(ctx, api.DeleteConnector{Connector: ".."})) },
		func() error {
			return second(e.Connectors.SetConnectorOffsets(ctx, api.SetConnectorOffsets{Connector: "a", Offsets: aConnector.Offsets}))
		},
		func() error {
			return second(e.Schemas.Subjects(ctx, api.SubjectQuery{PageQuery: api.PageQuery{Search: "o"}, Deleted: true}))
		},
		func() error { return second(e.Schemas.Subject(ctx, api.OneSubject{Subject: "a/..", Version: 2})) },
		func() error {
			return second(e.Schemas.DiffSchemas(ctx, api.SchemaDiffQuery{Subject: "a b?", From: 1, To: 2}))
		},
		func() error {
			return second(e.Schemas.CheckSchema(ctx, api.SchemaCandidate{Subject: "a", Text: "{}", References: aVersion.References}))
		},
		func() error { return second(e.Schemas.SubjectUse(ctx, "주문/1")) },
		func() error { return second(e.Schemas.SetCompatibility(ctx, api.SetCompatibility{Level: "FULL"})) },
		func() error { return second(e.Schemas.SetCompatibility(ctx, api.SetCompatibility{Subject: "a"})) },
		func() error {
			return second(e.Schemas.DeleteSchema(ctx, api.DeleteSchema{Subject: "..", Permanent: true}))
		},
		func() error { return second(e.Broker.BrokerState(ctx)) },
		func() error { return second(e.Broker.BrokerTopics(ctx, api.TopicQuery{PageQuery: q, Internal: true})) },
		func() error { return second(e.Broker.BrokerTopic(ctx, "주문/1")) },
		func() error { return second(e.Broker.BrokerTransactions(ctx, q)) },
		func() error { return second(service.Projections(ctx)) },
		func() error { return service.PauseProjection(ctx, "a/b") },
		func() error { return service.ResumeProjection(ctx, "view") },
		func() error {
			return service.ResetProjection(ctx, admin.ProjectionReset{Projection: "view", To: "now"})
		},
		func() error {
			return second(service.RebuildProjection(ctx, admin.RebuildRequest{Projection: "view", Step: admin.RebuildCompare}))
		},
		func() error {
			return second(service.RebuildProjection(ctx, admin.RebuildRequest{Projection: "view", Step: admin.RebuildSwap}))
		},
		func() error { return second(e.Lens.Search(ctx, api.TraceQuery{PageQuery: q})) },
		func() error { return second(e.Lens.Trace(ctx, "o/1 ?")) },
		func() error { return second(e.Lens.State(ctx)) },
		func() error { return second(e.Lens.Violations(ctx)) },
		func() error {
			return second(e.DeadLetters.Fingerprints(ctx, api.FingerprintQuery{PageQuery: q, Closed: true}))
		},
		func() error {
			return second(e.DeadLetters.Letters(ctx, api.LetterQuery{PageQuery: q, Fingerprint: "f", State: "open"}))
		},
		func() error { return second(e.DeadLetters.Letter(ctx, "t/1/2")) },
		func() error {
			return second(e.DeadLetters.Redrive(ctx, api.RedriveRequest{IDs: []string{"a/1/2"}, DryRun: true}))
		},
		func() error { return second(e.DeadLetters.Redrives(ctx, q)) },
		func() error { return second(e.DeadLetters.RedriveByID(ctx, "r")) },
		func() error { return second(e.DeadLetters.CancelRedrive(ctx, "r")) },
		func() error { return second(e.Audit.Entries(ctx, q)) },
	} {
		check(ask())
	}
	if err := e.Topics.Tail(ctx, api.MessageQuery{Topic: "a/b"}, func(m api.Message) error {
		if !reflect.DeepEqual(m, aMessage) {
			t.Errorf("the tail has %+v", m)
		}
		return enough
	}); !errors.Is(err, enough) {
		t.Errorf("tail: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestErrorsCrossTheWire: the client's error is the engine's, with its words.
func TestErrorsCrossTheWire(t *testing.T) {
	s := newSite(t, false)
	c := s.client(t, "")
	for _, kind := range []error{
		api.ErrInvalid, api.ErrUnauthenticated, api.ErrForbidden, api.ErrNotFound, api.ErrConflict, api.ErrTooLarge, api.ErrBusy, api.ErrUnavailable,
		admin.ErrNotFound, admin.ErrConflict, admin.ErrInvalid, admin.ErrUnavailable,
	} {
		cause := errors.Join(kind, errors.New("the words"))
		s.set(func(f *fake) { f.fail = cause })
		_, err := c.Topic(t.Context(), "x")
		if api.Status(err) != api.Status(kind) || api.ExitCode(err) != api.ExitCode(kind) || !strings.Contains(err.Error(), "the words") {
			t.Errorf("%v became %v (%d, %d)", kind, err, api.Status(err), api.ExitCode(err))
		}
		if err := c.Tail(t.Context(), api.MessageQuery{Topic: "x"}, nil); api.Status(err) != api.Status(kind) {
			t.Errorf("tail: %v became %v", kind, err)
		}
	}
	s.set(func(f *fake) { f.fail = errors.New("surprise") })
	if _, err := c.Topic(t.Context(), "x"); api.Status(err) != 500 || api.ExitCode(err) != 1 || !strings.Contains(err.Error(), "surprise") {
		t.Errorf("%v", err)
	}
}

func TestTailThatFailsLaterSaysWhy(t *testing.T) {
	s := newSite(t, false)
	s.tail = func(_ context.Context, fn func(api.Message) error) error {
		if err := fn(aMessage); err != nil {
			return err
		}
		return errors.Join(api.ErrNotFound, errors.New("the topic was deleted"))
	}
	n := 0
	err := s.client(t, "").Tail(t.Context(), api.MessageQuery{Topic: "x"}, func(api.Message) error { n++; return nil })
	if n != 1 || !errors.Is(err, api.ErrNotFound) || !strings.Contains(err.Error(), "deleted") {
		t.Errorf("%d messages, %v", n, err)
	}
}

func TestClientAgainstOthers(t *testing.T) {
	s := newSite(t, true)
	if _, err := s.client(t, "nobody").Topics(t.Context(), api.TopicQuery{}); !errors.Is(err, api.ErrUnauthenticated) || api.ExitCode(err) != 5 {
		t.Errorf("without a token: %v", err)
	}
	c, err := api.NewClient(api.ClientConfig{URL: s.url + "/not/the/console"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Me(t.Context()); err == nil || !strings.Contains(err.Error(), "not") {
		t.Errorf("another path: %v", err)
	}
	away, err := api.NewClient(api.ClientConfig{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := away.Me(t.Context()); !errors.Is(err, api.ErrUnavailable) || !strings.Contains(err.Error(), "http://127.0.0.1:1") {
		t.Errorf("nobody there: %v", err)
	}
	for _, bad := range []string{"", "127.0.0.1:8080", "ftp://x", "http://", "http://u:p@h", "http://h/?a=b"} {
		if _, err := api.NewClient(api.ClientConfig{URL: bad}); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for url, ok := range map[string]bool{"http://127.0.0.1:1": true, "http://localhost": true, "http://[::1]:1": true, "https://example.org": true, "http://example.org": false} {
		if _, err := api.NewClient(api.ClientConfig{URL: url, Token: "secret"}); (err == nil) != ok {
			t.Errorf("a token to %s: %v", url, err)
		}
	}
}
