package entity

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

// behaviour is a definition of either kind as a host sees it. All but load is
// pure.
type behaviour[C, S, R any] interface {
	entityType() string
	kind() journal.Kind
	initial(id string) S
	decide(c Context, v version[S], command C) (plan[S, R], error)
	// load reads the newest state, or that at a sequence number where it is not 0.
	load(ctx context.Context, from journal.Loader, who identity, at int64, note func(string, error)) (version[S], error)
	// check compares with what is stored: ErrConflict where somebody else wrote.
	check(ctx context.Context, from journal.Loader, who identity, v version[S]) error
	// snapshot encodes the state of an event-sourced entity.
	snapshot(who identity, v version[S]) (journal.Snapshot, error)
	size(state S) int
}

// identity is an entity's names.
type identity struct{ id, pid string }

func identify(entityType, id string) (identity, error) {
	pid, err := journal.PersistenceID(entityType, id)
	return identity{pid[min(len(pid), len(entityType)+1):], pid}, err
}

// version is a committed state; it never changes.
type version[S any] struct {
	state S
	seqNr int64
	// time of the last event, where timed; otherwise of the snapshot.
	time  time.Time
	timed bool
	// saved is the sequence number of the last snapshot known of, bytes the payloads
	// since.
	saved, bytes int64
	// due says that the policy asked for a snapshot and none was begun yet.
	due bool
	// deleted says that a marker stands in the place of a durable state.
	deleted bool
}

func (v version[S]) view() View[S] { return View[S]{State: v.state, SeqNr: v.seqNr, Time: v.time} }

// plan is what a command does, not done yet.
type plan[S, R any] struct {
	reply    R
	state    S // afterwards
	events   []journal.NewEvent
	change   *journal.StateWrite // without persistence id, revision and messages
	messages []outbox.Message
	bytes    int64 // of the events' payloads
	snapshot bool  // is due afterwards
}

func (p plan[S, R]) changes() bool { return len(p.events) > 0 || p.change != nil }

// after is the version that p makes of v once it is appended.
func (p plan[S, R]) after(v version[S], a journal.Appended) version[S] {
	next := version[S]{state: p.state, seqNr: a.SeqNr, time: a.Time, timed: true, saved: v.saved, bytes: v.bytes + p.bytes}
	if p.change != nil && p.change.Delete {
		next.deleted = true
		if p.change.Hard {
			next = version[S]{state: p.state}
		}
	}
	return next
}

// only is the one value that a stored state decodes to.
func only[V any](registry *journal.Registry, p journal.Payload) (v V, err error) {
	values, err := registry.Decode(p)
	switch {
	case err != nil:
		return v, err
	case len(values) != 1:
		return v, fmt.Errorf("its adapters make %d values of it, a state is one", len(values))
	}
	return asType[V](values[0])
}

// asType is a decoded value as what the definition declares.
func asType[V any](value any) (V, error) {
	v, ok := value.(V)
	if !ok {
		return v, fmt.Errorf("it decodes to a %T, the definition has %T", value, *new(V))
	}
	return v, nil
}
