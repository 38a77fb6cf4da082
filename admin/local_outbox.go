package admin

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// Rows implements API.
func (l *Local) Rows(ctx context.Context, q outbox.RowQuery) (RowPage, error) {
	page := RowPage{Rows: []outbox.StoredRow{}}
	if l.outbox == nil {
		return page, l.noOutbox()
	}
	q, err := q.WithDefaults()
	if err != nil {
		return page, failed(err)
	}
	err = l.look(ctx, func() error {
		rows, err := l.outbox.Store.Rows(ctx, q)
		page.Rows = append(page.Rows, rows...)
		return err
	})
	// A page of payloads may end early for its size.
	if n := len(page.Rows); n == q.Limit || n > 0 && q.Payload {
		page.After = page.Rows[n-1].ID
	}
	return page, err
}

// Replay implements API.
func (l *Local) Replay(ctx context.Context, ids ...int64) (int64, error) {
	if l.outbox == nil {
		return 0, l.noOutbox()
	}
	n, err := l.outbox.Store.Replay(ctx, ids...)
	return n, failed(err)
}

// PauseRelay implements API.
func (l *Local) PauseRelay(_ context.Context, reason string) error {
	if l.outbox == nil {
		return l.noOutbox()
	}
	if l.outbox.Relay == nil {
		return errNoRelay
	}
	if strings.TrimSpace(reason) == "" || len(reason) > maxProblem {
		return fmt.Errorf("%w: a reason of 1 to %d bytes is needed to pause the relay", ErrInvalid, maxProblem)
	}
	l.outbox.Relay.Pause(reason)
	return nil
}

// ResumeRelay implements API.
func (l *Local) ResumeRelay(context.Context) error {
	if l.outbox == nil {
		return l.noOutbox()
	}
	if l.outbox.Relay == nil {
		return errNoRelay
	}
	l.outbox.Relay.Resume()
	return nil
}

var errNoRelay = fmt.Errorf("%w: change data capture publishes this outbox; its connector can be paused", ErrInvalid)

func (l *Local) noOutbox() error {
	return fmt.Errorf("%w: service %s has no outbox", ErrNotFound, l.cfg.Name)
}

// localOutbox remembers what it asked the database, so that a console that looks
// all the time is no load.
type localOutbox struct {
	LocalOutbox
	now func() time.Time

	asking sync.Mutex // held by the one who asks
	mu     sync.Mutex
	id     string
	known  outbox.Backlog
	asked  time.Time // zero before the first answer
	again  time.Time // not before
}

// Bounds of asking: once in askEvery, for at most askTimeout, and at most one part
// in askShare of the time.
const (
	askEvery   = time.Second
	askTimeout = time.Second
	askShare   = 20
)

func (o *localOutbox) status(ctx context.Context) OutboxStatus {
	o.refresh(ctx)
	var runs Sweeper = o.Relay
	way := WayRelay
	if o.Relay == nil {
		runs, way = o.Sweeper, WayCDC
	}
	stats := runs.Stats()
	s := OutboxStatus{Name: o.Name, Way: way, Source: o.Source, DeadLetterTopic: o.DeadLetterTopic, Topics: o.Topics, Relay: RelayStatus{
		State: stats.State, Reason: stats.Reason, Paused: stats.Paused,
		Published: stats.Published, Refused: stats.Refused, Failed: stats.Failed,
	}}
	if s.Relay.Reason == "" {
		s.Relay.Reason = problemOf(runs.Health())
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s.ID, s.Backlog = o.id, o.known
	if stats.BacklogAt.After(o.asked) {
		s.Backlog = stats.Backlog
	}
	return s
}

// refresh asks the database unless somebody does, or did just now.
func (o *localOutbox) refresh(ctx context.Context) {
	if !o.asking.TryLock() {
		return
	}
	defer o.asking.Unlock()
	began := o.now()
	if began.Before(o.again) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	id, err := o.Store.Identity(ctx)
	backlog := outbox.Backlog{}
	if err == nil {
		backlog, err = o.Store.Backlog(ctx)
	}
	ended := o.now()
	o.again = ended.Add(max(askEvery, askShare*ended.Sub(began)))
	o.mu.Lock()
	defer o.mu.Unlock()
	if id.Outbox != "" {
		o.id = id.Outbox
	}
	if err == nil {
		o.known, o.asked = backlog, ended
	}
}
