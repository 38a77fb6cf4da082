package entity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

// memory is a journal in memory: what a database must do, with faults on demand.
type memory struct {
	journal.Reader

	mu        sync.Mutex
	events    map[string][]journal.Event
	highest   map[string]int64
	snapshots map[string]journal.Snapshot
	states    map[string]journal.Event
	outbox    []outbox.Message
	time      time.Time
	calls     map[string]int

	// before, where set, is called before every method that tests make fail; its error
	// is the method's. after is called after, when all is done.
	before, after func(ctx context.Context, method string) error
}

func newMemory() *memory {
	return &memory{
		events: map[string][]journal.Event{}, highest: map[string]int64{}, snapshots: map[string]journal.Snapshot{},
		states: map[string]journal.Event{}, calls: map[string]int{}, time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

var _ journal.Store = (*memory)(nil)

// errAway is an error of the database that may go away.
var errAway = errors.New("the database is away")

func (m *memory) Transient(err error) bool { return errors.Is(err, errAway) }

func (m *memory) do(ctx context.Context, method string, fn func() error) error {
	m.mu.Lock()
	m.calls[method]++
	before, after := m.before, m.after
	m.mu.Unlock()
	if before != nil {
		if err := before(ctx, method); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	err := fn()
	m.mu.Unlock()
	if err == nil && after != nil {
		err = after(ctx, method)
	}
	return err
}

func (m *memory) count(method string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[method]
}

func (m *memory) set(before, after func(ctx context.Context, method string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before, m.after = before, after
}

func (m *memory) AppendGroup(ctx context.Context, writes []journal.Write) (all []journal.Result, err error) {
	err = m.do(ctx, "AppendGroup", func() error {
		m.time = m.time.Add(time.Millisecond)
		for _, w := range writes {
			all = append(all, m.append(w))
		}
		return nil
	})
	return all, err
}

func (m *memory) append(w journal.Write) journal.Result {
	if m.highest[w.PersistenceID] != w.After {
		return journal.Result{Err: &journal.ConflictError{PersistenceID: w.PersistenceID, Expected: w.After}}
	}
	for i, e := range w.Events {
		m.events[w.PersistenceID] = append(m.events[w.PersistenceID], journal.Event{
			PersistenceID: w.PersistenceID, SeqNr: w.After + int64(i) + 1, Time: m.time, Payload: e.Payload, Tags: e.Tags, Writer: w.Writer,
		})
	}
	m.highest[w.PersistenceID] = w.After + int64(len(w.Events))
	m.outbox = append(m.outbox, w.Messages...)
	return journal.Result{Appended: journal.Appended{SeqNr: m.highest[w.PersistenceID], Time: m.time}}
}

func (m *memory) WriteStateGroup(ctx context.Context, writes []journal.StateWrite) (all []journal.Result, err error) {
	err = m.do(ctx, "WriteStateGroup", func() error {
		m.time = m.time.Add(time.Millisecond)
		for _, w := range writes {
			all = append(all, m.writeState(w))
		}
		return nil
	})
	return all, err
}

func (m *memory) writeState(w journal.StateWrite) journal.Result {
	if m.states[w.PersistenceID].SeqNr+1 != w.Revision {
		return journal.Result{Err: &journal.ConflictError{PersistenceID: w.PersistenceID, Expected: w.Revision - 1}}
	}
	m.states[w.PersistenceID] = journal.Event{
		PersistenceID: w.PersistenceID, SeqNr: w.Revision, Time: m.time, Payload: w.Payload, Tags: w.Tags, Deleted: w.Delete,
	}
	if w.Hard {
		delete(m.states, w.PersistenceID)
	}
	m.outbox = append(m.outbox, w.Messages...)
	return journal.Result{Appended: journal.Appended{SeqNr: w.Revision, Time: m.time}}
}

func (m *memory) Events(ctx context.Context, pid string, from, to int64, fn func(journal.Event) error) error {
	var all []journal.Event
	err := m.do(ctx, "Events", func() error {
		for _, e := range m.events[pid] {
			if e.SeqNr >= from && (to == 0 || e.SeqNr <= to) {
				all = append(all, e)
			}
		}
		return nil
	})
	for _, e := range all {
		if err == nil {
			err = fn(e)
		}
	}
	return err
}

func (m *memory) HighestSeqNrs(ctx context.Context, pids []string) (all []int64, err error) {
	err = m.do(ctx, "HighestSeqNrs", func() error {
		for _, pid := range pids {
			all = append(all, m.highest[pid])
		}
		return nil
	})
	return all, err
}

func (m *memory) DeleteEvents(ctx context.Context, pid string, to int64, forget bool) (n int64, err error) {
	err = m.do(ctx, "DeleteEvents", func() error {
		var kept []journal.Event
		for _, e := range m.events[pid] {
			if !forget && e.SeqNr > to {
				kept = append(kept, e)
			} else {
				n++
			}
		}
		if m.events[pid] = kept; forget {
			delete(m.highest, pid)
		}
		return nil
	})
	return n, err
}

func (m *memory) PersistenceIDs(context.Context, string, string, int) ([]string, error) {
	return nil, errors.ErrUnsupported
}

func (m *memory) LoadSnapshot(ctx context.Context, pid string, most int64) (s journal.Snapshot, ok bool, err error) {
	err = m.do(ctx, "LoadSnapshot", func() error {
		s, ok = m.snapshots[pid]
		if most > 0 && s.SeqNr > most {
			s, ok = journal.Snapshot{}, false
		}
		return nil
	})
	return s, ok, err
}

func (m *memory) SaveSnapshot(ctx context.Context, s journal.Snapshot) error {
	return m.do(ctx, "SaveSnapshot", func() error {
		if m.snapshots[s.PersistenceID].SeqNr <= s.SeqNr {
			m.snapshots[s.PersistenceID] = s
		}
		return nil
	})
}

func (m *memory) DeleteSnapshot(ctx context.Context, pid string, _ int64) error {
	return m.do(ctx, "DeleteSnapshot", func() error {
		delete(m.snapshots, pid)
		return nil
	})
}

func (m *memory) LoadState(ctx context.Context, pid string) (e journal.Event, ok bool, err error) {
	err = m.do(ctx, "LoadState", func() error {
		e, ok = m.states[pid]
		return nil
	})
	return e, ok, err
}

func (m *memory) stored(pid string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, e := range m.events[pid] {
		all = append(all, fmt.Sprintf("%d %s %s", e.SeqNr, e.Payload.Manifest, e.Payload.Data))
	}
	return all
}

func (m *memory) sent() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.outbox)
}

// saved is the sequence number of an entity's snapshot.
func (m *memory) saved(pid string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.snapshots[pid].SeqNr
}

const soon = time.Minute

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(soon)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
