package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/saga"
)

// Saga is a saga of a service.
type Saga struct {
	Service string `json:"service"`
	admin.SagaLine
}

// SagaQuery selects sagas. Empty fields select all.
type SagaQuery struct {
	// Service of the sagas; "" asks all.
	Service string `json:"service,omitempty"`
	Name    string `json:"name,omitempty"`
	// ID is an exact id; CorrelationID an exact correlation id.
	ID            string        `json:"id,omitempty"`
	CorrelationID string        `json:"correlationId,omitempty"`
	Status        []saga.Status `json:"status,omitempty"`
	// StartedBefore selects older ones: a time in RFC 3339.
	StartedBefore string `json:"startedBefore,omitempty"`
	// After is Next of the page before.
	After *saga.Place `json:"after,omitempty"`
	// Limit is 50 where zero, at most 1,000.
	Limit int `json:"limit,omitempty"`
}

// SagaList is a part of the sagas of services, the oldest first.
type SagaList struct {
	Items []Saga `json:"items"`
	// Next is where to go on, nil at the end.
	Next *saga.Place `json:"next,omitempty"`
	// Problems are services that could not be asked.
	Problems []string `json:"problems,omitempty"`
}

// SagaCounts are how many sagas the services have.
type SagaCounts struct {
	Items []SagaCount `json:"items"`
	// Problems are services that could not be asked.
	Problems []string `json:"problems,omitempty"`
}

// SagaCount counts a service's sagas of one name in one status.
type SagaCount struct {
	Service string `json:"service"`
	saga.Count
}

// ActOnSaga retries, skips, forces or resolves.
type ActOnSaga struct {
	Service string `json:"service"`
	// Name of the saga, ID of the instance.
	Name string         `json:"name"`
	ID   string         `json:"id"`
	Do   saga.ActAction `json:"do"`
	// Step it is about; may be empty where only one step can be meant.
	Step string `json:"step,omitempty"`
	// Reason is kept in the saga's timeline, with the user's name.
	Reason string `json:"reason"`
	// Revision that was looked at: the act is refused where the saga has changed since; 0
	// acts on whatever is there.
	Revision int64 `json:"revision,omitempty"`
}

// Sagas asks all services that have sagas, or the one that is chosen.
func (e Engines) Sagas(ctx context.Context, q SagaQuery) (SagaList, error) {
	list := SagaList{Items: []Saga{}}
	asked, err := q.Asked()
	if err != nil {
		return list, err
	}
	if q.Service != "" {
		return e.sagasOf(ctx, q.Service, asked)
	}
	names, away, err := e.withSagas(ctx)
	if err != nil {
		return list, err
	}
	more := false
	list.Problems = append(askEach(ctx, e.Services, names, func(s admin.API) (admin.SagaPage, error) { return s.Sagas(ctx, asked) },
		func(service string, page admin.SagaPage) {
			list.add(service, page.Sagas)
			more = more || page.Next != nil
		}), away...)
	slices.Sort(list.Problems)
	list.cut(asked.Limit, more)
	return list, nil
}

func (e Engines) sagasOf(ctx context.Context, service string, asked saga.Query) (SagaList, error) {
	list := SagaList{Items: []Saga{}}
	s, err := e.Services.At(ctx, service)
	if err != nil {
		return list, err
	}
	page, err := s.Sagas(ctx, asked)
	list.add(service, page.Sagas)
	list.Next = page.Next
	return list, err
}

func (e Engines) withSagas(ctx context.Context) (names, away []string, err error) {
	services, err := e.Services.Services(ctx)
	if err != nil {
		return nil, nil, err
	}
	names, away = thoseWith(services, func(s *admin.Status) bool { return s.HasSagas })
	return names, away, nil
}

func (l *SagaList) add(service string, lines []admin.SagaLine) {
	for _, line := range lines {
		l.Items = append(l.Items, Saga{service, line})
	}
}

// cut leaves the oldest, and says where to go on.
func (l *SagaList) cut(limit int, more bool) {
	slices.SortFunc(l.Items, func(a, b Saga) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Service, b.Service))
	})
	if len(l.Items) > limit {
		l.Items, more = l.Items[:limit], true
	}
	if n := len(l.Items); more && n > 0 {
		last := l.Items[n-1]
		l.Next = &saga.Place{Started: last.Started, Name: last.Name, ID: last.ID}
	}
}

// defaultSagas is the limit of a query without one.
const defaultSagas = 50

// Asked is the query as a service takes it.
func (q SagaQuery) Asked() (saga.Query, error) {
	asked := saga.Query{Name: q.Name, ID: q.ID, CorrelationID: q.CorrelationID, Status: q.Status, After: q.After, Limit: cmp.Or(q.Limit, defaultSagas)}
	if q.StartedBefore != "" {
		var err error
		if asked.StartedBefore, err = time.Parse(time.RFC3339Nano, q.StartedBefore); err != nil {
			return asked, BadField("startedBefore", "%s is no time such as 2026-01-31T12:00:00Z", quote(q.StartedBefore))
		}
	}
	asked, err := asked.WithDefaults()
	if err != nil {
		return asked, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return asked, nil
}

// SagaCounts asks all services that have sagas, at the same time.
func (e Engines) SagaCounts(ctx context.Context) (SagaCounts, error) {
	counts := SagaCounts{Items: []SagaCount{}}
	names, away, err := e.withSagas(ctx)
	if err != nil {
		return counts, err
	}
	counts.Problems = append(askEach(ctx, e.Services, names, func(s admin.API) ([]saga.Count, error) { return s.SagaCounts(ctx) },
		func(service string, all []saga.Count) {
			for _, c := range all {
				counts.Items = append(counts.Items, SagaCount{service, c})
			}
		}), away...)
	slices.Sort(counts.Problems)
	slices.SortFunc(counts.Items, func(a, b SagaCount) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name), cmp.Compare(statusRank(a.Status), statusRank(b.Status)))
	})
	return counts, nil
}

// sagaQueryOf is the way back from Asked.
func sagaQueryOf(service string, q saga.Query) SagaQuery {
	of := SagaQuery{Service: service, Name: q.Name, ID: q.ID, CorrelationID: q.CorrelationID, Status: q.Status, After: q.After, Limit: q.Limit}
	if !q.StartedBefore.IsZero() {
		of.StartedBefore = q.StartedBefore.UTC().Format(time.RFC3339Nano)
	}
	return of
}

func statusRank(s saga.Status) int { return slices.Index(saga.Statuses(), s) }
