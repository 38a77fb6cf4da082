package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// appends is a group of writes on its way into the journal.
type appends struct {
	writes []journal.Write
	// places are the indexes of the valid ones, ordered by persistence id, so that
	// groups with common ids wait for each other and do not deadlock.
	places []int
	// previous is the time of each write's previous event, by place; zero where
	// there is none. known says whether there is an event where one must be.
	previous []time.Time
	known    []bool

	// conflicts are the places of writes that are not to be written.
	conflicts map[int]bool
	// at is the transaction's time; where it is not known, times are those of the
	// persistence ids.
	at    time.Time
	times map[string]time.Time
}

type eventKey struct {
	persistenceID string
	seqNr         int64
}

func newAppends(writes []journal.Write) *appends {
	g := &appends{writes: writes, places: make([]int, len(writes)), previous: make([]time.Time, len(writes)),
		known: make([]bool, len(writes)), times: map[string]time.Time{}}
	for i := range g.places {
		g.places[i] = i
	}
	slices.SortStableFunc(g.places, func(a, b int) int { return strings.Compare(writes[a].PersistenceID, writes[b].PersistenceID) })
	return g
}

// refuse drops writes that are not valid.
func (g *appends) refuse(report func(place int, err error)) {
	g.places = slices.DeleteFunc(g.places, func(place int) bool {
		err := g.writes[place].Validate()
		if err != nil {
			report(place, err)
		}
		return err != nil
	})
}

// findTimes looks up the times of previous events that callers do not know. They
// do not change, so it need not be in the transaction.
func (g *appends) findTimes(ctx context.Context, q storage.Querier, n *names) error {
	var places []int
	var ids []string
	var seqNrs []int64
	for _, place := range g.places {
		w := &g.writes[place]
		g.previous[place] = w.AfterTime.Truncate(time.Microsecond)
		g.known[place] = w.After == 0 || !w.AfterTime.IsZero()
		if !g.known[place] {
			places, ids, seqNrs = append(places, place), append(ids, w.PersistenceID), append(seqNrs, w.After)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := q.Query(ctx, n.sql(journalTimes), ids, seqNrs)
	if err != nil {
		return failed("look up previous events", err)
	}
	defer rows.Close()
	for rows.Next() {
		var nth int
		var at time.Time
		if err := rows.Scan(&nth, &at); err != nil {
			return failed("look up previous events", err)
		}
		g.previous[places[nth-1]], g.known[places[nth-1]] = at, true
	}
	if err := rows.Err(); err != nil {
		return failed("look up previous events", err)
	}
	return nil
}

// missing are the places of writes that come after an event that is not there.
func (g *appends) missing() map[int]bool {
	missing := map[int]bool{}
	for _, place := range g.places {
		if !g.known[place] {
			missing[place] = true
		}
	}
	return missing
}

// rows are the events as one array per column.
func (g *appends) rows() []any { return g.columns().args() }

func (g *appends) columns() *eventColumns {
	n := 0
	for _, place := range g.places {
		if !g.conflicts[place] {
			n += len(g.writes[place].Events)
		}
	}
	c := newEventColumns(n)
	for _, place := range g.places {
		if !g.conflicts[place] {
			c.add(&g.writes[place], notBefore(g.previous[place]))
		}
	}
	return c
}

// notBefore keeps an entity's time from going back when the clock does.
func notBefore(previous time.Time) *time.Time {
	if previous.IsZero() {
		return nil
	}
	next := previous.Add(time.Microsecond)
	return &next
}

func (g *appends) messages() []outbox.Message {
	var all []outbox.Message
	for _, place := range g.places {
		if !g.conflicts[place] {
			all = append(all, g.writes[place].Messages...)
		}
	}
	return all
}

// takeBack adds to the conflicts what was not written wholly, and returns the
// events that were written of it all the same.
func (g *appends) takeBack(written map[eventKey]bool) (ids []string, seqNrs []int64) {
	for _, place := range g.places {
		if g.conflicts[place] {
			continue
		}
		w := &g.writes[place]
		var part []int64
		for i := range w.Events {
			key := eventKey{w.PersistenceID, w.After + 1 + int64(i)}
			if written[key] {
				part = append(part, key.seqNr)
				delete(written, key)
			}
		}
		if len(part) == len(w.Events) {
			continue
		}
		g.conflicts[place] = true
		for _, seqNr := range part {
			ids, seqNrs = append(ids, w.PersistenceID), append(seqNrs, seqNr)
		}
	}
	return ids, seqNrs
}

// results reports each write; err is that of the only one.
func (g *appends) results(into []journal.Result, err error) {
	for _, place := range g.places {
		w := &g.writes[place]
		switch {
		case g.conflicts[place]:
			into[place].Err = &journal.ConflictError{PersistenceID: w.PersistenceID, Expected: w.After}
		case err != nil:
			into[place].Err = err
		default:
			into[place].Appended = journal.Appended{SeqNr: w.After + int64(len(w.Events)), Time: g.time(place)}
		}
	}
}

func (g *appends) time(place int) time.Time {
	if at, ok := g.times[g.writes[place].PersistenceID]; ok {
		return at
	}
	at := g.at
	if least := notBefore(g.previous[place]); least != nil && least.After(at) {
		at = *least
	}
	return at.UTC()
}
