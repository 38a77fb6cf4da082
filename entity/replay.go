package entity

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/journal"
)

// replay brings an event-sourced entity from its initial state, or a snapshot's, to
// its last event, or the one at.
type replay[C, E, S, R any] struct {
	sourced[C, E, S, R]
	who identity
	at  int64
	v   version[S]
	// start is where it begins, missing says that the events from there are not there:
	// deleted, or not yet there when they were looked for.
	start   int64
	missing bool
	// unreadable is the snapshot that could not be used.
	unreadable error
}

// errObsolete says that events after the snapshot are deleted. DeleteEvents leaves
// those: the entity was erased, and a snapshot that was on its way came after.
var errObsolete = errors.New("the entity was erased after it was taken")

// errEnough ends a reading whose result is of no use.
var errEnough = errors.New("enough")

func (r *replay[C, E, S, R]) run(ctx context.Context, from journal.Loader) error {
	if r.at > 0 && r.start >= r.at {
		return nil
	}
	err := from.Events(ctx, r.who.pid, r.start+1, r.at, func(e journal.Event) error {
		if e.SeqNr != r.v.seqNr+1 {
			if err := r.gap(e); err != nil {
				return err
			}
		}
		return r.apply(e)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	if err != nil || r.v.seqNr != r.start {
		return err
	}
	return r.withoutEvents(ctx, from)
}

// gap says whether events before e may be missing.
func (r *replay[C, E, S, R]) gap(e journal.Event) error {
	err := fmt.Errorf("events %d to %d before it are deleted", r.v.seqNr+1, e.SeqNr-1)
	switch {
	case r.unreadable != nil:
		err = fmt.Errorf("%w, and %w", err, r.unreadable)
	case r.v.seqNr == r.start:
		if r.missing = true; r.start > 0 {
			return errEnough
		}
		return nil // the first one after Erase
	}
	return &RecoveryError{e.PersistenceID, e.SeqNr, typeOf(e.Payload), err}
}

// apply applies a stored event.
func (r *replay[C, E, S, R]) apply(e journal.Event) error {
	fail := func(err error) error {
		return &RecoveryError{e.PersistenceID, e.SeqNr, typeOf(e.Payload), err}
	}
	values, err := r.d.Registry.Decode(e.Payload)
	if err != nil {
		return fail(err)
	}
	v := &r.v
	for _, value := range values {
		one, err := asType[E](value)
		if err != nil {
			return fail(err)
		}
		if v.state, err = r.sourced.apply(v.state, one); err != nil {
			return fail(fmt.Errorf("event %T: %w", value, err))
		}
	}
	v.seqNr, v.time, v.timed = e.SeqNr, e.Time, true
	v.bytes += int64(len(e.Payload.Data))
	return nil
}

// withoutEvents: where all events were deleted, and a marker left, the next number
// is the one after that; without a marker everything was erased, and it is 1.
func (r *replay[C, E, S, R]) withoutEvents(ctx context.Context, from journal.Loader) error {
	highest, err := highestOf(ctx, from, r.who)
	if err == nil && highest != r.start {
		r.missing, r.v.seqNr = true, highest
	}
	return err
}

// deleted is the error of a version whose events are deleted.
func (r *replay[C, E, S, R]) deleted() error {
	if r.at > 0 && r.at < r.v.seqNr {
		return fmt.Errorf("%w: the events of %s up to %d are deleted", ErrVersion, r.who.pid, r.at)
	}
	return nil
}
