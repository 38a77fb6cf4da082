package saga

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A timer that cannot be decided, because a function of the definition panics, the
// version is not here or Changed fails, stays: only the saga's Due, by which it is
// found, moves by a pause, which grows up to Backoff.Max. So it neither stops others
// nor is tried without end, and fires as soon as the cause is gone. Whatever else
// changes the saga sets Due back to its earliest timer.

// postponed is the record as it is, but due later.
func (m *Manager[T, S]) postponed(r Record, err error, now time.Time) Record {
	r.Due = m.health.sagaFailed(r.ID, err, now)
	r.Revision++
	r.Entries = nil
	return r
}

// fireEach redoes a failed transaction one saga at a time, so that the one whose
// fault it is fails alone. Its error is the database's.
func (m *Manager[T, S]) fireEach(ctx context.Context, records []Record) error {
	for _, r := range records {
		err := m.fireAlone(ctx, r.ID)
		if err == nil {
			continue
		}
		if ctx.Err() != nil || m.store.Transient(err) {
			return err
		}
		if err := m.postpone(ctx, r.ID, err); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager[T, S]) fireAlone(ctx context.Context, id string) error {
	var done fired[S]
	err := m.store.Update(ctx, func(tx T) (err error) {
		done = fired[S]{}
		u := m.newUnit(ctx)
		if done.records, err = m.stillDue(ctx, tx, id, u.now); err != nil || len(done.records) == 0 {
			return err
		}
		return m.fireAll(ctx, tx, u, &done)
	})
	if err == nil {
		m.settleTimers(done)
	}
	return err
}

// postpone has a saga tried again later whose transaction failed.
func (m *Manager[T, S]) postpone(ctx context.Context, id string, cause error) error {
	err := m.store.Update(ctx, func(tx T) error {
		now := m.now()
		records, err := m.stillDue(ctx, tx, id, now)
		if err != nil || len(records) == 0 {
			return err
		}
		return m.save(ctx, tx, []Record{m.postponed(records[0], cause, now)})
	})
	if err != nil {
		return errors.Join(fmt.Errorf("postpone saga %s/%s: %w", m.name, id, err), cause)
	}
	m.counts.postponed.Add(1)
	return nil
}

// stillDue locks a saga, if nobody else has fired its timers meanwhile.
func (m *Manager[T, S]) stillDue(ctx context.Context, tx T, id string, now time.Time) ([]Record, error) {
	records, err := tx.LoadSagas(ctx, m.name, []string{id})
	if err != nil {
		return nil, fmt.Errorf("load saga %s/%s: %w", m.name, id, err)
	}
	if len(records) == 0 || records[0].Due.IsZero() || records[0].Due.After(now) {
		return nil, nil
	}
	return records, nil
}
