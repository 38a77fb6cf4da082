package projection_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// memJournal is a journal of which a test says what is there, and in which order
// a reader gets it: late, twice, with gaps.
type memJournal struct {
	mu        sync.Mutex
	there     map[string][]journal.Event
	delivered []journal.Event
	wakes     []chan struct{}
	pageSize  int
	fails     error
}

func newMemJournal() *memJournal { return &memJournal{there: map[string][]journal.Event{}} }

// add makes events exist; deliver makes readers read them.
func (j *memJournal) add(events ...journal.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range events {
		all := j.there[e.PersistenceID]
		at, found := slices.BinarySearchFunc(all, e.SeqNr, func(have journal.Event, n int64) int { return int(have.SeqNr - n) })
		if !found {
			j.there[e.PersistenceID] = slices.Insert(all, at, e)
		}
	}
}

func (j *memJournal) deliver(events ...journal.Event) {
	j.add(events...)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.delivered = append(j.delivered, events...)
	for _, w := range j.wakes {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

func (j *memJournal) forget(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.there, id)
}

func memCursor(n int) journal.Cursor {
	c, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	return c
}

func place(c journal.Cursor) (n int, err error) {
	if c == nil {
		return 0, nil
	}
	err = json.Unmarshal(c, &n)
	return n, err
}

func earlierMemCursor(a, b journal.Cursor) (journal.Cursor, error) {
	x, err := place(a)
	if err != nil {
		return nil, err
	}
	y, err := place(b)
	if y < x {
		return b, err
	}
	return a, err
}

func (j *memJournal) Page(ctx context.Context, q journal.Query) (journal.Page, error) {
	if err := ctx.Err(); err != nil {
		return journal.Page{}, err
	}
	n, err := place(q.After)
	if err != nil {
		return journal.Page{}, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fails != nil {
		return journal.Page{}, j.fails
	}
	limit := q.Limit
	if j.pageSize > 0 {
		limit = j.pageSize
	}
	var page journal.Page
	for ; n < len(j.delivered) && len(page.Events) < limit; n++ {
		if e := j.delivered[n]; q.Slices.Contains(journal.SliceOf(e.PersistenceID)) && (q.Tag == "" || slices.Contains(e.Tags, q.Tag)) {
			page.Events = append(page.Events, e)
		}
	}
	page.Cursor, page.More = memCursor(n), n < len(j.delivered)
	return page, nil
}

func (j *memJournal) Now(context.Context, journal.Kind) (journal.Cursor, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return memCursor(len(j.delivered)), nil
}

func (j *memJournal) Ahead(ctx context.Context, q journal.Query, limit int) (int, error) {
	q.Limit = limit
	page, err := j.Page(ctx, q)
	return len(page.Events), err
}

func (j *memJournal) Appends(ctx context.Context) (wake, done <-chan struct{}) {
	w, d := make(chan struct{}, 1), make(chan struct{})
	j.mu.Lock()
	j.wakes = append(j.wakes, w)
	j.mu.Unlock()
	context.AfterFunc(ctx, func() { close(d) })
	return w, d
}

func (j *memJournal) Time(context.Context) (time.Time, error) { return time.Now().UTC(), nil }

func (j *memJournal) Events(ctx context.Context, id string, from, to int64, fn func(journal.Event) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	all := slices.Clone(j.there[id])
	j.mu.Unlock()
	for _, e := range all {
		if e.SeqNr >= from && (to == 0 || e.SeqNr <= to) {
			if err := fn(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *memJournal) Passed(_ context.Context, after journal.Cursor, ids []string, upTo []int64) ([]int64, error) {
	n, err := place(after)
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	passed := make([]int64, len(ids))
	index := map[string]int{}
	for at, id := range ids {
		index[id] = at
	}
	for _, e := range j.delivered[:n] {
		if at, asked := index[e.PersistenceID]; asked && e.SeqNr <= upTo[at] {
			passed[at] = max(passed[at], e.SeqNr)
		}
	}
	return passed, nil
}
