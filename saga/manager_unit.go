package saga

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// unit is what the decisions of one transaction have in common.
type unit struct {
	ctx context.Context // carries the span of whoever called
	now time.Time
}

func (m *Manager[T, S]) newUnit(ctx context.Context) *unit { return &unit{ctx: ctx, now: m.now()} }

// held is a saga in memory within a transaction that has locked or inserts it.
type held[S any] struct {
	instance Instance[S]
	// base is the stored revision, 0 of a fresh one.
	base int64
	// entries to add; there are some, or changed is false.
	entries []Entry
	changed bool
	// record is the one that was loaded; err says why it cannot be decided about.
	record Record
	err    error
}

// outcome of a decision; changed is false where it was stale.
type outcome[S any] struct {
	changed  bool
	change   Change[S]
	messages []outbox.Message
}

var (
	errVanished = errors.New("it was deleted meanwhile")
	errTooLarge = errors.New("state, steps and timers are too large")
	errPanic    = errors.New("panic")
)

func (m *Manager[T, S]) fresh(id, correlationID string) *held[S] {
	newest := m.cfg.Definitions[0]
	return &held[S]{instance: Instance[S]{Name: m.name, ID: id, Version: newest.Version, CorrelationID: correlationID}}
}

// hold decodes a record by the definition of its version.
func (m *Manager[T, S]) hold(r Record) *held[S] {
	h := &held[S]{record: r, base: r.Revision}
	if _, ok := m.places[r.Version]; !ok {
		h.err = fmt.Errorf("saga %s/%s: %w: version %d", m.name, r.ID, ErrVersion, r.Version)
		return h
	}
	h.instance, h.err = decodeRecord[S](r)
	return h
}

// load locks those that are there.
func (m *Manager[T, S]) load(ctx context.Context, tx T, ids []string) (map[string]*held[S], error) {
	records, err := tx.LoadSagas(ctx, m.name, ids)
	if err != nil {
		return nil, fmt.Errorf("load %d sagas %s: %w", len(ids), m.name, err)
	}
	all := make(map[string]*held[S], len(records))
	for _, r := range records {
		all[r.ID] = m.hold(r)
	}
	return all, nil
}

func (m *Manager[T, S]) loadOne(ctx context.Context, tx T, id string) (*held[S], error) {
	all, err := m.load(ctx, tx, []string{id})
	if err != nil {
		return nil, err
	}
	h := all[id]
	if h == nil {
		return nil, fmt.Errorf("%w: %s/%s", ErrNotFound, m.name, id)
	}
	return h, h.err
}

// decide applies one input to a saga in memory. A panic of the definition's
// functions is an error, which leaves the saga as it was.
func (m *Manager[T, S]) decide(u *unit, h *held[S], in Input[S]) (out outcome[S], err error) {
	if h.err != nil {
		return out, h.err
	}
	span, traceparent := m.startSpan(u.ctx, h.instance.ID, in.Event)
	defer func() { endSpan(span, err) }()
	defer m.recovered(&err, h.instance.ID)
	d, err := m.cfg.Definitions[m.places[h.instance.Version]].Decide(h.instance, in, u.now)
	if err != nil || d.Stale {
		return out, err
	}
	d.Instance.Revision = h.base + 1
	for i := range d.Messages {
		if d.Messages[i].Traceparent == "" {
			d.Messages[i].Traceparent = traceparent
		}
	}
	out = outcome[S]{changed: true, messages: d.Messages, change: Change[S]{
		Before: h.instance.State, BeforeStatus: h.instance.Status, After: d.Instance, Cause: in.Event, Entries: d.Entries,
	}}
	h.instance, h.changed = d.Instance, true
	h.entries = append(h.entries, d.Entries...)
	return out, nil
}

// recovered makes a panic of the user's functions an error.
func (m *Manager[T, S]) recovered(err *error, id string) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errPanic, p)
		m.cfg.Logger.Error("a function of the saga's definition panicked", "id", id, "panic", p, "stack", string(debug.Stack()))
	}
}

// encode is the record that replaces the stored one.
func (m *Manager[T, S]) encode(h *held[S]) (Record, error) {
	r, err := encodeInstance(h.instance)
	if err != nil {
		return r, err
	}
	if size := len(r.State) + len(r.Progress); size > m.cfg.MaxStateBytes {
		return r, fmt.Errorf("saga %s/%s: %w: %d bytes, MaxStateBytes is %d", m.name, h.instance.ID, errTooLarge, size, m.cfg.MaxStateBytes)
	}
	r.Entries = h.entries
	return r, nil
}

// insert stores fresh sagas, and says of each whether it was new.
func (m *Manager[T, S]) insert(ctx context.Context, tx T, sagas []*held[S]) ([]bool, error) {
	records := make([]Record, len(sagas))
	places := make([]int, len(sagas))
	for i, h := range sagas {
		var err error
		if records[i], err = m.encode(h); err != nil {
			return nil, err
		}
		places[i] = i
	}
	// In the order of ids, so that two processes that insert the same do not wait for
	// each other.
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(records[a].ID, records[b].ID) })
	sorted := make([]Record, len(records))
	for n, i := range places {
		sorted[n] = records[i]
	}
	got, err := tx.InsertSagas(ctx, sorted)
	if err != nil {
		return nil, fmt.Errorf("insert %d sagas %s: %w", len(records), m.name, err)
	}
	inserted := make([]bool, len(records))
	for n, i := range places {
		inserted[i] = got[n]
	}
	return inserted, nil
}

// apply saves what has changed of sagas that are stored, tells Changed and sends
// the messages.
func (m *Manager[T, S]) apply(ctx context.Context, tx T, sagas []*held[S], outcomes []outcome[S]) error {
	var records []Record
	for _, h := range sagas {
		if !h.changed {
			continue
		}
		r, err := m.encode(h)
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	if err := m.save(ctx, tx, records); err != nil {
		return err
	}
	return m.publish(ctx, tx, outcomes)
}

func (m *Manager[T, S]) save(ctx context.Context, tx T, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := tx.SaveSagas(ctx, records); err != nil {
		return fmt.Errorf("save %d sagas %s: %w", len(records), m.name, err)
	}
	return nil
}

// publish tells Changed, and enqueues all messages at once: the decisions' first.
func (m *Manager[T, S]) publish(ctx context.Context, tx T, outcomes []outcome[S]) error {
	var changes []Change[S]
	var messages []outbox.Message
	for _, out := range outcomes {
		if out.changed {
			changes = append(changes, out.change)
			messages = append(messages, out.messages...)
		}
	}
	more, err := m.tell(ctx, tx, changes)
	if err != nil {
		return err
	}
	if err := outbox.EnqueueMessages(ctx, tx, append(messages, more...)...); err != nil {
		return fmt.Errorf("saga %s: %w", m.name, err)
	}
	return nil
}

func (m *Manager[T, S]) tell(ctx context.Context, tx T, changes []Change[S]) (messages []outbox.Message, err error) {
	if m.cfg.Changed == nil || len(changes) == 0 {
		return nil, nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("saga %s: Changed for %d changes: %w", m.name, len(changes), err)
		}
	}()
	defer m.recovered(&err, changes[0].After.ID)
	return m.cfg.Changed(ctx, tx, changes)
}
