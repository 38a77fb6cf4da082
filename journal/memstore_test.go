package journal_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// fault is what a store in memory does instead of answering.
type fault int

const (
	none   fault = iota
	refuse       // nothing is written
	lose         // it is written, and the answer is lost
	broken       // nothing is written, and no retry mends it
	hang         // until the context ends; nothing is written
)

var (
	errAway   = errors.New("database away")
	errBroken = errors.New("table is missing")
)

// memStore keeps events and states in memory, and fails as it is told.
type memStore struct {
	journal.Reader // none
	single         bool

	mu     sync.Mutex
	clock  int64
	events map[string][]journal.Event
	states map[string]journal.Event
	groups [][]string // persistence ids of each group
	fault  func() fault
	looks  func() error // at single entities
	hold   chan struct{}
}

func newMemStore(faults ...fault) *memStore {
	s := &memStore{events: map[string][]journal.Event{}, states: map[string]journal.Event{}}
	s.looks = func() error { return nil }
	s.fault = func() fault {
		if len(faults) == 0 {
			return none
		}
		next := faults[0]
		faults = faults[1:]
		return next
	}
	return s
}

func (s *memStore) SingleWriter() bool       { return s.single }
func (s *memStore) Transient(err error) bool { return errors.Is(err, errAway) }

// group notes a group, writes it unless it is to fail, and answers.
func (s *memStore) group(ctx context.Context, ids []string, write func()) error {
	s.mu.Lock()
	s.groups = append(s.groups, ids)
	what := s.fault()
	s.mu.Unlock()
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if what == hang {
		<-ctx.Done()
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch what {
	case refuse:
		return errAway
	case broken:
		return errBroken
	case lose:
		write()
		return errAway
	}
	write()
	return nil
}

func (s *memStore) AppendGroup(ctx context.Context, writes []journal.Write) ([]journal.Result, error) {
	results := make([]journal.Result, len(writes))
	ids := make([]string, len(writes))
	for i, w := range writes {
		ids[i] = w.PersistenceID
	}
	err := s.group(ctx, ids, func() {
		for i, w := range writes {
			results[i] = s.append(w)
		}
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func (s *memStore) append(w journal.Write) journal.Result {
	events := s.events[w.PersistenceID]
	if int64(len(events)) != w.After {
		return journal.Result{Err: &journal.ConflictError{PersistenceID: w.PersistenceID, Expected: w.After}}
	}
	s.clock++
	at := time.UnixMicro(s.clock).UTC()
	for i, e := range w.Events {
		events = append(events, journal.Event{PersistenceID: w.PersistenceID, SeqNr: w.After + int64(i) + 1, Time: at, Payload: e.Payload, Writer: w.Writer})
	}
	s.events[w.PersistenceID] = events
	return journal.Result{Appended: journal.Appended{SeqNr: int64(len(events)), Time: at}}
}

func (s *memStore) WriteStateGroup(ctx context.Context, writes []journal.StateWrite) ([]journal.Result, error) {
	results := make([]journal.Result, len(writes))
	ids := make([]string, len(writes))
	for i, w := range writes {
		ids[i] = w.PersistenceID
	}
	err := s.group(ctx, ids, func() {
		for i, w := range writes {
			results[i] = s.writeState(w)
		}
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func (s *memStore) writeState(w journal.StateWrite) journal.Result {
	if s.states[w.PersistenceID].SeqNr != w.Revision-1 {
		return journal.Result{Err: &journal.ConflictError{PersistenceID: w.PersistenceID, Expected: w.Revision - 1}}
	}
	s.clock++
	at := time.UnixMicro(s.clock).UTC()
	s.states[w.PersistenceID] = journal.Event{PersistenceID: w.PersistenceID, SeqNr: w.Revision, Time: at, Payload: w.Payload, Deleted: w.Delete}
	if w.Hard {
		delete(s.states, w.PersistenceID)
	}
	return journal.Result{Appended: journal.Appended{SeqNr: w.Revision, Time: at}}
}

func (s *memStore) Events(_ context.Context, id string, from, to int64, fn func(journal.Event) error) error {
	if err := s.looks(); err != nil {
		return err
	}
	s.mu.Lock()
	events := slices.Clone(s.events[id])
	s.mu.Unlock()
	for _, e := range events {
		if e.SeqNr < from || to > 0 && e.SeqNr > to || e.Deleted {
			continue
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

func (s *memStore) HighestSeqNrs(_ context.Context, ids []string) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	highest := make([]int64, len(ids))
	for i, id := range ids {
		highest[i] = int64(len(s.events[id]))
	}
	return highest, s.looks()
}

func (s *memStore) DeleteEvents(_ context.Context, id string, to int64, _ bool) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.events[id][:to] {
		s.events[id][i].Deleted = true
	}
	return to, nil
}

func (s *memStore) LoadState(_ context.Context, id string) (journal.Event, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.states[id]
	return e, ok, s.looks()
}

// What a Writer has no use for.
func (s *memStore) PersistenceIDs(context.Context, string, string, int) ([]string, error) {
	return nil, errors.ErrUnsupported
}
func (s *memStore) LoadSnapshot(context.Context, string, int64) (journal.Snapshot, bool, error) {
	return journal.Snapshot{}, false, errors.ErrUnsupported
}
func (s *memStore) SaveSnapshot(context.Context, journal.Snapshot) error {
	return errors.ErrUnsupported
}
func (s *memStore) DeleteSnapshot(context.Context, string, int64) error {
	return errors.ErrUnsupported
}
