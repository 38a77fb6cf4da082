package console

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// The engines that read the log mask what they show. What services and the index say
// is masked here, on its way to people: the engines themselves need it whole.

// maskedServices hides parts of outbox rows, waiting messages and entities.
type maskedServices struct {
	whole api.Services
	rules *mask.Rules
}

func (s maskedServices) Services(ctx context.Context) ([]api.Service, error) {
	all, err := s.whole.Services(ctx)
	if !s.rules.HidesAny(ctx) {
		return all, err
	}
	all = slices.Clone(all) // others have the same
	for i := range all {
		if status := all[i].Status; status != nil && len(status.Projections)+len(status.Streams) > 0 {
			masked := *status
			masked.Projections, masked.Streams = maskedProjections(status.Projections), maskedApplications(status.Streams)
			all[i].Status = &masked
		}
	}
	return all, err
}

func (s maskedServices) At(ctx context.Context, service string) (admin.API, error) {
	a, err := s.whole.At(ctx, service)
	if err != nil {
		return nil, err
	}
	return maskedService{a, s.rules}, nil
}

type maskedService struct {
	admin.API
	rules *mask.Rules
}

func (s maskedService) Rows(ctx context.Context, q outbox.RowQuery) (admin.RowPage, error) {
	if err := s.mayFind(ctx, q.Key); err != nil {
		return admin.RowPage{}, err
	}
	page, err := s.API.Rows(ctx, q)
	for i := range page.Rows {
		maskRow(ctx, s.rules, &page.Rows[i])
	}
	return page, err
}

func (s maskedService) Waiting(ctx context.Context, q inbox.WaitingQuery) (admin.WaitingPage, error) {
	if err := s.mayFind(ctx, q.Key); err != nil {
		return admin.WaitingPage{}, err
	}
	page, err := s.API.Waiting(ctx, q)
	for i := range page.Waiting {
		w := &page.Waiting[i]
		e := api.Event{ID: w.ID, Type: w.Type, Key: w.Key, CorrelationID: w.CorrelationID}
		s.rules.Event(ctx, w.Topic, &e)
		w.ID, w.Type, w.Key, w.CorrelationID = e.ID, e.Type, e.Key, e.CorrelationID
	}
	return page, err
}

// mayFind refuses to look for a key that is hidden from the user: to be found tells it.
func (s maskedService) mayFind(ctx context.Context, key string) error {
	if key != "" && s.rules.HidesKeys(ctx) {
		return fmt.Errorf("%w: keys are hidden from your role, so they cannot be searched for", api.ErrForbidden)
	}
	return nil
}

// maskRow masks a row as the message it becomes.
func maskRow(ctx context.Context, rules *mask.Rules, row *outbox.StoredRow) {
	e := api.Event{ID: row.EventID, Type: row.Type, Key: row.Key, CorrelationID: row.CorrelationID, CausationID: row.CausationID}
	rules.Event(ctx, row.Topic, &e)
	if row.Payload != nil || row.Headers != nil {
		maskContent(ctx, rules, row)
	}
	row.EventID, row.Type, row.Key, row.CorrelationID, row.CausationID = e.ID, e.Type, e.Key, e.CorrelationID, e.CausationID
}

func maskContent(ctx context.Context, rules *mask.Rules, row *outbox.StoredRow) {
	r := &kgo.Record{Topic: row.Topic, Key: []byte(row.Key), Value: row.Payload}
	for _, h := range row.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	m := record.Decode(r)
	rules.Message(ctx, &m)
	if len(m.Masked) == 0 {
		return
	}
	row.Payload, row.Headers = bytesOf(m.Value), nil
	for _, h := range m.Headers {
		row.Headers = append(row.Headers, event.Header{Key: h.Key, Value: bytesOf(h.Value)})
	}
}

func bytesOf(d api.Data) []byte {
	switch d.Format {
	case "null":
		return nil
	case "binary":
		return d.Base64
	}
	return []byte(d.Text)
}

// maskedLens hides keys and attributes of events in transactions.
type maskedLens struct {
	api.Lens
	rules *mask.Rules
}

func (l maskedLens) Search(ctx context.Context, q api.TraceQuery) (api.Page[api.TraceSummary], error) {
	page, err := l.Lens.Search(ctx, q)
	if l.rules.HidesKeys(ctx) { // a summary does not say of which topics it is
		page.Items = slices.Clone(page.Items) // the index may keep them
		for i := range page.Items {
			if page.Items[i].Key != "" {
				page.Items[i].Key = mask.Hidden
			}
		}
		// One that was found by its key tells it.
		page.Items = slices.DeleteFunc(page.Items, func(t api.TraceSummary) bool {
			return !strings.HasPrefix(strings.ToLower(t.CorrelationID), strings.ToLower(q.Search))
		})
		page.Total = -1
	}
	return page, err
}

func (l maskedLens) Trace(ctx context.Context, id string) (api.Trace, error) {
	t, err := l.Lens.Trace(ctx, id)
	if err != nil {
		return t, err
	}
	hidden := l.rules.HidesKeys(ctx)
	if hidden && id != t.CorrelationID && !hasEvent(t, id) { // found by a key, which to know tells it
		return api.Trace{}, fmt.Errorf("%w: no transaction has the correlation id or event id %q; keys are hidden from your role", api.ErrNotFound, id)
	}
	t.Hops, t.Keys = slices.Clone(t.Hops), slices.Clone(t.Keys)
	for i := range t.Hops {
		if e := t.Hops[i].Event; e != nil {
			masked := *e
			l.rules.Event(ctx, t.Hops[i].Topic, &masked)
			t.Hops[i].Event = &masked
			hidden = hidden || masked != *e
		}
	}
	t.Sagas = slices.Clone(t.Sagas)
	for i := range t.Sagas {
		hidden = hidden || l.rules.Hides(ctx, t.Sagas[i].Name)
		maskSaga(ctx, l.rules, &t.Sagas[i].SagaLine)
	}
	if l.rules.HidesKeys(ctx) {
		for i := range t.Keys {
			t.Keys[i] = mask.Hidden
		}
	}
	if hidden && t.Stuck != nil { // its texts name keys and ids
		stuck := *t.Stuck
		stuck.Explanation, stuck.Action = "Parts of this transaction are hidden from your role; the cause is: "+string(stuck.Cause)+".", nil
		stuck.Saga = nil
		t.Stuck = &stuck
	}
	return t, nil
}

func hasEvent(t api.Trace, id string) bool {
	return slices.ContainsFunc(t.Hops, func(h api.Hop) bool { return h.Event != nil && h.Event.ID == id })
}
