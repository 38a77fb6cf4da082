package projection

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// errDrained ends a tenure that has been asked to end.
var errDrained = errors.New("projection: the slices are given up")

// tenure is a claim in force. It belongs to one goroutine; another one reads ahead,
// and a third trims offsets.
type tenure struct {
	applier
	slot   *slot
	screen screener
	pauses pauses
	drain  context.Context // ends when the slices are to be given up
	hard   context.Context // of transactions

	batch  []item
	bytes  int
	cursor journal.Cursor // of the last page that is in the batch or before it; nil where it is saved
	cut    int            // items per transaction at the moment
	since  time.Time      // of the batch's first item
	touch  time.Time      // of the last transaction

	trimMu     sync.Mutex
	trimBefore time.Time
}

func newTenure(s *slot, claim Claim, offsets []Offset) *tenure {
	m := newMemory(offsets, maxRemembered)
	t := &tenure{
		applier: applier{runner: s.runner, claim: claim, suffix: s.suffix}, slot: s,
		screen: screener{runner: s.runner, claim: claim, memory: m, saved: claim.Cursor},
		pauses: pauses{runner: s.runner, claim: claim},
		cut:    s.cfg.size(), touch: time.Now(),
	}
	s.show(func(v *view) {
		v.state, v.epoch, v.saved, v.latest = StateRunning, claim.Epoch, claim.Cursor, m.newest
	})
	return t
}

// run handles events until drain ends, the claim is fenced, or an event stops it.
func (t *tenure) run(drain, hard context.Context) error {
	ctx, cancel := context.WithCancel(drain)
	t.drain, t.hard = ctx, hard
	wake, unsubscribe := t.subscribe()
	defer unsubscribe()
	f := &fetcher{
		runner: t.runner, pages: make(chan page), wake: wake, name: t.slot.reading(t.claim.Slices),
		query: journal.Query{Kind: t.cfg.Query.Kind, EntityType: t.cfg.Query.EntityType, Tag: t.cfg.Query.Tag, Slices: t.claim.Slices, After: t.claim.Cursor},
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { f.run(ctx) })
	wg.Go(func() { t.trim(ctx) })
	err := t.loop(f.pages)
	if errors.Is(err, errDrained) {
		t.level()
	}
	return err
}

func (t *tenure) loop(pages <-chan page) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(t.patience())
		select {
		case p := <-pages:
			if err := t.handlePage(p); err != nil {
				return err
			}
		case <-timer.C:
			if err := t.idle(); err != nil {
				return err
			}
		case <-t.drain.Done():
			return errDrained
		}
	}
}

// patience is how long to wait for a page before idle is called.
func (t *tenure) patience() time.Duration {
	wait := time.Until(t.touch.Add(t.checkInterval()))
	if len(t.batch) > 0 {
		wait = min(wait, time.Until(t.since.Add(t.cfg.GroupWindow)))
	}
	return max(wait, 0)
}

// checkInterval is how often an idle range looks whether it is still its claim's,
// and stores how far it has read.
func (t *tenure) checkInterval() time.Duration { return 2 * t.cfg.BeatInterval }

func (t *tenure) idle() error {
	if len(t.batch) > 0 && time.Since(t.since) >= t.cfg.GroupWindow {
		return t.flush()
	}
	if len(t.batch) == 0 && time.Since(t.touch) >= t.checkInterval() {
		return t.check()
	}
	return nil
}

// check compares the claim, and saves a cursor that moved over others' events.
func (t *tenure) check() error {
	if t.pauses.now(t.hard) {
		t.slot.show(func(v *view) { v.state = StatePaused })
	} else {
		t.slot.show(func(v *view) { v.state = StateRunning })
	}
	err := t.insist(func() result { return t.save(t.hard, nil, t.cursor) })
	if err == nil {
		t.savedCursor(t.cursor)
		t.screen.memory.evict()
	}
	return err
}

// handlePage handles what is new in a page.
func (t *tenure) handlePage(p page) error {
	t.slot.show(func(v *view) {
		v.caughtUp = v.caughtUp && len(p.items) == 0
		v.backtracking, v.blocker = p.backtracking, p.blocker
	})
	if err := t.lookUp(p); err != nil {
		return err
	}
	for _, i := range p.items {
		if err := t.take(i); err != nil {
			return err
		}
	}
	t.cursor = p.cursor
	if len(t.batch) > 0 && (t.cfg.GroupWindow == 0 || t.cfg.Handler != nil || time.Since(t.since) >= t.cfg.GroupWindow) {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if len(t.batch) == 0 {
		t.screen.memory.evict()
		t.mayTrim(p.backtracking)
		t.slot.show(func(v *view) { v.reached(!p.more, t.cfg.Clock()) })
		if !p.more { // what stopped it before may have been reset away
			t.slot.progressed(t.claim.Slices)
		}
	}
	if time.Since(t.touch) >= t.checkInterval() { // many pages with nothing new
		return t.idle()
	}
	return nil
}

func (t *tenure) lookUp(p page) error {
	return t.insist(func() result {
		if err := t.screen.prepare(t.hard, p.items, p.backtracking); err != nil {
			return t.result(t.hard, err, -1, false)
		}
		return result{}
	})
}

// take puts an event into the batch unless it was handled before, after those that
// are missing before it.
func (t *tenure) take(i item) error {
	v, from := t.screen.judge(i.event)
	switch v {
	case duplicate:
		t.counts.duplicates.Add(1)
		t.slot.show(func(v *view) { v.done++ })
		return nil
	case gap:
		if err := t.fill(i.event, from); err != nil {
			return err
		}
	}
	return t.push(i)
}

// fill handles the events of a gap before an event.
func (t *tenure) fill(before journal.Event, from int64) error {
	for from < before.SeqNr {
		var items []item
		err := t.insist(func() result {
			var next int64
			var err error
			if items, next, err = t.screen.missing(t.hard, before.PersistenceID, from, before.SeqNr); err != nil {
				return t.result(t.hard, err, -1, false)
			}
			from = next
			return result{}
		})
		if err != nil {
			return err
		}
		t.counts.gaps.Add(len(items))
		for _, i := range items {
			if err := t.push(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxBatchBytes bounds a transaction besides the number of its events.
const maxBatchBytes = 8 << 20

func (t *tenure) push(i item) error {
	if i.fault != nil {
		if err := t.flush(); err != nil {
			return err
		}
		t.counts.failed.Add(1)
		return t.stuck(i, 0, i.fault)
	}
	if len(t.batch) == 0 {
		t.since = time.Now()
	}
	t.screen.accepted(i.event)
	t.batch = append(t.batch, i)
	t.bytes += i.size()
	if len(t.batch) >= t.cfg.size() || t.bytes >= maxBatchBytes {
		return t.flush()
	}
	return nil
}

// levelTimeout bounds the last transaction of a tenure.
const levelTimeout = 3 * time.Second

// level saves how far the range has read, so that the next owner reads little
// again.
func (t *tenure) level() {
	if t.cursor == nil || len(t.batch) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(t.hard, levelTimeout)
	defer cancel()
	t.save(ctx, nil, t.cursor) // it does not matter where it fails
}
