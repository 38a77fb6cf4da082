package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/journal"
)

// LocalJournal is the event store of a service.
type LocalJournal struct {
	Store journal.Store
	// Registry decodes payloads for people; without one only JSON and text are shown.
	Registry *journal.Registry
	// Entities are the entity types that run in this process; package entity's hosts
	// are such.
	Entities []entity.Inspector
}

// Bounds of looking for types: so many, and so many durable states are looked at.
const (
	maxTypes     = 200
	statesLooked = 500
)

// EntityTypes implements Journal.
func (l *Local) EntityTypes(ctx context.Context) ([]EntityType, error) {
	all := []EntityType{}
	if l.cfg.Journal == nil {
		return all, l.noJournal()
	}
	for _, e := range l.cfg.Journal.Entities {
		all = append(all, EntityType{Name: e.EntityType(), Kind: kindOf(e.Kind()), States: true})
	}
	err := l.look(ctx, func() error {
		types, err := eventTypes(ctx, l.cfg.Journal.Store)
		if err != nil {
			return err
		}
		durable, err := durableTypes(ctx, l.cfg.Journal.Store)
		all = merged(all, append(types, durable...))
		return err
	})
	slices.SortFunc(all, func(a, b EntityType) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return all, err
}

// merged adds those that are not known yet.
func merged(known, found []EntityType) []EntityType {
	for _, t := range found {
		if !slices.ContainsFunc(known, func(k EntityType) bool { return k.Name == t.Name && k.Kind == t.Kind }) {
			known = append(known, t)
		}
	}
	return known
}

// eventTypes jumps from type to type through the ordered ids.
func eventTypes(ctx context.Context, store journal.Store) ([]EntityType, error) {
	var all []EntityType
	after := ""
	for range maxTypes {
		ids, err := store.PersistenceIDs(ctx, "", after, 1)
		if err != nil || len(ids) == 0 {
			return all, err
		}
		name := journal.EntityType(ids[0])
		if slices.ContainsFunc(all, func(t EntityType) bool { return t.Name == name }) && name != "" {
			return all, nil // the database's order of letters is not that of bytes
		}
		all = merged(all, []EntityType{{Name: name, Kind: EventSourced}})
		if after = ids[0]; name != "" {
			after = name + "|\U0010FFFF"
		}
	}
	return all, nil
}

// durableTypes are those of the oldest durable states.
func durableTypes(ctx context.Context, store journal.Store) ([]EntityType, error) {
	page, err := store.Page(ctx, journal.Query{Kind: journal.States, Slices: journal.AllSlices(), Limit: statesLooked})
	var all []EntityType
	for _, e := range page.Events {
		all = merged(all, []EntityType{{Name: journal.EntityType(e.PersistenceID), Kind: Durable}})
	}
	return all, err
}

// Entity implements Journal.
func (l *Local) Entity(ctx context.Context, persistenceID string) (Entity, error) {
	e := Entity{PersistenceID: persistenceID, Type: journal.EntityType(persistenceID), ID: journal.EntityID(persistenceID), Slice: journal.SliceOf(persistenceID)}
	if l.cfg.Journal == nil {
		return e, l.noJournal()
	}
	if err := checkID(persistenceID); err != nil {
		return e, err
	}
	e.States = l.inspector(e.Type, journal.Events) != nil
	if err := l.look(ctx, func() error { return l.fill(ctx, &e) }); err != nil {
		return e, err
	}
	if e.SeqNr == 0 && e.State == nil && e.Snapshot == nil {
		return e, fmt.Errorf("%w: nothing is stored under the persistence id %q", ErrNotFound, persistenceID)
	}
	return e, nil
}

func (l *Local) fill(ctx context.Context, e *Entity) error {
	store := l.cfg.Journal.Store
	highest, err := store.HighestSeqNrs(ctx, []string{e.PersistenceID})
	if err != nil {
		return err
	}
	if e.SeqNr = highest[0]; e.SeqNr > 0 {
		err = store.Events(ctx, e.PersistenceID, 1, 0, func(first journal.Event) error {
			e.First = first.SeqNr
			return errEnough
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	s, ok, err := store.LoadSnapshot(ctx, e.PersistenceID, 0)
	if err != nil {
		return err
	}
	if ok {
		e.Snapshot = &SnapshotInfo{SeqNr: s.SeqNr, Time: s.Time.UTC(), Serializer: s.Payload.Serializer, Manifest: s.Payload.Manifest, Size: len(s.Payload.Data)}
	}
	state, ok, err := store.LoadState(ctx, e.PersistenceID)
	if err == nil && ok {
		e.State = &StoredState{Revision: state.SeqNr, Time: state.Time.UTC(), Tags: state.Tags, Deleted: state.Deleted, Payload: contentOf(l.cfg.Journal.Registry, state.Payload)}
	}
	return err
}

// errEnough ends a reading that has all it is for.
var errEnough = errors.New("enough")

// Events implements Journal.
func (l *Local) Events(ctx context.Context, q EventQuery) (EventPage, error) {
	page := EventPage{Events: []StoredEvent{}}
	if l.cfg.Journal == nil {
		return page, l.noJournal()
	}
	q, err := q.withDefaults()
	if err != nil {
		return page, err
	}
	size := 0
	err = l.look(ctx, func() error {
		return l.cfg.Journal.Store.Events(ctx, q.PersistenceID, max(q.From, 1), q.To, func(e journal.Event) error {
			if len(page.Events) == q.Limit || size > MaxPage {
				page.Next = e.SeqNr
				return errEnough
			}
			shown := l.shown(e)
			if size += shown.Payload.shown(); shown.Metadata != nil {
				size += shown.Metadata.shown()
			}
			page.Events = append(page.Events, shown)
			return nil
		})
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return page, err
}

func (l *Local) shown(e journal.Event) StoredEvent {
	s := StoredEvent{SeqNr: e.SeqNr, Time: e.Time.UTC(), Tags: e.Tags, Writer: e.Writer, AdapterManifest: e.AdapterManifest,
		Payload: contentOf(l.cfg.Journal.Registry, e.Payload)}
	if e.Metadata != nil {
		m := contentOf(l.cfg.Journal.Registry, *e.Metadata)
		s.Metadata = &m
	}
	return s
}

// stateTime is when a page of states ends though there are more.
const stateTime = 4 * time.Second

// States implements Journal.
func (l *Local) States(ctx context.Context, q StateQuery) (StatePage, error) {
	page := StatePage{States: []EntityState{}}
	if l.cfg.Journal == nil {
		return page, l.noJournal()
	}
	if err := q.check(); err != nil {
		return page, err
	}
	entityType := journal.EntityType(q.PersistenceID)
	of := l.inspector(entityType, journal.Events)
	if of == nil {
		return page, fmt.Errorf("%w: no event-sourced entity of type %q runs in this process of %s, so its states cannot be computed; its events can be read", ErrNotFound, entityType, l.cfg.Name)
	}
	err := l.look(ctx, func() error { return l.states(ctx, of, q, &page) })
	return page, err
}

func (l *Local) states(ctx context.Context, of entity.Inspector, q StateQuery, page *StatePage) error {
	if q.From == 0 {
		q.From = q.To
	}
	id, size, began := journal.EntityID(q.PersistenceID), 0, l.cfg.Now()
	for n := q.From; n <= max(q.From, q.To); n++ {
		if len(page.States) == MaxStates || size > MaxPage || len(page.States) > 0 && l.cfg.Now().Sub(began) > stateTime {
			page.Next = n
			return nil
		}
		state, at, err := of.StateJSON(ctx, id, n)
		switch {
		case errors.Is(err, entity.ErrVersion):
			return fmt.Errorf("%w: %w", ErrNotFound, err)
		case err != nil && (ctx.Err() != nil || l.cfg.Journal.Store.Transient(err)):
			return err
		case err != nil:
			return fmt.Errorf("%w: the state of %s after event %d cannot be computed: %w", ErrConflict, q.PersistenceID, n, err)
		case at == 0:
			return fmt.Errorf("%w: %s has no event", ErrNotFound, q.PersistenceID)
		case n > 0 && at != n:
			return fmt.Errorf("%w: %s has come to event %d, not to %d", ErrNotFound, q.PersistenceID, at, n)
		case len(state) > MaxState:
			return fmt.Errorf("%w: the state of %s after event %d has %d bytes, %d can be shown", ErrInvalid, q.PersistenceID, at, len(state), MaxState)
		}
		size += len(state)
		page.States = append(page.States, EntityState{SeqNr: at, State: json.RawMessage(legible(state))})
	}
	return nil
}

// inspector is nil where the type does not run here.
func (l *Local) inspector(entityType string, k journal.Kind) entity.Inspector {
	for _, e := range l.cfg.Journal.Entities {
		if e.EntityType() == entityType && e.Kind() == k {
			return e
		}
	}
	return nil
}

func (l *Local) noJournal() error {
	return fmt.Errorf("%w: service %s has no journal", ErrNotFound, l.cfg.Name)
}

// ownPrefix is what ids that a query asks for begin with.
func (q EntityQuery) ownPrefix() string {
	if q.Type == "" || strings.HasPrefix(q.Prefix, q.Type+"|") {
		return q.Prefix
	}
	return q.Type + "|" + q.Prefix
}
