package projection

import (
	"context"
	"errors"
	"slices"

	"github.com/pabal-dev/pabal/journal"
)

// loader is the part of journal.Store that fetches what a gap misses.
type loader interface {
	Events(ctx context.Context, persistenceID string, from, to int64, fn func(journal.Event) error) error
}

// screener decides which events of a range are to be handled. It belongs to one
// goroutine.
type screener struct {
	*runner
	claim  Claim
	memory *memory
	// saved is the cursor in the database.
	saved journal.Cursor
	// passed of entities without an offset, for the page at hand.
	passed map[string]int64
}

// prepare looks up, in two queries at most, what memory does not know of the
// entities of a page.
func (s *screener) prepare(ctx context.Context, items []item, backtracking bool) error {
	s.passed = nil
	if err := s.lookUp(ctx, items); err != nil {
		return err
	}
	return s.askPassed(ctx, items, backtracking)
}

func (s *screener) lookUp(ctx context.Context, items []item) error {
	if s.memory.all {
		return nil
	}
	var unknown []string
	asked := map[string]bool{}
	for _, i := range items {
		id := i.event.PersistenceID
		if _, ok := s.memory.last[id]; !ok && !asked[id] {
			asked[id] = true
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	offsets, err := s.store.OffsetsOf(ctx, s.claim, unknown)
	if err != nil {
		return err
	}
	for _, o := range offsets {
		if o.SeqNr > 0 {
			s.memory.put(o)
		}
	}
	return nil
}

// askPassed asks the reader about entities that have no offset and are met in the
// middle of their events, and, where only tagged ones are read, about those with
// numbers between. While backtracking it asks about first events, too.
func (s *screener) askPassed(ctx context.Context, items []item, backtracking bool) error {
	if s.cfg.Query.Kind == journal.States || s.placer == nil {
		return nil
	}
	var ids []string
	var upTo []int64
	met := map[string]bool{}
	for _, i := range items {
		id, seqNr := i.event.PersistenceID, i.event.SeqNr
		if met[id] {
			continue
		}
		met[id] = true
		last, ok := s.memory.last[id]
		if !ok && (seqNr > 1 || backtracking) || ok && s.cfg.Query.Tag != "" && seqNr > last.seqNr+1 {
			ids, upTo = append(ids, id), append(upTo, seqNr)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	passed, err := s.placer.Passed(ctx, s.saved, ids, upTo)
	if err != nil {
		return err
	}
	s.passed = make(map[string]int64, len(ids))
	for n, id := range ids {
		s.passed[id] = passed[n]
	}
	return nil
}

func (s *screener) judge(e journal.Event) (verdict, int64) {
	last, ok := s.memory.last[e.PersistenceID]
	passed := s.passed[e.PersistenceID]
	if !ok && s.placer == nil {
		passed = e.SeqNr - 1 // such a reader has no gaps
	}
	return judge(s.cfg.Query.Kind, last, passed, e.SeqNr, e.Time)
}

// accepted notes that an event is going to be handled, so that the next is judged
// by it. Where it is not, the screener is thrown away.
func (s *screener) accepted(e journal.Event) {
	s.memory.put(Offset{PersistenceID: e.PersistenceID, SeqNr: e.SeqNr, Time: e.Time})
}

// What is fetched of a gap at a time. It is handled before more is fetched, with
// no connection held.
const (
	gapEvents = 1_000
	gapBytes  = 4 << 20
)

var errEnough = errors.New("enough for now")

// missing fetches events of an entity from a number on and before another; next is
// where to go on, at most before.
func (s *screener) missing(ctx context.Context, persistenceID string, from, before int64) (items []item, next int64, err error) {
	var events []journal.Event
	bytes := 0
	err = s.loader.Events(ctx, persistenceID, from, before-1, func(e journal.Event) error {
		if len(events) >= gapEvents || bytes >= gapBytes {
			return errEnough
		}
		from = e.SeqNr + 1
		if s.cfg.Query.Tag != "" && !slices.Contains(e.Tags, s.cfg.Query.Tag) {
			return nil
		}
		events = append(events, e)
		bytes += sizeOf(e)
		return nil
	})
	switch {
	case err == nil:
		from = before
	case !errors.Is(err, errEnough):
		return nil, 0, err
	}
	return decode(s.cfg.Registry, events), from, nil
}
