package entity

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/journal"
)

// sourced is the behaviour of an EventSourced definition.
type sourced[C, E, S, R any] struct{ d EventSourced[C, E, S, R] }

func (b sourced[C, E, S, R]) validate() error {
	if d := b.d; d.Initial == nil || d.Decide == nil || d.Apply == nil || d.Registry == nil {
		return fmt.Errorf("%w: %s needs Initial, Decide, Apply and Registry", ErrConfig, d.Type)
	}
	if err := b.d.Snapshot.Validate(); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrConfig, b.d.Type, err)
	}
	if p := b.d.Snapshot; p.Every > 0 || p.Bytes > 0 || p.When != nil {
		if err := checkEncodes[S](b.d.Registry, b.d.Initial); err != nil {
			return fmt.Errorf("%w: %s takes snapshots: %w", ErrConfig, b.d.Type, err)
		}
	}
	return checkType(b.d.Type)
}

// checkEncodes finds a registry without the state's type at once, not at the first
// state that has to be stored.
func checkEncodes[S any](registry *journal.Registry, initial func(string) S) error {
	state, err := guard("Initial", func() (S, error) { return initial("check"), nil })
	if err != nil {
		return err
	}
	if _, err = registry.Marshal(state); !errors.Is(err, journal.ErrSerializer) {
		return nil // an initial state may be one that is never stored
	}
	return err
}

func checkType(entityType string) error {
	if _, err := journal.PersistenceID(entityType, "x"); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}

func (b sourced[C, E, S, R]) entityType() string  { return b.d.Type }
func (b sourced[C, E, S, R]) kind() journal.Kind  { return journal.Events }
func (b sourced[C, E, S, R]) initial(id string) S { return b.d.Initial(id) }

func (b sourced[C, E, S, R]) size(state S) int {
	if b.d.Size == nil {
		return 0
	}
	return b.d.Size(state)
}

func (b sourced[C, E, S, R]) decide(c Context, v version[S], command C) (plan[S, R], error) {
	d, err := guard("Decide", func() (Decision[E, R], error) { return b.d.Decide(c, v.state, command) })
	if err != nil {
		return plan[S, R]{}, err
	}
	p := plan[S, R]{reply: d.Reply, state: v.state}
	if p.messages, err = outgoing(c, d.Messages); err != nil {
		return plan[S, R]{}, err
	}
	if len(d.Messages) > 0 && len(d.Events) == 0 {
		return plan[S, R]{}, errMessagesAlone
	}
	for i, e := range d.Events {
		if err := b.add(&p, v, e); err != nil {
			return plan[S, R]{}, fmt.Errorf("event %d of the decision (%T): %w", i+1, e, err)
		}
	}
	return p, nil
}

// add applies one more event to the plan.
func (b sourced[C, E, S, R]) add(p *plan[S, R], v version[S], e E) (err error) {
	if p.state, err = b.apply(p.state, e); err != nil {
		return err
	}
	payload, err := b.d.Registry.Marshal(e)
	if err != nil {
		return err
	}
	p.events = append(p.events, journal.NewEvent{Payload: payload, Tags: b.tags(e)})
	p.bytes += int64(len(payload.Data))
	seqNr := v.seqNr + int64(len(p.events))
	due, err := guard("Snapshot.When", func() (bool, error) {
		return b.d.Snapshot.Due(journal.Progress{
			SeqNr: seqNr, Events: seqNr - v.saved, Bytes: v.bytes + p.bytes, State: p.state, Event: e,
		}), nil
	})
	p.snapshot = p.snapshot || due
	return err
}

var errMessagesAlone = errors.New("a decision with messages needs an event or a change: nothing else keeps them from being sent twice")

func (b sourced[C, E, S, R]) apply(state S, e E) (S, error) {
	return guard("Apply", func() (S, error) { return b.d.Apply(state, e) })
}

func (b sourced[C, E, S, R]) tags(e E) []string {
	if b.d.Tags == nil {
		return nil
	}
	return b.d.Tags(e)
}

// load starts from the snapshot, if there is one that can be read, and applies
// the events after it. Other processes may write meanwhile: that events are missing
// because they were deleted is believed when snapshot and last number were the same
// before and after they were looked for.
func (b sourced[C, E, S, R]) load(ctx context.Context, from journal.Loader, who identity, at int64, note func(string, error)) (version[S], error) {
	before := ground{highest: -1}
	var err error
	if before.snapshot, before.saved, err = snapshotOf(ctx, from, who, at); err != nil {
		return version[S]{}, err
	}
	for obsolete := false; ; {
		r := b.begin(before, obsolete, who, at, note)
		if err := r.run(ctx, from); err != nil || !r.missing {
			return r.v, err
		}
		now, err := survey(ctx, from, who, at)
		switch {
		case err != nil:
			return r.v, err
		case !now.same(before):
			before, obsolete = now, false
		case r.start > 0:
			s := before.snapshot
			note("the snapshot is left out", &RecoveryError{who.pid, s.SeqNr, typeOf(s.Payload), errObsolete})
			obsolete = true
		default:
			return r.v, r.deleted()
		}
	}
}

func (b sourced[C, E, S, R]) begin(g ground, obsolete bool, who identity, at int64, note func(string, error)) *replay[C, E, S, R] {
	r := &replay[C, E, S, R]{sourced: b, who: who, at: at, v: version[S]{state: b.d.Initial(who.id)}}
	if s := g.snapshot; g.saved && !obsolete {
		if err := b.restore(&r.v, s); err != nil {
			r.unreadable = &RecoveryError{who.pid, s.SeqNr, typeOf(s.Payload), err}
			note("the snapshot cannot be read: all events are replayed", r.unreadable)
		}
	}
	r.start = r.v.seqNr
	return r
}

func (b sourced[C, E, S, R]) restore(v *version[S], s journal.Snapshot) error {
	state, err := only[S](b.d.Registry, s.Payload)
	if err != nil {
		return err
	}
	*v = version[S]{state: state, seqNr: s.SeqNr, time: s.Time, saved: s.SeqNr}
	return nil
}

// ground is what an entity's events stand on: they may begin after the snapshot, and
// end at the highest number.
type ground struct {
	snapshot journal.Snapshot
	saved    bool // there is a snapshot
	highest  int64
}

func survey(ctx context.Context, from journal.Loader, who identity, at int64) (g ground, err error) {
	if g.snapshot, g.saved, err = snapshotOf(ctx, from, who, at); err == nil {
		g.highest, err = highestOf(ctx, from, who)
	}
	return g, err
}

func (g ground) same(other ground) bool {
	return g.saved == other.saved && g.snapshot.SeqNr == other.snapshot.SeqNr && g.highest == other.highest
}

func snapshotOf(ctx context.Context, from journal.Loader, who identity, at int64) (journal.Snapshot, bool, error) {
	s, ok, err := from.LoadSnapshot(ctx, who.pid, at)
	if err != nil {
		err = fmt.Errorf("load the snapshot: %w", err)
	}
	return s, ok, err
}

func highestOf(ctx context.Context, from journal.Loader, who identity) (int64, error) {
	all, err := from.HighestSeqNrs(ctx, []string{who.pid})
	if err != nil {
		return 0, fmt.Errorf("read the highest sequence number: %w", err)
	}
	return all[0], nil
}

func (b sourced[C, E, S, R]) check(ctx context.Context, from journal.Loader, who identity, v version[S]) error {
	highest, err := highestOf(ctx, from, who)
	if err == nil && highest != v.seqNr {
		err = &journal.ConflictError{PersistenceID: who.pid, Expected: v.seqNr}
	}
	return err
}

func (b sourced[C, E, S, R]) snapshot(who identity, v version[S]) (journal.Snapshot, error) {
	payload, err := b.d.Registry.Marshal(v.state)
	return journal.Snapshot{PersistenceID: who.pid, SeqNr: v.seqNr, Payload: payload}, err
}
