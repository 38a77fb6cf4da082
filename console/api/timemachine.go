package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/admin"
)

// DiffStates asks a service's journal for two states and compares them. What is
// masked in s stays hidden.
func DiffStates(ctx context.Context, s admin.Journal, q DiffQuery) (StateDiff, error) {
	to, err := stateAt(ctx, s, q.PersistenceID, q.To)
	if err != nil {
		return StateDiff{}, err
	}
	d := StateDiff{PersistenceID: q.PersistenceID, From: to.SeqNr - 1, To: to.SeqNr, Changes: []Change{}, Masked: to.Masked}
	if q.From != nil {
		d.From = *q.From
	}
	if d.From < 0 || d.From > d.To {
		return d, BadField("from", "%d is not within 0 and %d", d.From, d.To)
	}
	from := admin.EntityState{}
	if d.From > 0 {
		if from, err = stateAt(ctx, s, q.PersistenceID, d.From); err != nil {
			return d, err
		}
	}
	for _, m := range from.Masked {
		if !slices.Contains(d.Masked, m) {
			d.Masked = append(slices.Clip(d.Masked), m)
		}
	}
	changes, more, err := Diff(from.State, to.State)
	d.Changes, d.More = append(d.Changes, changes...), more
	return d, err
}

func stateAt(ctx context.Context, s admin.Journal, persistenceID string, n int64) (admin.EntityState, error) {
	page, err := s.States(ctx, admin.StateQuery{PersistenceID: persistenceID, From: n, To: n})
	if err != nil {
		return admin.EntityState{}, err
	}
	if len(page.States) == 0 {
		return admin.EntityState{}, fmt.Errorf("%w: %s has no state after event %d", ErrNotFound, persistenceID, n)
	}
	return page.States[0], nil
}

// Bounds of looking for what changed a field: so many states are looked at for an
// answer, and it ends at so many changes.
const (
	maxLooked  = 500
	maxChanged = 100
)

// FieldChanges looks back for the events that changed a field. What is masked in s
// stays hidden, whether it changed included.
func FieldChanges(ctx context.Context, s admin.Journal, q FieldQuery) (FieldHistory, error) {
	h := FieldHistory{PersistenceID: q.PersistenceID, Path: q.Path, Changes: []FieldChange{}}
	steps, err := parsePath(q.Path)
	if err != nil {
		return h, err
	}
	if q.Before < 0 {
		return h, BadField("before", "%d is no number of an event", q.Before)
	}
	e, err := s.Entity(ctx, q.PersistenceID)
	if err != nil {
		return h, err
	}
	if e.First == 0 {
		return h, fmt.Errorf("%w: %s has no events to look at", ErrNotFound, q.PersistenceID)
	}
	look := looking{s: s, entity: e, steps: steps, history: &h}
	h.To = e.SeqNr
	if q.Before > 0 {
		h.To = min(q.Before, e.SeqNr)
	}
	if h.From = h.To; h.To < e.First {
		return h, nil
	}
	for upper := h.To; upper >= e.First && h.To-h.From < maxLooked && len(h.Changes) < maxChanged && !h.Hidden; {
		if upper, err = look.back(ctx, upper); err != nil {
			return h, err
		}
	}
	return h, look.name(ctx)
}

// looking goes back through an entity's states.
type looking struct {
	s       admin.Journal
	entity  admin.Entity
	steps   []pathStep
	history *FieldHistory
}

// back compares the states up to upper with those before them, as many as one answer
// has, and returns the event to go on with: the lowest one whose state is known.
func (l *looking) back(ctx context.Context, upper int64) (int64, error) {
	h := l.history
	lower := max(upper-admin.MaxStates+1, l.entity.First)
	var states []admin.EntityState
	for next := lower; ; {
		page, err := l.s.States(ctx, admin.StateQuery{PersistenceID: h.PersistenceID, From: next, To: upper})
		if err != nil {
			return 0, err
		}
		states = append(states, page.States...)
		if page.Next <= next { // the end, or a service that would keep us here
			break
		}
		next = page.Next
	}
	for i := len(states) - 1; i >= 0 && !h.Hidden; i-- {
		switch {
		case i > 0:
			if err := l.compare(&states[i-1], states[i]); err != nil {
				return 0, err
			}
		case lower == 1:
			if err := l.compare(nil, states[0]); err != nil {
				return 0, err
			}
		}
	}
	h.From = lower
	if lower <= l.entity.First || h.Hidden {
		h.Next = 0
		return 0, nil
	}
	h.Next = lower
	return lower, nil
}

// compare notes a change of the field between two states that follow each other;
// before the first event there is none.
func (l *looking) compare(before *admin.EntityState, after admin.EntityState) error {
	var was []byte
	if before != nil {
		value, hidden, err := l.field(*before)
		if err != nil || hidden {
			l.history.Hidden = l.history.Hidden || hidden
			return err
		}
		was = value
	}
	is, hidden, err := l.field(after)
	if err != nil || hidden {
		l.history.Hidden = l.history.Hidden || hidden
		return err
	}
	changes, _, err := Diff(was, is)
	if err != nil || len(changes) == 0 {
		return err
	}
	c := FieldChange{SeqNr: after.SeqNr, Kind: Changed, Old: was, New: is}
	switch {
	case was == nil:
		c.Kind = Added
	case is == nil:
		c.Kind = Removed
	}
	l.history.Changes = append(l.history.Changes, c)
	return nil
}

// field is the field's value in a state, nil where it is not there.
func (l *looking) field(s admin.EntityState) (value []byte, hidden bool, err error) {
	state, _, err := decodeJSON(s.State)
	if err != nil {
		return nil, false, fmt.Errorf("%w: the state after event %d is not JSON: %w", ErrConflict, s.SeqNr, err)
	}
	found, there, hidden := at(state, l.steps)
	if hidden = hidden && len(s.Masked) > 0; hidden || !there {
		return nil, hidden, nil
	}
	d := differ{}
	return d.encode(found), false, d.err
}

// name adds to the changes what is known of their events.
func (l *looking) name(ctx context.Context) error {
	h := l.history
	if h.Hidden {
		h.Changes = []FieldChange{}
	}
	if len(h.Changes) == 0 {
		return nil
	}
	events := map[int64]admin.StoredEvent{}
	q := admin.EventQuery{PersistenceID: h.PersistenceID, From: h.Changes[len(h.Changes)-1].SeqNr, To: h.Changes[0].SeqNr, Limit: admin.MaxEntities}
	for {
		page, err := l.s.Events(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			events[e.SeqNr] = e
		}
		if page.Next <= q.From { // the end, or a service that would keep us here
			break
		}
		q.From = page.Next
	}
	for i := range h.Changes {
		e := events[h.Changes[i].SeqNr]
		h.Changes[i].Manifest, h.Changes[i].Time = e.Payload.Manifest, e.Time
	}
	return nil
}
