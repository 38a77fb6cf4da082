package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/journal"
)

// Events and states of entities are masked like messages of a topic that has the name
// of the entity type. Diffs are made of masked states, so that they tell no more.

// ruled is what rules go by: the entity type, or the id of an entity without one.
func ruled(persistenceID string) string {
	return cmp.Or(journal.EntityType(persistenceID), persistenceID)
}

func (s maskedService) Entities(ctx context.Context, q admin.EntityQuery) (admin.EntityPage, error) {
	switch {
	case q.Type == "" && s.rules.HidesKeys(ctx): // where a page ends tells an id, too
		return admin.EntityPage{}, fmt.Errorf("%w: who the entities of some types are is hidden from your role; choose a type to look at", api.ErrForbidden)
	case s.rules.HidesKeysOf(ctx, q.Type):
		return admin.EntityPage{}, hiddenEntities(q.Type)
	}
	return s.API.Entities(ctx, q)
}

// mayLook refuses an entity whose type's ids are hidden: that it is there tells it.
func (s maskedService) mayLook(ctx context.Context, persistenceID string) error {
	if s.rules.HidesKeysOf(ctx, ruled(persistenceID)) {
		return hiddenEntities(journal.EntityType(persistenceID))
	}
	return nil
}

func hiddenEntities(entityType string) error {
	return fmt.Errorf("%w: who the entities of type %q are is hidden from your role", api.ErrForbidden, entityType)
}

func (s maskedService) Entity(ctx context.Context, persistenceID string) (admin.Entity, error) {
	if err := s.mayLook(ctx, persistenceID); err != nil {
		return admin.Entity{}, err
	}
	e, err := s.API.Entity(ctx, persistenceID)
	if e.State != nil {
		state := *e.State
		state.Payload = s.content(ctx, persistenceID, state.Payload)
		state.Tags = s.tags(ctx, persistenceID, state.Tags)
		e.State = &state
	}
	return e, err
}

func (s maskedService) Events(ctx context.Context, q admin.EventQuery) (admin.EventPage, error) {
	if err := s.mayLook(ctx, q.PersistenceID); err != nil {
		return admin.EventPage{}, err
	}
	page, err := s.API.Events(ctx, q)
	for i := range page.Events {
		e := &page.Events[i]
		e.Payload = s.content(ctx, q.PersistenceID, e.Payload)
		e.Tags = s.tags(ctx, q.PersistenceID, e.Tags)
		if e.Metadata != nil {
			m := s.beside(ctx, q.PersistenceID, "metadata", s.content(ctx, q.PersistenceID, *e.Metadata))
			e.Metadata = &m
		}
	}
	return page, err
}

func (s maskedService) States(ctx context.Context, q admin.StateQuery) (admin.StatePage, error) {
	if err := s.mayLook(ctx, q.PersistenceID); err != nil {
		return admin.StatePage{}, err
	}
	page, err := s.API.States(ctx, q)
	if err != nil && s.rules.Hides(ctx, ruled(q.PersistenceID)) { // its words may quote the state
		return admin.StatePage{}, fmt.Errorf("%w: the states of %s cannot be shown; why is hidden from your role", wordless(err), q.PersistenceID)
	}
	for i := range page.States {
		state := &page.States[i]
		state.State, state.Masked = s.state(ctx, q.PersistenceID, state.State)
	}
	return page, err
}

// state hides in a state what the rules for the entity type name, and says what.
func (s maskedService) state(ctx context.Context, persistenceID string, state json.RawMessage) (json.RawMessage, []string) {
	c := s.content(ctx, persistenceID, admin.Content{Format: "json", Text: string(state), Size: len(state)})
	switch {
	case len(c.Masked) == 0:
		return state, nil
	case c.Format == "json":
		return json.RawMessage(c.Text), c.Masked
	}
	whole, _ := json.Marshal(c.Text) // a string: cannot fail
	return whole, c.Masked
}

// wordless is the kind of an error without its words.
func wordless(err error) error {
	if kind := api.ProblemOf(err).Unwrap(); kind != nil {
		return kind
	}
	return api.ErrUnavailable
}

// content hides in a payload what the rules for the entity type name.
func (s maskedService) content(ctx context.Context, persistenceID string, c admin.Content) admin.Content {
	topic := ruled(persistenceID)
	m := api.Message{Topic: topic, Value: api.Data{Format: c.Format, Text: c.Text, Base64: c.Base64, Size: c.Size, Cut: c.Cut}}
	s.rules.Message(ctx, &m)
	if c.Masked = m.Masked; len(m.Masked) > 0 {
		c.Format, c.Text, c.Base64, c.Size, c.Cut = m.Value.Format, m.Value.Text, m.Value.Base64, m.Value.Size, m.Value.Cut
	}
	if c.Problem != "" && s.rules.Hides(ctx, topic) { // its words may quote the payload
		c.Problem = "it cannot be decoded; why is hidden from your role"
	}
	return c
}

// beside hides what an event has beside its payload, where a rule names it as a header.
func (s maskedService) beside(ctx context.Context, persistenceID, name string, c admin.Content) admin.Content {
	m := api.Message{Topic: ruled(persistenceID), Value: api.Data{Format: "null"}, Headers: []api.Header{{Key: name, Value: api.Data{Format: "text", Text: c.Text}}}}
	s.rules.Message(ctx, &m)
	if slices.Contains(m.Masked, "header:"+name) {
		return admin.Content{Serializer: c.Serializer, Format: "text", Text: api.Hidden, Size: len(api.Hidden), Masked: []string{name}}
	}
	return c
}

func (s maskedService) tags(ctx context.Context, persistenceID string, tags []string) []string {
	if len(tags) == 0 || len(s.beside(ctx, persistenceID, "tags", admin.Content{}).Masked) == 0 {
		return tags
	}
	return []string{api.Hidden}
}

// A projection's problem names the event it stopped at, and a rebuild's differences
// are rows of a view.

func (s maskedService) Projections(ctx context.Context) ([]admin.ProjectionInfo, error) {
	all, err := s.API.Projections(ctx)
	if !s.rules.HidesAny(ctx) {
		return all, err
	}
	all = slices.Clone(all)
	for i := range all {
		if r := all[i].Running; r != nil {
			masked := maskedProjections([]admin.ProjectionStatus{*r})[0]
			all[i].Running = &masked
		}
	}
	return all, err
}

func (s maskedService) RebuildProjection(ctx context.Context, r admin.RebuildRequest) (admin.Rebuilt, error) {
	rebuilt, err := s.API.RebuildProjection(ctx, r)
	if s.rules.HidesAny(ctx) {
		for i := range rebuilt.Differences {
			rebuilt.Differences[i].LiveRows, rebuilt.Differences[i].CopyRows = nil, nil
		}
	}
	return rebuilt, err
}

func (s maskedService) Status(ctx context.Context) (admin.Status, error) {
	status, err := s.API.Status(ctx)
	if s.rules.HidesAny(ctx) {
		status.Projections = maskedProjections(status.Projections)
		status.Streams = maskedApplications(status.Streams)
	}
	return status, err
}

// maskedProjections are copies without what their problems quote.
func maskedProjections(all []admin.ProjectionStatus) []admin.ProjectionStatus {
	const hidden = "it stopped at an event; which and why is hidden from your role"
	all = slices.Clone(all)
	for i := range all {
		if all[i].Problem != "" {
			all[i].Problem = hidden
		}
		all[i].Ranges = slices.Clone(all[i].Ranges)
		for j := range all[i].Ranges {
			if r := &all[i].Ranges[j]; r.Problem != "" {
				r.Problem = hidden
			}
		}
		if r := all[i].Rebuild; r != nil && r.Problem != "" {
			masked := *r
			masked.Problem = hidden
			all[i].Rebuild = &masked
		}
	}
	return all
}
