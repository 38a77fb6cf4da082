package pages

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

// sagasBody is the list of sagas, and how many there are.
type sagasBody struct {
	Query  api.SagaQuery
	Show   string // "open", "all" or a status
	Older  string // an age such as "1h"
	Counts part[api.SagaCounts]
	Lines  []sagaCountLine
	// Services and Names there are, to choose from.
	Services, Names []string
	Sagas           part[api.SagaList]
	Filtered        bool
}

// sagaCountLine is the sagas of one name of a service, by status.
type sagaCountLine struct {
	Service, Name string
	Counts        map[saga.Status]int64
	// Oldest is when the oldest that has not ended started.
	Oldest time.Time
}

// openSagas are the statuses of those that have not ended.
var openSagas = []saga.Status{saga.NeedsReview, saga.Compensating, saga.Running}

// sagaTabs are the choices of the list, those that need somebody first.
var sagaTabs = []string{"open", string(saga.NeedsReview), string(saga.Compensating), string(saga.Running),
	string(saga.Completed), string(saga.Compensated), string(saga.Resolved), "all"}

// sagaAges that a list can be limited to.
var sagaAges = []string{"1m", "10m", "1h", "24h"}

func (h *handler) sagas(ctx context.Context, r *http.Request) (content, error) {
	c := content{template: "sagas", title: "Sagas", section: "sagas"}
	b, err := h.sagaQuery(r)
	if err != nil {
		return c, err
	}
	var listed error
	gather(
		func() { b.Counts = ask(h.Engines.SagaCounts(ctx)) },
		func() {
			var list api.SagaList
			list, listed = h.Engines.Sagas(ctx, b.Query)
			b.Sagas = ask(list, listed)
		},
	)
	b.Lines = sagaLines(b.Counts.Value.Items)
	for _, l := range b.Lines {
		b.Services, b.Names = append(b.Services, l.Service), append(b.Names, l.Name)
	}
	b.Services, b.Names = slices.Compact(b.Services), slices.Compact(slices.Sorted(slices.Values(b.Names)))
	c.body = b
	return c, onlyFatal(listed)
}

// sagaQuery reads what the list is limited to. An id is looked for among all.
func (h *handler) sagaQuery(r *http.Request) (sagasBody, error) {
	b := sagasBody{Show: param(r, "show"), Older: param(r, "older"), Query: api.SagaQuery{
		Service: param(r, "service"), Name: param(r, "name"), ID: param(r, "id"), CorrelationID: param(r, "correlation"), Limit: 50,
	}}
	named := b.Query.ID != "" || b.Query.CorrelationID != ""
	b.Filtered = named || b.Query.Service != "" || b.Query.Name != "" || b.Older != ""
	if b.Show == "" && named {
		b.Show = "all"
	}
	switch b.Show = cmp.Or(b.Show, "open"); b.Show {
	case "open":
		b.Query.Status = openSagas
	case "all":
	default:
		b.Query.Status = []saga.Status{saga.Status(b.Show)}
	}
	if b.Older != "" {
		age, err := time.ParseDuration(b.Older)
		if err != nil || age < 0 {
			return b, errorf(api.ErrInvalid, "%q is no age: give one such as 10m or 1h", b.Older)
		}
		b.Query.StartedBefore = h.Clock().Add(-age).UTC().Format(time.RFC3339Nano)
	}
	if after := param(r, "after"); after != "" {
		b.Query.After = &saga.Place{}
		if err := json.Unmarshal([]byte(after), b.Query.After); err != nil {
			return b, errorf(api.ErrInvalid, "after=%.60q is no place in a list of sagas", after)
		}
	}
	return b, nil
}

// Tabs and Ages are for the template.
func (sagasBody) Tabs() []string { return sagaTabs }

// Ages to choose from.
func (sagasBody) Ages() []string { return sagaAges }

// NextPage is the place where the next page begins, "" at the end.
func (b sagasBody) NextPage() string {
	if b.Sagas.Value.Next == nil {
		return ""
	}
	return compact(b.Sagas.Value.Next)
}

// Of is how many there are in a status.
func (l sagaCountLine) Of(s string) int64 { return l.Counts[saga.Status(s)] }

// sagaLines joins counts, which come by service and name.
func sagaLines(counts []api.SagaCount) []sagaCountLine {
	var lines []sagaCountLine
	for _, c := range counts {
		if n := len(lines); n == 0 || lines[n-1].Service != c.Service || lines[n-1].Name != c.Name {
			lines = append(lines, sagaCountLine{Service: c.Service, Name: c.Name, Counts: map[saga.Status]int64{}})
		}
		line := &lines[len(lines)-1]
		line.Counts[c.Status] += c.Count.Count
		if !c.Status.Ended() && c.Count.Count > 0 && (line.Oldest.IsZero() || c.Oldest.Before(line.Oldest)) {
			line.Oldest = c.Oldest
		}
	}
	return lines
}
