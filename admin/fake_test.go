package admin_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

var quiet = slog.New(slog.DiscardHandler)

// fake is an API that remembers what it was asked.
type fake struct {
	asked string
	err   error

	status    admin.Status
	rows      admin.RowPage
	count     int64
	positions []inbox.Position
	marks     []inbox.StoredMark
	waiting   admin.WaitingPage
	replay    inbox.Replay

	types       []admin.EntityType
	entities    admin.EntityPage
	entity      admin.Entity
	events      admin.EventPage
	states      admin.StatePage
	projections []admin.ProjectionInfo
	rebuilt     admin.Rebuilt
	sagaCounts  []saga.Count
	sagas       admin.SagaPage
	saga        admin.SagaDetail
	slowly      func(context.Context) // what a rebuild waits for
}

func (f *fake) note(format string, args ...any) { f.asked = fmt.Sprintf(format, args...) }

func (f *fake) Status(context.Context) (admin.Status, error) {
	f.note("status")
	return f.status, f.err
}

func (f *fake) Rows(_ context.Context, q outbox.RowQuery) (admin.RowPage, error) {
	f.note("rows %+v", q)
	return f.rows, f.err
}

func (f *fake) Replay(_ context.Context, ids ...int64) (int64, error) {
	f.note("replay %v", ids)
	return f.count, f.err
}

func (f *fake) PauseRelay(_ context.Context, reason string) error {
	f.note("pause %s", reason)
	return f.err
}

func (f *fake) ResumeRelay(context.Context) error {
	f.note("resume")
	return f.err
}

func (f *fake) Positions(_ context.Context, consumer string) ([]inbox.Position, error) {
	f.note("positions %s", consumer)
	return f.positions, f.err
}

func (f *fake) Marks(_ context.Context, consumer string, ids ...string) ([]inbox.StoredMark, error) {
	f.note("marks %s %q", consumer, ids)
	return f.marks, f.err
}

func (f *fake) Waiting(_ context.Context, q inbox.WaitingQuery) (admin.WaitingPage, error) {
	f.note("waiting %s", describe(q))
	return f.waiting, f.err
}

func (f *fake) StartReplay(_ context.Context, r admin.ReplayRequest) (inbox.Replay, error) {
	f.note("start replay %+v", r)
	return f.replay, f.err
}

func (f *fake) Release(_ context.Context, consumer, topic, key string) (int64, error) {
	f.note("release %s %s %s", consumer, topic, key)
	return f.count, f.err
}

func describe(q inbox.WaitingQuery) string {
	text := fmt.Sprintf("%s %q %q limit %d", q.Consumer, q.Topic, q.Key, q.Limit)
	if q.Partition != nil {
		text += fmt.Sprintf(" partition %d", *q.Partition)
	}
	if q.Offset != nil {
		text += fmt.Sprintf(" offset %d", *q.Offset)
	}
	if q.After != nil {
		text += fmt.Sprintf(" after %+v", *q.After)
	}
	return text
}

func describeSagas(q saga.Query) string {
	text := fmt.Sprintf("%q %q %q %q before %s limit %d", q.Name, q.ID, q.CorrelationID, q.Status, q.StartedBefore.Format(time.RFC3339Nano), q.Limit)
	if q.After != nil {
		text += fmt.Sprintf(" after %+v", *q.After)
	}
	return text
}

// serve mounts api as a service would.
func serve(t *testing.T, api admin.API, c admin.HandlerConfig) (url string) {
	t.Helper()
	if c.Logger == nil {
		c.Logger = quiet
	}
	mux := http.NewServeMux()
	mux.Handle("/admin/", http.StripPrefix("/admin", admin.Handler(api, c)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/admin"
}

func client(t *testing.T, c admin.ClientConfig) *admin.Client {
	t.Helper()
	client, err := admin.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// answer is what a request gets.
func answer(t *testing.T, r *http.Request) (status int, body string) {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

var someTime = time.Date(2026, 2, 3, 4, 5, 6, 789000, time.UTC)
