package saga

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// actTimeout bounds an act whose ctx has no end. A person waits for it, so its
// repetitions come soon.
const actTimeout = 30 * time.Second

var actBackoff = outbox.Backoff{Min: 20 * time.Millisecond, Max: 2 * time.Second}

// Act carries out what a person wants of a saga, in a transaction of its own, and
// returns the saga after it. The timeline keeps who did it, and why. It is repeated
// where the database was the cause of an error, but takes effect once. ErrNotFound,
// ErrRefused, ErrChanged (Act.Revision is not the saga's any more), ErrVersion.
func (m *Manager[T, S]) Act(ctx context.Context, a Act) (Record, error) {
	if a.Saga == "" {
		a.Saga = m.name
	}
	if a.Saga != m.name {
		return Record{}, fmt.Errorf("%w: %s", ErrNotFound, a.Saga)
	}
	ctx, cancel := context.WithTimeout(ctx, actTimeout)
	defer cancel()
	try := &acting{act: a}
	for failures := 1; ; failures++ {
		err := m.actOnce(ctx, try)
		if err == nil {
			m.counts.add(try.tally)
			return try.record, nil
		}
		moved := errors.Is(err, errMoved)
		if ctx.Err() != nil || !moved && !m.store.Transient(err) {
			return Record{}, err
		}
		if !moved && len(try.record.Entries) > 0 { // it came to a commit
			try.unsure = try.record
		}
		if m.acted(ctx, try) {
			return try.unsure, nil
		}
		if moved {
			try.unsure = Record{} // it was another's change
			continue
		}
		sleep(ctx, actBackoff.After(failures))
	}
}

// acting is an act with what its last try has decided.
type acting struct {
	act    Act
	record Record
	tally  tally
	// unsure is what an earlier try would have stored, whose commit was not answered.
	unsure Record
}

// errMoved: with the saga locked, it is at or beyond what an earlier try decided, so
// that the timeline knows whether that took effect.
var errMoved = errors.New("the saga has moved on")

func (m *Manager[T, S]) actOnce(ctx context.Context, try *acting) error {
	return m.store.Update(ctx, func(tx T) error {
		try.record = Record{}
		h, err := m.loadOne(ctx, tx, try.act.ID)
		if err != nil {
			return err
		}
		if try.unsure.Revision > 0 && h.base >= try.unsure.Revision {
			return errMoved
		}
		out, err := m.decide(m.newUnit(ctx), h, Input[S]{Act: &try.act})
		if err != nil {
			return fmt.Errorf("%s saga %s/%s: %w", try.act.Do, m.name, try.act.ID, err)
		}
		if !out.changed {
			return fmt.Errorf("%s saga %s/%s: %w", try.act.Do, m.name, try.act.ID, ErrRefused)
		}
		outcomes := []outcome[S]{out}
		if err := m.apply(ctx, tx, []*held[S]{h}, outcomes); err != nil {
			return err
		}
		try.tally = tallyOf(outcomes)
		try.record, err = m.encode(h)
		return err
	})
}

// acted says whether an earlier try, whose commit was not answered, took effect:
// then its entries are in the timeline.
func (m *Manager[T, S]) acted(ctx context.Context, try *acting) bool {
	if len(try.unsure.Entries) == 0 {
		return false
	}
	stored, timeline, err := m.store.Saga(ctx, m.name, try.act.ID)
	if err != nil || stored.Revision < try.unsure.Revision {
		return false
	}
	for _, e := range try.unsure.Entries {
		if e.Kind == EntryAct && !slices.ContainsFunc(timeline, func(is Entry) bool {
			return is.Kind == e.Kind && is.At.Equal(e.At) && is.Actor == e.Actor && is.Note == e.Note
		}) {
			return false
		}
	}
	return true
}
