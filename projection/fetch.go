package projection

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// page is a journal.Page, decoded.
type page struct {
	items        []item
	cursor       journal.Cursor
	more         bool
	backtracking bool
	blocker      string
}

// What a page may be. One is handled while the next is read; its bytes follow
// from the size of the events before.
const (
	maxPageEvents = 5_000
	minPageEvents = 1
	pageBytes     = 8 << 20
	// firstPage is small: nothing is known of the events' size.
	firstPage = 256
)

// While the reader backtracks it is asked this often.
const backtrackInterval = 100 * time.Millisecond

// fetcher reads pages ahead, one at a time, and decodes them off the handler's
// path.
type fetcher struct {
	*runner
	query  journal.Query
	pages  chan page
	wake   <-chan struct{}
	name   string // of its problem
	limit  int
	sent   page // the last, without items
	failed int
}

func (f *fetcher) run(ctx context.Context) {
	f.limit = firstPage
	for ctx.Err() == nil {
		p, err := f.read(ctx)
		switch {
		case err != nil:
			f.fail(ctx, err)
		case !f.send(ctx, p):
			return
		case !p.more:
			f.wait(ctx, p.backtracking)
		}
	}
}

func (f *fetcher) read(ctx context.Context) (page, error) {
	f.query.Limit = f.limit
	got, err := f.source.Page(ctx, f.query)
	if err != nil {
		return page{}, err
	}
	f.failed = 0
	f.health.Solve(f.name) // also one that a fetcher before this one reported
	f.query.After = got.Cursor
	f.learn(got.Events)
	return page{decode(f.cfg.Registry, got.Events), got.Cursor, got.More, got.Backtracking, got.Blocker}, nil
}

// learn adapts the pages' length to the events' size.
func (f *fetcher) learn(events []journal.Event) {
	if len(events) == 0 {
		return
	}
	bytes := 0
	for _, e := range events {
		bytes += sizeOf(e)
	}
	f.limit = min(max(pageBytes/(bytes/len(events)+1), minPageEvents), maxPageEvents, 4*f.limit)
}

// send hands a page over; one that says nothing new is not worth it.
func (f *fetcher) send(ctx context.Context, p page) bool {
	news := p
	news.items = nil
	if len(p.items) == 0 && f.sent.cursor != nil && string(f.sent.cursor) == string(p.cursor) &&
		f.sent.more == p.more && f.sent.backtracking == p.backtracking && f.sent.blocker == p.blocker {
		return true
	}
	select {
	case f.pages <- p:
		f.sent = news
		return true
	case <-ctx.Done():
		return false
	}
}

// wait for events.
func (f *fetcher) wait(ctx context.Context, backtracking bool) {
	wait := f.cfg.PollInterval*3/4 + rand.N(f.cfg.PollInterval/2+1)
	if backtracking {
		wait = min(wait, backtrackInterval)
	}
	sleep(ctx, wait, f.wake)
}

func (f *fetcher) fail(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f.failed++
	f.counts.repeated.Add(1)
	f.health.Report(f.name, err)
	sleep(ctx, f.cfg.Backoff.After(f.failed), nil)
}

// sleep waits that long, until it is woken, or until ctx ends.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}
