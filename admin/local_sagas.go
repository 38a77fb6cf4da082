package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/saga"
)

// LocalSagas are the sagas of a service.
type LocalSagas struct {
	// Store keeps them.
	Store saga.Admin
	// Operators act on them: the managers of this process.
	Operators []saga.Operator
}

// SagaCounts implements Sagas.
func (l *Local) SagaCounts(ctx context.Context) ([]saga.Count, error) {
	all := []saga.Count{}
	if l.cfg.Sagas == nil {
		return all, l.noSagas()
	}
	err := l.look(ctx, func() error {
		counts, err := l.cfg.Sagas.Store.SagaCounts(ctx)
		all = append(all, counts...)
		return err
	})
	return all, err
}

// Sagas implements Sagas.
func (l *Local) Sagas(ctx context.Context, q saga.Query) (SagaPage, error) {
	page := SagaPage{Sagas: []SagaLine{}}
	if l.cfg.Sagas == nil {
		return page, l.noSagas()
	}
	q, err := q.WithDefaults()
	if err != nil {
		return page, failed(err)
	}
	err = l.look(ctx, func() error {
		records, err := l.cfg.Sagas.Store.Sagas(ctx, q)
		for _, r := range records {
			page.Sagas = append(page.Sagas, sagaLine(r))
		}
		return err
	})
	if n := len(page.Sagas); err == nil && n == q.Limit {
		last := page.Sagas[n-1]
		page.Next = &saga.Place{Started: last.Started, Name: last.Name, ID: last.ID}
	}
	return page, err
}

// Saga implements Sagas.
func (l *Local) Saga(ctx context.Context, name, id string) (SagaDetail, error) {
	if l.cfg.Sagas == nil {
		return SagaDetail{}, l.noSagas()
	}
	var detail SagaDetail
	err := l.look(ctx, func() error {
		record, entries, err := l.cfg.Sagas.Store.Saga(ctx, name, id)
		if err != nil {
			return err
		}
		detail, err = detailOf(record, entries)
		return err
	})
	if errors.Is(err, saga.ErrNotFound) {
		err = fmt.Errorf("%w: service %s has no saga %s %q", ErrNotFound, l.cfg.Name, name, id)
	}
	detail.Operable = l.operator(name) != nil
	return detail, err
}

// ActOnSaga implements Sagas.
func (l *Local) ActOnSaga(ctx context.Context, a saga.Act) (SagaLine, error) {
	if l.cfg.Sagas == nil {
		return SagaLine{}, l.noSagas()
	}
	if err := checkSagaAct(a); err != nil {
		return SagaLine{}, err
	}
	operator := l.operator(a.Saga)
	if operator == nil {
		return SagaLine{}, fmt.Errorf("%w: saga %q does not run in instance %s of %s, so nobody can act on it there", ErrConflict, a.Saga, l.cfg.Instance, l.cfg.Name)
	}
	record, err := operator.Act(ctx, a)
	return sagaLine(record), failed(err)
}

func (l *Local) operator(name string) saga.Operator {
	i := slices.IndexFunc(l.cfg.Sagas.Operators, func(o saga.Operator) bool { return o.Name() == name })
	if i < 0 {
		return nil
	}
	return l.cfg.Sagas.Operators[i]
}

func (l *Local) noSagas() error {
	return fmt.Errorf("%w: service %s has no sagas", ErrNotFound, l.cfg.Name)
}

func sagaLine(r saga.Record) SagaLine {
	return SagaLine{
		Name: r.Name, ID: r.ID, Version: r.Version, Revision: r.Revision, Status: r.Status, CorrelationID: r.CorrelationID,
		Reason: r.Reason, Current: r.Current, Started: r.Started.UTC(), Changed: r.Changed.UTC(), Ended: r.Ended.UTC(), Due: r.Due.UTC(),
	}
}

func detailOf(r saga.Record, entries []saga.Entry) (SagaDetail, error) {
	var progress struct {
		Steps  []saga.StepState
		Timers []saga.Timer
	}
	d := SagaDetail{SagaLine: sagaLine(r), StateSize: len(r.State)}
	if len(r.Progress) > 0 {
		if err := json.Unmarshal(r.Progress, &progress); err != nil {
			return d, fmt.Errorf("the progress of saga %s %q is not what this version of Pabal writes: %w", r.Name, r.ID, err)
		}
	}
	d.Steps, d.Timers = append([]saga.StepState{}, progress.Steps...), append([]saga.Timer{}, progress.Timers...)
	if len(r.State) <= MaxState {
		d.State = r.State
	}
	d.Entries = append([]saga.Entry{}, entries...)
	if more := len(entries) - MaxSagaEntries; more > 0 {
		d.LeftOut = more
		d.Entries = slices.Delete(d.Entries, SagaEntriesBefore, SagaEntriesBefore+more)
	}
	return d, nil
}
