package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/internal/testenv/tripservice"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/saga"
)

// TestSagasOfAService asks a whole service over HTTP: SQLite, managers, a broker.
func TestSagasOfAService(t *testing.T) {
	s := tripservice.Start(t, kafkatest.Start(t).Config)
	s.Book("done", tripservice.Trip{Traveller: "ann"})
	s.Await(tripservice.TripSaga, "done", saga.Completed, "")
	s.Book("undone", tripservice.Trip{Traveller: "bob", Refuses: "car"})
	s.Await(tripservice.TripSaga, "undone", saga.Compensated, "")
	s.Book("waits", tripservice.Trip{Traveller: "cem", Silent: "hotel"})
	s.Await(tripservice.TripSaga, "waits", saga.Running, "hotel")
	s.Book("parked", tripservice.Trip{Traveller: "dea", Refuses: "car", Broken: "flight"})
	s.Await(tripservice.TripSaga, "parked", saga.NeedsReview, "")
	s.Arrive("guest", "room-ready")
	s.Await(tripservice.ArrivalSaga, "guest", saga.Running, "")
	c := client(t, admin.ClientConfig{URL: s.URL})
	ctx := t.Context()

	status, err := c.Status(ctx)
	if got := fmt.Sprint(status.HasSagas, status.Sagas); err != nil || got != "true [arrival trip]" {
		t.Errorf("status: %s, %v", got, err)
	}
	counts, err := c.SagaCounts(ctx)
	if err != nil || len(counts) != 5 {
		t.Errorf("counts: %+v, %v", counts, err)
	}
	for _, tt := range []struct {
		q    saga.Query
		want string
	}{
		{saga.Query{}, "done undone waits parked guest"},
		{saga.Query{Name: "trip", Status: []saga.Status{saga.Running, saga.NeedsReview}}, "waits parked"},
		{saga.Query{Name: "trip", Limit: 2}, "done undone more"},
		{saga.Query{ID: "waits"}, "waits"},
		{saga.Query{CorrelationID: "guest"}, "guest"},
		{saga.Query{StartedBefore: time.Now().Add(-time.Hour)}, ""},
	} {
		page, err := c.Sagas(ctx, tt.q)
		if got := ids(page); err != nil || got != tt.want {
			t.Errorf("%+v: %q, %v, want %q", tt.q, got, err, tt.want)
		}
	}
	first, err := c.Sagas(ctx, saga.Query{Name: "trip", Limit: 3})
	if err != nil || first.Next == nil {
		t.Fatalf("%+v, %v", first, err)
	}
	if rest, err := c.Sagas(ctx, saga.Query{Name: "trip", Limit: 3, After: first.Next}); err != nil || ids(rest) != "parked" {
		t.Errorf("the rest: %q, %v", ids(rest), err)
	}
	checkDetails(t, c)
	checkActs(t, c, s)
}

func ids(p admin.SagaPage) string {
	var all []string
	for _, l := range p.Sagas {
		all = append(all, l.ID)
	}
	if p.Next != nil {
		all = append(all, "more")
	}
	return strings.Join(all, " ")
}

func checkDetails(t *testing.T, c *admin.Client) {
	t.Helper()
	ctx := t.Context()
	d, err := c.Saga(ctx, "trip", "waits")
	if err != nil || len(d.Steps) != 2 || d.Steps[1].Phase != saga.StepRunning || len(d.Timers) != 2 || !d.Operable || d.CorrelationID != "waits" || d.Version != 2 || d.Due.IsZero() {
		t.Errorf("waits: %+v, %v", d, err)
	}
	var state tripservice.Trip
	if err := json.Unmarshal(d.State, &state); err != nil || state.Traveller != "cem" || len(state.Booked) != 1 || d.StateSize != len(d.State) {
		t.Errorf("state: %s, %v", d.State, err)
	}
	if len(d.Entries) < 4 || d.Entries[0].Kind != saga.EntryStarted || d.Entries[0].At.Location() != time.UTC {
		t.Errorf("timeline: %+v", d.Entries)
	}
	if d, err = c.Saga(ctx, "arrival", "guest"); err != nil || len(d.Steps) != 2 || !d.Operable {
		t.Errorf("arrival: %+v, %v", d, err)
	}
	if _, err = c.Saga(ctx, "trip", "nobody"); !errors.Is(err, admin.ErrNotFound) || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("nobody: %v", err)
	}
	for _, q := range []saga.Query{{Limit: -1}, {Limit: saga.MaxInspect + 1}, {Status: []saga.Status{"LOST"}}} {
		if _, err := c.Sagas(ctx, q); !errors.Is(err, admin.ErrInvalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func checkActs(t *testing.T, c *admin.Client, s *tripservice.Service) {
	t.Helper()
	ctx := t.Context()
	before, err := c.Saga(ctx, "trip", "parked")
	if err != nil || !before.Steps[0].Parked {
		t.Fatalf("%+v, %v", before, err)
	}
	for _, tt := range []struct {
		act  saga.Act
		want error
		says string
	}{
		{saga.Act{Saga: "trip", ID: "parked", Do: saga.RetryAct}, admin.ErrInvalid, "reason"},
		{saga.Act{Saga: "trip", ID: "parked", Do: saga.RetryAct, Reason: strings.Repeat("x", admin.MaxSagaReason+1)}, admin.ErrInvalid, "bytes"},
		{saga.Act{Saga: "trip", ID: "parked", Do: "cancel", Reason: "r"}, admin.ErrInvalid, "cancel"},
		{saga.Act{ID: "parked", Do: saga.RetryAct, Reason: "r"}, admin.ErrInvalid, "name"},
		{saga.Act{Saga: "nothing", ID: "parked", Do: saga.RetryAct, Reason: "r"}, admin.ErrConflict, "does not run"},
		{saga.Act{Saga: "trip", ID: "nobody", Do: saga.RetryAct, Reason: "r"}, admin.ErrNotFound, "nobody"},
		{saga.Act{Saga: "trip", ID: "done", Do: saga.ResolveAct, Reason: "r"}, admin.ErrConflict, "done"},
		{saga.Act{Saga: "trip", ID: "parked", Do: saga.RetryAct, Reason: "r", Revision: before.Revision - 1}, admin.ErrConflict, "parked"},
	} {
		if _, err := c.ActOnSaga(ctx, tt.act); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%+v: %v, want %v", tt.act, err, tt.want)
		}
	}
	s.Mended.Store(true)
	line, err := c.ActOnSaga(ctx, saga.Act{Saga: "trip", ID: "parked", Do: saga.RetryAct, Step: "flight", Reason: "the desk is open", Actor: "ann", Revision: before.Revision})
	if err != nil || line.Status != saga.Compensating || line.Revision != before.Revision+1 {
		t.Fatalf("retry: %+v, %v", line, err)
	}
	s.Await("trip", "parked", saga.Compensated, "")
	after, err := c.Saga(ctx, "trip", "parked")
	if err != nil || !hasAct(after, "ann", "the desk is open") {
		t.Errorf("the act is not in the timeline: %+v, %v", after.Entries, err)
	}
	if line, err = c.ActOnSaga(ctx, saga.Act{Saga: "trip", ID: "waits", Do: saga.ResolveAct, Reason: "by hand"}); err != nil || line.Status != saga.Resolved || line.Ended.IsZero() {
		t.Errorf("resolve: %+v, %v", line, err)
	}
}

func hasAct(d admin.SagaDetail, actor, words string) bool {
	for _, e := range d.Entries {
		if e.Kind == saga.EntryAct && e.Actor == actor && strings.Contains(e.Note, words) {
			return true
		}
	}
	return false
}

// storeOfSagas answers with what it has.
type storeOfSagas struct {
	saga.Admin
	record  saga.Record
	entries []saga.Entry
	err     error
}

func (s storeOfSagas) Saga(context.Context, string, string) (saga.Record, []saga.Entry, error) {
	return s.record, s.entries, s.err
}

// TestLongSagas: what is too much is left out, and it is said.
func TestLongSagas(t *testing.T) {
	store := storeOfSagas{record: saga.Record{Name: "n", ID: "i", State: json.RawMessage(`"` + strings.Repeat("x", admin.MaxState) + `"`), Progress: json.RawMessage(`{}`)}}
	for i := range admin.MaxSagaEntries + 7 {
		store.entries = append(store.entries, saga.Entry{Kind: saga.EntryAnswer, Attempt: i})
	}
	local, err := admin.NewLocal(admin.LocalConfig{Name: "s", Instance: "1", Sagas: &admin.LocalSagas{Store: store}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := local.Saga(t.Context(), "n", "i")
	if err != nil || d.State != nil || d.StateSize <= admin.MaxState || d.LeftOut != 7 || len(d.Entries) != admin.MaxSagaEntries || d.Operable {
		t.Errorf("%d entries, %d left out, state %d of %d, %v", len(d.Entries), d.LeftOut, len(d.State), d.StateSize, err)
	}
	if a, b := d.Entries[admin.SagaEntriesBefore-1].Attempt, d.Entries[admin.SagaEntriesBefore].Attempt; a != admin.SagaEntriesBefore-1 || b != a+8 {
		t.Errorf("left out between %d and %d", a, b)
	}
	if d.Steps == nil || d.Timers == nil {
		t.Error("an empty list is null")
	}
	store.record.Progress = json.RawMessage(`{"steps":7}`)
	local, _ = admin.NewLocal(admin.LocalConfig{Name: "s", Instance: "1", Sagas: &admin.LocalSagas{Store: store}})
	if _, err := local.Saga(t.Context(), "n", "i"); !errors.Is(err, admin.ErrUnavailable) || !strings.Contains(err.Error(), "progress") {
		t.Errorf("broken progress: %v", err)
	}
}

func TestServiceWithoutSagas(t *testing.T) {
	local, err := admin.NewLocal(admin.LocalConfig{Name: "s", Instance: "1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := local.SagaCounts(t.Context())
	_, err2 := local.Sagas(t.Context(), saga.Query{})
	_, err3 := local.Saga(t.Context(), "n", "i")
	_, err4 := local.ActOnSaga(t.Context(), saga.Act{Saga: "n", ID: "i", Do: saga.RetryAct, Reason: "r"})
	for _, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, admin.ErrNotFound) || !strings.Contains(err.Error(), "no sagas") {
			t.Errorf("%v", err)
		}
	}
	for _, wrong := range []*admin.LocalSagas{{}, {Store: storeOfSagas{}, Operators: []saga.Operator{nil}}} {
		if _, err := admin.NewLocal(admin.LocalConfig{Name: "s", Instance: "1", Sagas: wrong}); !errors.Is(err, admin.ErrInvalid) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
