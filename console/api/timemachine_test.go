package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

// entity is a journal with one entity, whose state after event n is state(n).
type entity struct {
	admin.Journal
	first, last int64
	state       func(n int64) string
	masked      []string
	asked       int
}

func (e *entity) Entity(context.Context, string) (admin.Entity, error) {
	return admin.Entity{SeqNr: e.last, First: e.first}, nil
}

func (e *entity) Events(_ context.Context, q admin.EventQuery) (admin.EventPage, error) {
	var page admin.EventPage
	for n := q.From; n <= q.To; n++ {
		if len(page.Events) == 60 { // a page that ends early
			page.Next = n
			break
		}
		page.Events = append(page.Events, admin.StoredEvent{SeqNr: n, Time: time.Unix(n, 0), Payload: admin.Content{Manifest: fmt.Sprint("m", n)}})
	}
	return page, nil
}

func (e *entity) States(_ context.Context, q admin.StateQuery) (admin.StatePage, error) {
	e.asked++
	if q.To == 0 {
		q.From, q.To = e.last, e.last
	}
	if q.From < e.first || q.To > e.last || q.To-q.From >= admin.MaxStates {
		return admin.StatePage{}, fmt.Errorf("%w: %d to %d", admin.ErrNotFound, q.From, q.To)
	}
	var page admin.StatePage
	for n := q.From; n <= q.To; n++ {
		if len(page.States) == 70 { // a page that ends early
			page.Next = n
			break
		}
		page.States = append(page.States, admin.EntityState{SeqNr: n, State: json.RawMessage(e.state(n)), Masked: e.masked})
	}
	return page, nil
}

func numbers(h api.FieldHistory) (all []int64) {
	for _, c := range h.Changes {
		all = append(all, c.SeqNr)
		if c.Manifest != fmt.Sprint("m", c.SeqNr) || !c.Time.Equal(time.Unix(c.SeqNr, 0)) {
			all = append(all, -1)
		}
	}
	return all
}

func TestFieldChanges(t *testing.T) {
	tens := func(n int64) string { return fmt.Sprintf(`{"a":{"tens":%d},"n":%d}`, n/10, n) }
	tests := []struct {
		name   string
		entity entity
		query  api.FieldQuery
		want   []int64
		next   int64
	}{
		{"each tenth", entity{first: 1, last: 35, state: tens}, api.FieldQuery{Path: "a.tens"}, []int64{30, 20, 10, 1}, 0},
		{"before", entity{first: 1, last: 35, state: tens}, api.FieldQuery{Path: "a.tens", Before: 20}, []int64{20, 10, 1}, 0},
		{"over pages", entity{first: 1, last: 250, state: func(n int64) string { return fmt.Sprintf(`{"h":%d}`, n/99) }}, api.FieldQuery{Path: "h"}, []int64{198, 99, 1}, 0},
		{"deleted events", entity{first: 15, last: 35, state: tens}, api.FieldQuery{Path: "a.tens"}, []int64{30, 20}, 0},
		{"never there", entity{first: 1, last: 35, state: tens}, api.FieldQuery{Path: "b[0]"}, nil, 0},
		{"one event", entity{first: 1, last: 1, state: tens}, api.FieldQuery{Path: "n"}, []int64{1}, 0},
		{"the whole", entity{first: 1, last: 3, state: func(n int64) string { return fmt.Sprintf(`{"x":%d}`, n/3) }}, api.FieldQuery{Path: ""}, []int64{3, 1}, 0},
		{"comes and goes", entity{first: 1, last: 4, state: func(n int64) string { return []string{`{}`, `{"x":1}`, `{"x":1}`, `{}`}[n-1] }}, api.FieldQuery{Path: "x"}, []int64{4, 2}, 0},
	}
	for _, tt := range tests {
		h, err := api.FieldChanges(t.Context(), &tt.entity, tt.query)
		if err != nil || !slices.Equal(numbers(h), tt.want) || h.Next != tt.next || h.Hidden || h.From != tt.entity.first {
			t.Errorf("%s: %v %+v, %v", tt.name, numbers(h), h, err)
		}
	}
}

// TestFieldChangesGoesOn: a long history comes in parts that join without a gap.
func TestFieldChangesGoesOn(t *testing.T) {
	e := &entity{first: 1, last: 3000, state: func(n int64) string { return fmt.Sprintf(`{"x":%d}`, n/7) }}
	var all []int64
	q := api.FieldQuery{Path: "x"}
	parts := 0
	for {
		h, err := api.FieldChanges(t.Context(), e, q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, numbers(h)...)
		if parts++; h.Next == 0 {
			break
		}
		q.Before = h.Next
	}
	if len(all) != 3000/7+1 || all[0] != 2996 || all[len(all)-1] != 1 || !slices.IsSortedFunc(all, func(a, b int64) int { return int(b - a) }) || parts < 3 {
		t.Errorf("%d changes in %d parts: %v", len(all), parts, all)
	}
}

func TestFieldChangesKeepsSecrets(t *testing.T) {
	hidden := func(n int64) string { return fmt.Sprintf(`{"card":"•••","deep":"•••","n":%d}`, n) }
	for path, want := range map[string]bool{"card": true, "deep.number": true, "deep[3]": true, "n": false} {
		e := &entity{first: 1, last: 3, state: hidden, masked: []string{"card", "deep"}}
		h, err := api.FieldChanges(t.Context(), e, api.FieldQuery{Path: path})
		if err != nil || h.Hidden != want || want && len(h.Changes) > 0 {
			t.Errorf("%s: %+v, %v", path, h, err)
		}
	}
	e := &entity{first: 1, last: 2, state: hidden} // dots that nobody masked
	if h, err := api.FieldChanges(t.Context(), e, api.FieldQuery{Path: "card"}); err != nil || h.Hidden || len(h.Changes) != 1 {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestDiffStates(t *testing.T) {
	e := &entity{first: 1, last: 3, state: func(n int64) string { return fmt.Sprintf(`{"n":%d}`, n) }}
	zero, one, nine := int64(0), int64(1), int64(9)
	for _, tt := range []struct {
		q    api.DiffQuery
		want string
	}{
		{api.DiffQuery{}, `2-3 n`}, {api.DiffQuery{To: 2}, `1-2 n`}, {api.DiffQuery{From: &one}, `1-3 n`},
		{api.DiffQuery{To: 1}, `0-1 `}, {api.DiffQuery{From: &zero, To: 3}, `0-3 `}, {api.DiffQuery{From: &one, To: 1}, `1-1`},
	} {
		d, err := api.DiffStates(t.Context(), e, tt.q)
		got := fmt.Sprintf("%d-%d", d.From, d.To)
		for _, c := range d.Changes {
			got += " " + c.Path
		}
		if err != nil || got != tt.want {
			t.Errorf("%+v: %s, %v", tt.q, got, err)
		}
	}
	if _, err := api.DiffStates(t.Context(), e, api.DiffQuery{From: &nine}); !errors.Is(err, api.ErrInvalid) || !strings.Contains(err.Error(), "within 0 and 3") {
		t.Errorf("backwards: %v", err)
	}
	if _, err := api.DiffStates(t.Context(), e, api.DiffQuery{To: 8}); api.Status(err) != 404 {
		t.Errorf("of the future: %v", err)
	}
}
