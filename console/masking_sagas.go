package console

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/saga"
)

// Sagas are masked like messages of a topic that has the saga's name: its state is
// their value, its id their key. Reasons and notes may quote what a participant said.

const hiddenWords = "hidden from your role"

func (s maskedService) Sagas(ctx context.Context, q saga.Query) (admin.SagaPage, error) {
	if q.ID != "" && (q.Name == "" && s.rules.HidesKeys(ctx) || s.rules.HidesKeysOf(ctx, q.Name)) {
		return admin.SagaPage{}, hiddenSagas(q.Name)
	}
	page, err := s.API.Sagas(ctx, q)
	page.Sagas = slices.Clone(page.Sagas)
	for i := range page.Sagas {
		s.line(ctx, &page.Sagas[i])
	}
	if page.Next != nil && s.rules.HidesKeysOf(ctx, page.Next.Name) { // it names an id: go on right after that time
		page.Next = &saga.Place{Started: page.Next.Started.Add(time.Microsecond)}
	}
	return page, err
}

func (s maskedService) Saga(ctx context.Context, name, id string) (admin.SagaDetail, error) {
	if s.rules.HidesKeysOf(ctx, name) {
		return admin.SagaDetail{}, hiddenSagas(name)
	}
	d, err := s.API.Saga(ctx, name, id)
	s.line(ctx, &d.SagaLine)
	if len(d.State) > 0 {
		d.State, d.Masked = s.state(ctx, name, d.State)
	}
	hides := s.rules.Hides(ctx, name)
	d.Steps, d.Entries = slices.Clone(d.Steps), slices.Clone(d.Entries)
	for i := range d.Steps {
		hideWords(hides, &d.Steps[i].Reason)
	}
	for i := range d.Entries {
		e := &d.Entries[i]
		m := api.Event{ID: e.MessageID, Type: e.Type}
		s.rules.Event(ctx, e.Topic, &m)
		e.MessageID, e.Type = m.ID, m.Type
		hideWords(hides && e.Kind != saga.EntryAct, &e.Note) // an act's are of an operator
	}
	return d, err
}

func (s maskedService) ActOnSaga(ctx context.Context, a saga.Act) (admin.SagaLine, error) {
	line, err := s.API.ActOnSaga(ctx, a)
	s.line(ctx, &line)
	return line, err
}

func hiddenSagas(name string) error {
	return fmt.Errorf("%w: who the sagas %q are is hidden from your role", api.ErrForbidden, name)
}

func (s maskedService) line(ctx context.Context, l *admin.SagaLine) { maskSaga(ctx, s.rules, l) }

func maskSaga(ctx context.Context, rules *mask.Rules, l *admin.SagaLine) {
	e := api.Event{Key: l.ID, CorrelationID: l.CorrelationID}
	rules.Event(ctx, l.Name, &e)
	l.ID, l.CorrelationID = e.Key, e.CorrelationID
	hideWords(rules.Hides(ctx, l.Name), &l.Reason)
}

func hideWords(hide bool, text *string) {
	if hide && *text != "" {
		*text = hiddenWords
	}
}
