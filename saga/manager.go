package saga

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/lifecycle"
)

// Manager applies the definitions of one saga in the user's database. Handlers
// take answers, Start, Cancel and Act what callers want, and Service fires timers
// and deletes what ended long ago. Several processes may have one each.
type Manager[T Tx, S any] struct {
	cfg    Config[T, S]
	store  Store[T]
	name   string
	places map[int]int // of a version in cfg.Definitions, the highest first
	counts *counters
	health *health
	run    runner
}

// New makes a manager. Its error wraps ErrConfig and tells all problems.
func New[T Tx, S any](store Store[T], c Config[T, S]) (*Manager[T, S], error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	m := &Manager[T, S]{cfg: c, store: store, name: c.Definitions[0].Name, places: map[int]int{}}
	for place, d := range c.Definitions {
		m.places[d.Version] = place
	}
	m.counts = newCounters(c.Metrics, m.name)
	m.health = newHealth(c.Logger, c.Clock, c.Backoff)
	m.run.loops = append(m.run.loops, m.clean)
	for range c.Workers {
		m.run.loops = append(m.run.loops, m.fireTimers)
	}
	return m, nil
}

// Name of the saga.
func (m *Manager[T, S]) Name() string { return m.name }

// Service fires the timers and deletes ended sagas, in the background. It is one
// service, whose methods have a name that is taken here.
func (m *Manager[T, S]) Service() lifecycle.Service { return &m.run }

// Health is nil, or says what does not work at the moment: the database, or sagas
// whose timers cannot be decided. The manager goes on trying by itself.
func (m *Manager[T, S]) Health() error { return m.health.err() }

// Stats are counts since the manager was made.
func (m *Manager[T, S]) Stats() Stats { return m.counts.stats() }

// Fresh is a saga to start.
type Fresh[S any] struct {
	// ID is unique among the sagas of this name, also the ended ones that are kept,
	// see CheckID.
	ID    string
	State S
	// CorrelationID of the business transaction; that of Cause, or else ID, where empty.
	CorrelationID string
	// Cause is the message that starts it, zero where none does.
	Cause event.Event
}

// StartOption tells more of a saga to start.
type StartOption func(*startOptions)

type startOptions struct {
	correlationID string
	cause         event.Event
}

// InCorrelation makes the saga part of a business transaction. Without it, it is of
// CausedBy's, or of its own, whose id is the saga's.
func InCorrelation(id string) StartOption { return func(o *startOptions) { o.correlationID = id } }

// CausedBy says which message starts the saga.
func CausedBy(e event.Event) StartOption { return func(o *startOptions) { o.cause = e } }

// Start begins a saga in the caller's transaction, with its first commands; false
// says that the id was there: that saga is returned, and nothing was done.
func (m *Manager[T, S]) Start(ctx context.Context, tx T, id string, state S, opts ...StartOption) (Instance[S], bool, error) {
	var o startOptions
	for _, opt := range opts {
		opt(&o)
	}
	all, started, err := m.StartAll(ctx, tx, []Fresh[S]{{ID: id, State: state, CorrelationID: o.correlationID, Cause: o.cause}})
	if err != nil {
		return Instance[S]{}, false, err
	}
	return all[0], started[0], nil
}

// StartAll is Start for many sagas with as many statements as for one.
func (m *Manager[T, S]) StartAll(ctx context.Context, tx T, all []Fresh[S]) ([]Instance[S], []bool, error) {
	u := m.newUnit(ctx)
	outcomes := make([]outcome[S], len(all))
	sagas := make([]*held[S], len(all))
	for i, f := range all {
		var err error
		if sagas[i], outcomes[i], err = m.begin(u, f); err != nil {
			return nil, nil, err
		}
	}
	inserted, err := m.insert(ctx, tx, sagas)
	if err != nil {
		return nil, nil, err
	}
	instances, err := m.instances(ctx, tx, sagas, inserted)
	if err != nil {
		return nil, nil, err
	}
	for i := range outcomes {
		if !inserted[i] {
			outcomes[i] = outcome[S]{}
		}
	}
	if err := m.publish(ctx, tx, outcomes); err != nil {
		return nil, nil, err
	}
	m.counts.add(tallyOf(outcomes))
	return instances, inserted, nil
}

// begin decides the start of a saga on the newest version.
func (m *Manager[T, S]) begin(u *unit, f Fresh[S]) (*held[S], outcome[S], error) {
	if err := CheckID("id", f.ID); err != nil {
		return nil, outcome[S]{}, fmt.Errorf("start saga %s: %w", m.name, err)
	}
	for _, id := range []string{f.Cause.CorrelationID, f.Cause.ID, f.ID} {
		if f.CorrelationID == "" {
			f.CorrelationID = id
		}
	}
	h := m.fresh(f.ID, f.CorrelationID)
	out, err := m.decide(u, h, Input[S]{Start: &f.State, Event: f.Cause})
	if err != nil {
		return nil, outcome[S]{}, fmt.Errorf("start saga %s/%s: %w", m.name, f.ID, err)
	}
	return h, out, nil
}

// instances are the sagas as they stand: those that were there are read.
func (m *Manager[T, S]) instances(ctx context.Context, tx T, sagas []*held[S], inserted []bool) ([]Instance[S], error) {
	all := make([]Instance[S], len(sagas))
	var there []string
	for i, h := range sagas {
		all[i] = h.instance
		if !inserted[i] {
			there = append(there, h.instance.ID)
		}
	}
	if len(there) == 0 {
		return all, nil
	}
	loaded, err := m.load(ctx, tx, there)
	if err != nil {
		return nil, err
	}
	for i, h := range sagas {
		if inserted[i] {
			continue
		}
		stored, ok := loaded[h.instance.ID]
		if !ok {
			return nil, fmt.Errorf("start saga %s/%s: %w", m.name, h.instance.ID, errVanished)
		}
		if stored.err != nil {
			return nil, stored.err
		}
		all[i] = stored.instance
	}
	return all, nil
}

// Cancel has a saga undo what it did, in the caller's transaction, and returns it
// after that. ErrNotFound, ErrRefused (after the pivot, or at the end), or what the
// definition's Cancellable said.
func (m *Manager[T, S]) Cancel(ctx context.Context, tx T, id, reason string) (Instance[S], error) {
	i, err := m.decideOne(ctx, tx, id, Input[S]{Cancel: &reason})
	if err != nil {
		return i, fmt.Errorf("cancel saga %s/%s: %w", m.name, id, err)
	}
	return i, nil
}

// Answer takes an answer that comes by another way than a message of Replies, in the
// caller's transaction, and returns the saga after that. One that is late or repeated
// changes nothing. ErrNotFound, ErrAnswer. The answer needs an ID.
func (m *Manager[T, S]) Answer(ctx context.Context, tx T, a Answer[S]) (Instance[S], error) {
	i, err := m.decideOne(ctx, tx, a.ID, Input[S]{Answer: &a})
	if err != nil {
		return i, fmt.Errorf("answer saga %s/%s: %w", m.name, a.ID, err)
	}
	return i, nil
}

// decideOne applies one input to one saga.
func (m *Manager[T, S]) decideOne(ctx context.Context, tx T, id string, in Input[S]) (Instance[S], error) {
	h, err := m.loadOne(ctx, tx, id)
	if err != nil {
		return Instance[S]{}, err
	}
	out, err := m.decide(m.newUnit(ctx), h, in)
	if err != nil {
		return Instance[S]{}, err
	}
	if out.changed {
		if err := m.apply(ctx, tx, []*held[S]{h}, []outcome[S]{out}); err != nil {
			return Instance[S]{}, err
		}
		m.counts.add(tallyOf([]outcome[S]{out}))
	}
	return h.instance, nil
}

// Load reads a saga and locks it until the transaction ends. ErrNotFound.
func (m *Manager[T, S]) Load(ctx context.Context, tx T, id string) (Instance[S], error) {
	h, err := m.loadOne(ctx, tx, id)
	if err != nil {
		return Instance[S]{}, err
	}
	return h.instance, nil
}

func (m *Manager[T, S]) now() time.Time { return m.cfg.Clock().UTC().Truncate(time.Microsecond) }
