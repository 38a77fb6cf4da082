package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testenv/tripservice"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/saga"
)

// TestSagas looks at sagas and acts on them from the command line.
func TestSagas(t *testing.T) {
	t.Parallel()
	r := startUp(t)
	s := tripservice.Start(t, kafka.Config{Brokers: []string{r.kafka}})
	s.Book("done", tripservice.Trip{})
	s.Book("waits", tripservice.Trip{Silent: "hotel"})
	s.Book("parked", tripservice.Trip{Refuses: "car", Broken: "flight"})
	s.Book("also", tripservice.Trip{Refuses: "car", Broken: "hotel"})
	s.Await(tripservice.TripSaga, "done", saga.Completed, "")
	s.Await(tripservice.TripSaga, "waits", saga.Running, "hotel")
	s.Await(tripservice.TripSaga, "parked", saga.NeedsReview, "")
	s.Await(tripservice.TripSaga, "also", saga.NeedsReview, "")
	testenv.Wait(t, "the service to announce itself", tripservice.Timeout, func() bool {
		return len(answer[api.SagaCounts](t, r, "sagas", "counts").Items) == 3
	})

	for args, want := range map[string]string{
		"":                                   "waits parked also",
		"--status=all":                       "done waits parked also",
		"--status=NEEDS_REVIEW":              "parked also",
		"--id=done":                          "done",
		"--id=done --status=open":            "",
		"--correlation=waits":                "waits",
		"--name=other":                       "",
		"--service=trips --limit=2":          "waits parked",
		"--older=1h":                         "",
		"--status=all --limit=0 --name=trip": "done waits parked also",
	} {
		if got := listedIDs(answer[api.SagaList](t, r, append([]string{"sagas", "list"}, strings.Fields(args)...)...)); got != want {
			t.Errorf("list %s: %q, want %q", args, got, want)
		}
	}
	first := pabal(t, "sagas", "list", "--limit=2", "--server="+r.server)
	_, cursor, more := strings.Cut(first.stderr, "There is more: --after='")
	if !more {
		t.Fatalf("%+v", first)
	}
	if rest := answer[api.SagaList](t, r, "sagas", "list", "--after="+strings.TrimSuffix(strings.TrimSpace(cursor), "'")); listedIDs(rest) != "also" {
		t.Errorf("the rest: %+v", rest)
	}
	r.shows(t, s)
	r.actsOn(t, s)
}

func listedIDs(l api.SagaList) string {
	var ids []string
	for _, one := range l.Items {
		ids = append(ids, one.ID)
	}
	return strings.Join(ids, " ")
}

func (r *running) shows(t *testing.T, s *tripservice.Service) {
	t.Helper()
	for id, words := range map[string][]string{
		"done":   {"COMPLETED", "booked", "desk-flight"},
		"waits":  {"It waits for the answer of step hotel to message book-hotel in topic desk-hotel (attempt 1)", "this attempt ends at", "deadline"},
		"parked": {"NEEDS_REVIEW", "UNDO_FAILED (needs review)", "the flight desk is closed", "pabal sagas retry 'trips' 'trip' 'parked' --step 'flight' --revision"},
	} {
		shown := pabal(t, "sagas", "show", "trips", "trip", id, "--server="+r.server)
		for _, word := range words {
			if shown.code != exitOK || !strings.Contains(shown.stdout, word) {
				t.Errorf("%s does not say %q: %+v", id, word, shown)
			}
		}
	}
	if d := answer[admin.SagaDetail](t, r, "sagas", "show", "trips", "trip", "parked"); len(d.Entries) < 10 || !d.Steps[0].Parked {
		t.Errorf("%+v", d)
	}
	testenv.Wait(t, "the transaction to know its saga", tripservice.Timeout, func() bool {
		traced := pabal(t, "trace", "parked", "--server="+r.server)
		return strings.Contains(traced.stdout, "Stuck: (saga-needs-review)") && strings.Contains(traced.stdout, "trip parked of trips: NEEDS_REVIEW") &&
			strings.Contains(traced.stdout, "pabal sagas retry trips trip parked --step flight")
	})
}

func (r *running) actsOn(t *testing.T, s *tripservice.Service) {
	t.Helper()
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"retry trips trip parked", exitUsage, "--reason"},
		{"retry trips trip parked --reason=", exitUsage, "--reason"},
		{"retry trips trip parked --reason=r --revision=-1", exitUsage, "--revision"},
		{"list --older=-1h", exitUsage, "--older"},
		{"list --after=x", exitUsage, "--after"},
		{"list --status=lost", exitUsage, "--status"},
		{"show trips trip nobody", 4, "nobody"},
		{"show nobody trip x", 4, "nobody"},
		{"skip trips trip nobody --reason=r", 4, "nobody"},
		{"force trips trip done --reason=r", 6, "COMPLETED"},
		{"retry trips trip parked --step=car --reason=r", 6, "car"},
		{"retry trips trip parked --revision=1 --reason=r", 6, "look at it again"},
	} {
		got := pabal(t, append(append([]string{"sagas"}, strings.Fields(tt.args)...), "--server="+r.server)...)
		if got.code != tt.code || !strings.Contains(got.stderr, tt.says) || got.stdout != "" {
			t.Errorf("%s: %+v, want %d and %q", tt.args, got, tt.code, tt.says)
		}
	}
	s.Mended.Store(true)
	revision := answer[admin.SagaDetail](t, r, "sagas", "show", "trips", "trip", "parked").Revision
	retried := answer[admin.SagaLine](t, r, "sagas", "retry", "trips", "trip", "parked", "--reason=the desk is open", "--revision="+jsonOf(revision))
	if retried.Status != saga.Compensating || retried.Revision != revision+1 {
		t.Errorf("%+v", retried)
	}
	s.Await(tripservice.TripSaga, "parked", saga.Compensated, "")
	r.says(t, "also is COMPENSATING now", "skip", "also", "--step=hotel", "--reason=nobody stays there")
	s.Await(tripservice.TripSaga, "also", saga.Compensated, "")
	r.says(t, "waits is RUNNING now", "force", "waits", "--reason=booked by telephone")
	s.Await(tripservice.TripSaga, "waits", saga.Completed, "")
	s.Book("last", tripservice.Trip{Silent: "car"})
	s.Await(tripservice.TripSaga, "last", saga.Running, "car")
	r.says(t, "last is RESOLVED now", "resolve", "last", "--reason=he walks")
	for _, e := range answer[admin.SagaDetail](t, r, "sagas", "show", "trips", "trip", "last").Entries {
		if e.Kind == saga.EntryAct && (e.Actor != "local" || !strings.Contains(e.Note, "he walks")) {
			t.Errorf("%+v", e)
		}
	}
	audit := answer[api.Page[api.AuditEntry]](t, r, "audit", "--search=act on saga")
	if len(audit.Items) < 8 || audit.Items[0].Target != "trips/trip/last" || audit.Items[0].Outcome != "done" || !strings.Contains(audit.Items[0].Detail, "he walks") {
		t.Errorf("%+v", audit.Items)
	}
}

func (r *running) says(t *testing.T, want, do, id string, more ...string) {
	t.Helper()
	got := pabal(t, append([]string{"sagas", do, "trips", "trip", id, "--server=" + r.server}, more...)...)
	if got.code != exitOK || !strings.Contains(got.stdout, want) {
		t.Errorf("%s %s: %+v, want %q", do, id, got, want)
	}
}

func jsonOf(v any) string {
	data, _ := json.Marshal(v) // a number
	return string(data)
}
