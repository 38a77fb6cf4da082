package entity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/journal"
)

// Read returns the last committed state that this host knows of, and reads it from
// the database where the entity is not in memory. It never waits for commands.
// After an Ask has returned, it shows at least what that did.
//
// Where other hosts write the same entities (also where their partition of a topic
// has moved to another process), it may be older than what they wrote: StateAt with
// 0 reads the newest one.
func (h *Host[C, S, R]) Read(ctx context.Context, id string) (View[S], error) {
	who, err := identify(h.EntityType(), id)
	if err != nil {
		return View[S]{}, err
	}
	e := h.use(who)
	erased := e.erased.Load()
	if now := e.current.Load(); now != nil && !e.stale.Load() {
		return now.view(), nil
	}
	v, err := h.recover(ctx, h.store, e)
	if err != nil {
		return View[S]{}, err
	}
	e.publish(&v, erased)
	return v.view(), nil
}

// publish shows what was read, unless what a writer has shown in the meantime is
// newer, or the entity was erased: until a writer has read it again it is stale,
// and what that one shows has taken the place of old.
func (e *entity[S]) publish(v *version[S], erased int64) {
	for {
		old := e.current.Load()
		if e.erased.Load() != erased || old != nil && old.seqNr >= v.seqNr || e.current.CompareAndSwap(old, v) {
			return
		}
	}
}

func (h *Host[C, S, R]) use(who identity) *entity[S] {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.cast.touch(who, h.cfg.Clock())
	h.passivate(h.cast.excess(h.cfg))
	return e
}

// StateAt reads the state after the event seqNr from the database; 0 is the newest.
// Where there is no such event yet, the error wraps ErrVersion; of a durable state
// only the latest revision is there.
func (h *Host[C, S, R]) StateAt(ctx context.Context, id string, seqNr int64) (View[S], error) {
	who, err := identify(h.EntityType(), id)
	if err != nil {
		return View[S]{}, err
	}
	if seqNr < 0 {
		return View[S]{}, fmt.Errorf("%w: %s has no number %d", ErrVersion, who.pid, seqNr)
	}
	v, err := h.read(ctx, h.store, who, seqNr)
	if err == nil && seqNr > 0 && v.seqNr != seqNr {
		err = fmt.Errorf("%w: %s has come to number %d, not to %d", ErrVersion, who.pid, v.seqNr, seqNr)
	}
	return v.view(), err
}

// Inspector shows an entity's state to people. A Host is one.
type Inspector interface {
	EntityType() string
	Kind() journal.Kind
	// StateJSON is StateAt with the state as JSON, and its sequence number.
	StateJSON(ctx context.Context, id string, seqNr int64) (json.RawMessage, int64, error)
}

// StateJSON implements Inspector.
func (h *Host[C, S, R]) StateJSON(ctx context.Context, id string, seqNr int64) (json.RawMessage, int64, error) {
	v, err := h.StateAt(ctx, id, seqNr)
	if err != nil {
		return nil, v.SeqNr, err
	}
	data, err := guard("MarshalJSON", func() ([]byte, error) { return json.Marshal(v.State) })
	if err != nil {
		return nil, v.SeqNr, errors.Join(fmt.Errorf("the state of %s %s as JSON", h.EntityType(), id), err)
	}
	return data, v.SeqNr, nil
}
