package saga

import (
	"context"
	"fmt"
)

// cleanStep is how many sagas one transaction deletes at most.
const cleanStep = 500

// clean deletes, in small transactions, what ended longer ago than Retention.
func (m *Manager[T, S]) clean(soft, hard context.Context) {
	if m.cfg.Retention < 0 {
		return
	}
	for soft.Err() == nil {
		if err := m.cleanOnce(soft, hard); err == nil {
			m.health.Solve(cleaning)
		} else if hard.Err() == nil {
			m.health.Report(cleaning, err)
		}
		sleep(soft, m.cfg.CleanInterval)
	}
}

func (m *Manager[T, S]) cleanOnce(soft, hard context.Context) error {
	before := m.now().Add(-m.cfg.Retention)
	for soft.Err() == nil {
		deleted, err := m.store.TrimSagas(hard, m.name, before, cleanStep)
		if err != nil {
			return fmt.Errorf("trim sagas %s: %w", m.name, err)
		}
		m.counts.trimmed.Add(int(deleted))
		if deleted < cleanStep {
			return nil
		}
	}
	return nil
}
