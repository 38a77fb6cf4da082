package entity

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/journal"
)

// durable is the behaviour of a DurableState definition.
type durable[C, S, R any] struct{ d DurableState[C, S, R] }

func (b durable[C, S, R]) validate() error {
	if d := b.d; d.Initial == nil || d.Decide == nil || d.Registry == nil {
		return fmt.Errorf("%w: %s needs Initial, Decide and Registry", ErrConfig, d.Type)
	}
	if err := checkEncodes(b.d.Registry, b.d.Initial); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrConfig, b.d.Type, err)
	}
	return checkType(b.d.Type)
}

func (b durable[C, S, R]) entityType() string  { return b.d.Type }
func (b durable[C, S, R]) kind() journal.Kind  { return journal.States }
func (b durable[C, S, R]) initial(id string) S { return b.d.Initial(id) }

func (b durable[C, S, R]) snapshot(identity, version[S]) (journal.Snapshot, error) {
	return journal.Snapshot{}, errors.ErrUnsupported
}

func (b durable[C, S, R]) size(state S) int {
	if b.d.Size == nil {
		return 0
	}
	return b.d.Size(state)
}

func (b durable[C, S, R]) decide(c Context, v version[S], command C) (plan[S, R], error) {
	change, err := guard("Decide", func() (Change[S, R], error) { return b.d.Decide(c, v.state, command) })
	if err != nil {
		return plan[S, R]{}, err
	}
	p := plan[S, R]{reply: change.Reply, state: v.state}
	if p.messages, err = outgoing(c, change.Messages); err != nil {
		return plan[S, R]{}, err
	}
	switch {
	case change.Set != nil && change.Delete:
		return plan[S, R]{}, errors.New("a change either sets or deletes the state")
	case change.Set != nil:
		payload, err := b.d.Registry.Marshal(*change.Set)
		if err != nil {
			return plan[S, R]{}, fmt.Errorf("the new state: %w", err)
		}
		p.state, p.change = *change.Set, &journal.StateWrite{Payload: payload, Tags: b.tags(*change.Set)}
	case change.Delete && v.seqNr > 0 && !v.deleted:
		p.state, p.change = b.d.Initial(c.ID), b.deletion()
	case len(change.Messages) > 0:
		return plan[S, R]{}, errMessagesAlone
	}
	return p, nil
}

func (b durable[C, S, R]) deletion() *journal.StateWrite {
	return &journal.StateWrite{Delete: true, Hard: b.d.HardDelete}
}

func (b durable[C, S, R]) tags(state S) []string {
	if b.d.Tags == nil {
		return nil
	}
	return b.d.Tags(state)
}

func (b durable[C, S, R]) load(ctx context.Context, from journal.Loader, who identity, at int64, _ func(string, error)) (version[S], error) {
	v := version[S]{state: b.d.Initial(who.id)}
	e, ok, err := from.LoadState(ctx, who.pid)
	switch {
	case err != nil:
		return v, fmt.Errorf("load the state: %w", err)
	case ok:
		v.seqNr, v.time, v.timed = e.SeqNr, e.Time, true
	}
	if at > 0 && at != v.seqNr {
		return v, fmt.Errorf("%w: %s has revision %d; earlier ones of a durable state are not kept", ErrVersion, who.pid, v.seqNr)
	}
	if v.deleted = e.Deleted; !ok || e.Deleted {
		return v, nil
	}
	if v.state, err = only[S](b.d.Registry, e.Payload); err != nil {
		return v, &RecoveryError{who.pid, e.SeqNr, typeOf(e.Payload), err}
	}
	return v, nil
}

func (b durable[C, S, R]) check(ctx context.Context, from journal.Loader, who identity, v version[S]) error {
	e, ok, err := from.LoadState(ctx, who.pid)
	if err != nil {
		return fmt.Errorf("read the revision: %w", err)
	}
	if ok != (v.seqNr > 0) || ok && e.SeqNr != v.seqNr {
		return &journal.ConflictError{PersistenceID: who.pid, Expected: v.seqNr}
	}
	return nil
}
