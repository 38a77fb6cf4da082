package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

// journalBody is the way to an entity: the types of each service, or what a search
// found.
type journalBody struct {
	part[[]api.Service]
	// Names of the services that have a journal.
	Names                         []string
	Service, Type, Kind, Prefix   string
	Types                         []typesOf
	Found                         []foundIn
	Searched, HasNext, HasEntries bool
}

// typesOf are the entity types of a service.
type typesOf struct {
	Service string
	part[[]admin.EntityType]
}

// foundIn is a page of entities of a kind in a service.
type foundIn struct {
	Service string
	Kind    admin.Kind
	part[admin.EntityPage]
}

// maxSearched services are asked for a page.
const maxSearched = 20

func (h *handler) journal(ctx context.Context, r *http.Request) (content, error) {
	b := journalBody{part: ask(h.Engines.Services.Services(ctx)), Service: param(r, "service"), Type: param(r, "type"), Kind: param(r, "kind"), Prefix: param(r, "prefix")}
	c := content{template: "journal", title: "Journal", section: "journal"}
	for _, s := range byName(b.Value) {
		if s.Journal {
			b.Names = append(b.Names, s.Name)
		}
	}
	chosen := b.Names
	if b.Service != "" {
		chosen = []string{b.Service}
	}
	chosen = chosen[:min(len(chosen), maxSearched)]
	var err error
	if b.Searched = b.Prefix != "" || b.Type != "" || b.Kind != ""; b.Searched {
		err = h.search(ctx, &b, chosen, param(r, "after"))
	} else {
		err = h.entityTypes(ctx, &b, chosen)
	}
	c.body = b
	return c, onlyFatal(err)
}

func (h *handler) entityTypes(ctx context.Context, b *journalBody, services []string) error {
	b.Types = make([]typesOf, len(services))
	return each(len(services), func(i int) error {
		b.Types[i].Service = services[i]
		s, err := h.Engines.Services.At(ctx, services[i])
		if err == nil {
			b.Types[i].part = ask(s.EntityTypes(ctx))
			return nil
		}
		b.Types[i].Problem = problemOf(err)
		return err
	})
}

// search asks for both kinds where none is chosen.
func (h *handler) search(ctx context.Context, b *journalBody, services []string, after string) error {
	kinds := []admin.Kind{admin.EventSourced, admin.Durable}
	if b.Kind != "" {
		kinds = []admin.Kind{admin.Kind(b.Kind)}
	}
	for _, name := range services {
		for _, k := range kinds {
			b.Found = append(b.Found, foundIn{Service: name, Kind: k})
		}
	}
	err := each(len(b.Found), func(i int) error {
		f := &b.Found[i]
		s, err := h.Engines.Services.At(ctx, f.Service)
		if err != nil {
			f.Problem = problemOf(err)
			return err
		}
		f.part = ask(s.Entities(ctx, admin.EntityQuery{Type: b.Type, Kind: f.Kind, Prefix: b.Prefix, After: after, Limit: 50}))
		return nil
	})
	for _, f := range b.Found {
		b.HasEntries = b.HasEntries || len(f.Value.Entities) > 0 || f.Problem != nil
		b.HasNext = b.HasNext || f.Value.Next != ""
	}
	return err
}

// each does n things at the same time and returns the first error.
func each(n int, do func(i int) error) error {
	errs := make([]error, n)
	var parts []func()
	for i := range n {
		parts = append(parts, func() { errs[i] = do(i) })
	}
	gather(parts...)
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// entityBody is an entity: its events, its states, and what is stored now. Only the
// part that is open is filled.
type entityBody struct {
	Service, ID string
	Tab         string
	part[admin.Entity]
	Events eventsPart
	Time   machine
}

func (h *handler) entity(ctx context.Context, r *http.Request) (content, error) {
	b := entityBody{Service: r.PathValue("service"), ID: r.PathValue("id"), Tab: param(r, "tab")}
	c := content{template: "entity", title: b.ID, section: "journal"}
	s, err := h.Engines.Services.At(ctx, b.Service)
	if err == nil {
		b.Value, err = s.Entity(ctx, b.ID)
		if errors.Is(err, admin.ErrNotFound) {
			err = errorf(api.ErrNotFound, "%v", err)
		}
	}
	if b.Problem = problemOf(err); err != nil {
		c.body = b
		return c, onlyFatal(err)
	}
	if b.Tab == "" && b.Value.SeqNr == 0 {
		b.Tab = "state"
	}
	switch b.Tab {
	case "":
		b.Events, err = eventsOf(ctx, s, b.Value, r)
	case "time":
		b.Time, err = machineOf(ctx, s, b.Value, r)
	}
	c.body = b
	return c, onlyFatal(err)
}

// eventsPart is a page of events, newest first.
type eventsPart struct {
	part[admin.EventPage]
	// Newer and Older are the To of the pages beside this one, 0 for none.
	Newer, Older int64
	// Gone is up to where events were deleted.
	Gone int64
}

// eventsPerPage is how many events a page has.
const eventsPerPage = 50

func eventsOf(ctx context.Context, s admin.API, e admin.Entity, r *http.Request) (eventsPart, error) {
	var p eventsPart
	to, err := numberParam(r, "to", e.SeqNr)
	if err != nil {
		return p, err
	}
	first := e.First
	if first == 0 {
		first = e.SeqNr + 1
	}
	p.Gone = first - 1
	to = min(to, e.SeqNr)
	from := max(to-eventsPerPage+1, first)
	if to < e.SeqNr {
		p.Newer = min(to+eventsPerPage, e.SeqNr)
	}
	if from > to {
		return p, nil
	}
	q := admin.EventQuery{PersistenceID: e.PersistenceID, From: from, To: to, Limit: eventsPerPage}
	for { // large payloads come in several answers
		page, err := s.Events(ctx, q)
		if err != nil {
			p.Problem = problemOf(err)
			return p, nil
		}
		p.Value.Events = append(p.Value.Events, page.Events...)
		if page.Next <= q.From { // the end, or a service that would keep us here
			break
		}
		q.From = page.Next
	}
	slices.Reverse(p.Value.Events)
	if from > first {
		p.Older = from - 1
	}
	return p, nil
}
