package pages

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

// machine is an entity's state after event At, compared with that after event From,
// and the history of a field.
type machine struct {
	// At and From as asked for; First to Last are the events whose states there are.
	At, From, First, Last int64
	Event                 part[*admin.StoredEvent]
	State                 part[admin.EntityState]
	Diff                  part[api.StateDiff]
	// Path of the field whose history is asked for, History its changes.
	Path     string
	HasPath  bool
	History  part[api.FieldHistory]
	Before   int64
	Fields   []string
	Compared bool // with another event than the one before
}

func machineOf(ctx context.Context, s admin.API, e admin.Entity, r *http.Request) (machine, error) {
	m := machine{First: max(e.First, 1), Last: e.SeqNr, Path: param(r, "path"), HasPath: r.URL.Query().Has("path") && param(r, "path") != ""}
	if !e.States || e.First == 0 {
		return m, nil
	}
	var err error
	if m.At, err = numberParam(r, "at", e.SeqNr); err != nil {
		return m, err
	}
	m.At = min(max(m.At, m.First), m.Last)
	if m.From, err = numberParam(r, "from", m.At-1); err != nil {
		return m, err
	}
	if m.Before, err = numberParam(r, "before", 0); err != nil {
		return m, err
	}
	m.From = min(m.From, m.At)
	m.Compared = m.From != m.At-1
	gather(
		func() { m.Event = eventAt(ctx, s, e.PersistenceID, m.At) },
		func() {
			page, err := s.States(ctx, admin.StateQuery{PersistenceID: e.PersistenceID, From: m.At, To: m.At})
			m.State.Problem = problemOf(err)
			if len(page.States) > 0 {
				m.State.Value = page.States[0]
				m.Fields = fieldsOf(page.States[0].State)
			}
		},
		func() { m.diff(ctx, s, e) },
		func() {
			if m.HasPath {
				m.History = ask(api.FieldChanges(ctx, s, api.FieldQuery{PersistenceID: e.PersistenceID, Path: m.Path, Before: m.Before}))
			}
		},
	)
	return m, nil
}

// diff compares; the state before the first event that is still there is not known,
// unless that is number 1.
func (m *machine) diff(ctx context.Context, s admin.API, e admin.Entity) {
	if m.From > 0 && m.From < m.First {
		return
	}
	m.Diff = ask(api.DiffStates(ctx, s, api.DiffQuery{PersistenceID: e.PersistenceID, From: &m.From, To: m.At}))
}

// Comparable says whether both states there are.
func (m machine) Comparable() bool { return m.From == 0 || m.From >= m.First }

// Before1 and After1 are the events beside At.
func (m machine) Before1() int64 { return m.At - 1 }
func (m machine) After1() int64  { return m.At + 1 }

func eventAt(ctx context.Context, s admin.API, persistenceID string, n int64) part[*admin.StoredEvent] {
	page, err := s.Events(ctx, admin.EventQuery{PersistenceID: persistenceID, From: n, To: n, Limit: 1})
	if err != nil || len(page.Events) == 0 {
		return ask[*admin.StoredEvent](nil, err)
	}
	return ask(&page.Events[0], nil)
}

// maxFields are suggested.
const maxFields = 60

// fieldsOf are places in a state, for people to choose from.
func fieldsOf(state json.RawMessage) []string {
	changes, _, err := api.Diff(json.RawMessage("{}"), state)
	if err != nil {
		return nil
	}
	var paths []string
	for _, c := range changes {
		if c.Path != "" {
			paths = append(paths, c.Path)
		}
		if inner, _, err := api.Diff(json.RawMessage("{}"), c.New); err == nil && len(c.New) > 0 && c.New[0] == '{' {
			for _, i := range inner {
				paths = append(paths, c.Path+api.JoinPath(i.Path))
			}
		}
	}
	return paths[:min(len(paths), maxFields)]
}

// Hides says whether a part of the state is hidden from the user.
func (m machine) Hides() []string {
	all := slices.Clone(m.State.Value.Masked)
	for _, x := range m.Diff.Value.Masked {
		if !slices.Contains(all, x) {
			all = append(all, x)
		}
	}
	return all
}

// StateData is the state as the partial "data" shows it.
func (m machine) StateData() api.Data {
	text := string(m.State.Value.State)
	return api.Data{Format: "json", Text: text, Size: len(text)}
}

// numberParam is a number of an event; otherwise, where it is missing.
func numberParam(r *http.Request, name string, otherwise int64) (int64, error) {
	text := param(r, name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, errorf(api.ErrInvalid, "%s %q is no number of an event", name, text)
	}
	return n, nil
}
