package saga

import (
	"cmp"
	"context"
	"fmt"
)

// Adopt stores sagas as they stand, in the caller's transaction: those that something
// else led until now. Nothing is decided or sent, and Changed is not told. It says of
// each whether its id was new; where not, nothing of it is stored.
//
// Required are ID, Status, Steps and what the steps wait for in Timers; Version is the
// newest where zero, CorrelationID the ID, Started and Changed now.
func (m *Manager[T, S]) Adopt(ctx context.Context, tx T, all ...Instance[S]) ([]bool, error) {
	now := m.now()
	sagas := make([]*held[S], len(all))
	for k, i := range all {
		if err := CheckID("id", i.ID); err != nil {
			return nil, fmt.Errorf("adopt saga %s: %w", m.name, err)
		}
		i.Name, i.Revision = m.name, max(i.Revision, 1)
		i.Version = cmp.Or(i.Version, m.cfg.Definitions[0].Version)
		i.CorrelationID = cmp.Or(i.CorrelationID, i.ID)
		if i.Started.IsZero() {
			i.Started = now
		}
		if i.Changed.IsZero() {
			i.Changed = now
		}
		sagas[k] = &held[S]{instance: i, entries: []Entry{{At: now, Kind: EntryStarted, Status: i.Status, Note: "adopted as it stood"}}}
		if err := m.decidable(i); err != nil {
			return nil, fmt.Errorf("adopt saga %s/%s: %w", m.name, i.ID, err)
		}
	}
	return m.insert(ctx, tx, sagas)
}

// decidable says whether the definition of its version can go on with an instance.
func (m *Manager[T, S]) decidable(i Instance[S]) error {
	place, ok := m.places[i.Version]
	if !ok {
		return fmt.Errorf("%w: version %d", ErrVersion, i.Version)
	}
	r, err := encodeInstance(i)
	if err != nil {
		return err
	}
	if _, err := decodeRecord[S](r); err != nil {
		return err
	}
	return (&run[S]{d: &m.cfg.Definitions[place], i: i}).fits()
}
