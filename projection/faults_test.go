package projection_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

func concatting(c projection.Config[*memTx]) projection.Config[*memTx] {
	c.Handler = func(_ context.Context, tx *memTx, e projection.Envelope) error {
		tx.concat(e.PersistenceID, string(e.Payload.Data))
		return nil
	}
	return c
}

// A database that refuses is waited out: no event is lost, skipped or blamed, and
// none is handled twice.
func TestDatabaseRefuses(t *testing.T) {
	store, j := newMemStore(), newMemJournal()
	var n atomic.Int64
	store.refuse = func() error {
		if n.Add(1)%3 != 0 {
			return errTransient
		}
		return nil
	}
	c := concatting(config[*memTx]())
	c.OnFailure, c.BatchSize = projection.Skip, 4
	var attempts atomic.Int64
	handle := c.Handler
	c.Handler = func(ctx context.Context, tx *memTx, e projection.Envelope) error {
		attempts.Store(max(attempts.Load(), int64(e.Attempt)))
		return handle(ctx, tx, e)
	}
	j.deliver(evs("p1", 9)...)
	p := start(t, store, j, c)
	wait(t, "all events", func() bool { return p.Stats().Handled == 9 })
	store.mu.Lock()
	got := store.now.text["p1"]
	store.mu.Unlock()
	if s := p.Stats(); got != "e1|e2|e3|e4|e5|e6|e7|e8|e9" || s.Skipped+s.Failed+s.Retried != 0 || s.Repeated == 0 || attempts.Load() != 1 {
		t.Errorf("%s, %+v, attempt %d", got, s, attempts.Load())
	}
	wait(t, "health", func() bool { return p.Health() == nil })
}

// A reader that fails is asked again, and named.
func TestReaderFails(t *testing.T) {
	store, j := newMemStore(), newMemJournal()
	j.fails = errors.New("no such host")
	p := start(t, store, j, concatting(config[*memTx]()))
	wait(t, "the problem", func() bool { return p.Health() != nil && strings.Contains(p.Health().Error(), "no such host") })
	j.mu.Lock()
	j.fails = nil
	j.mu.Unlock()
	j.deliver(evs("p1", 2)...)
	wait(t, "the events", func() bool { return p.Stats().Handled == 2 && p.Health() == nil })
}

// An error that a commit brings, which cannot be blamed on one event, is redone in
// halves.
func TestCommitFails(t *testing.T) {
	store, j := newMemStore(), newMemJournal()
	c := config[*memTx]()
	c.OnFailure = projection.Skip
	bad := errors.New("constraint violated at commit")
	var handling atomic.Bool // set by the bad event, in the transaction
	c.Handler = func(_ context.Context, tx *memTx, e projection.Envelope) error {
		tx.concat(e.PersistenceID, string(e.Payload.Data))
		if e.SeqNr == 7 {
			handling.Store(true)
		}
		return nil
	}
	store.refuse = func() error {
		if handling.Swap(false) {
			return bad
		}
		return nil
	}
	j.deliver(evs("p1", 9)...)
	p := start(t, store, j, c)
	wait(t, "all events", func() bool { s := p.Stats(); return s.Handled == 8 && s.Skipped == 1 })
	store.mu.Lock()
	defer store.mu.Unlock()
	if got := store.now.text["p1"]; got != "e1|e2|e3|e4|e5|e6|e8|e9" {
		t.Error(got)
	}
}

// More entities than are remembered: offsets of the others are looked up, and
// nothing is handled twice.
func TestManyEntities(t *testing.T) {
	store, j := newMemStore(), newMemJournal()
	const entities = 14_000
	var first, second []journal.Event
	for n := range entities {
		id := fmt.Sprint("p", n)
		first = append(first, ev(id, 1, n, "a"), ev(id, 2, n, "b"))
		second = append(second, ev(id, 2, n, "b"), ev(id, 3, entities+n, "c"))
	}
	c := concatting(config[*memTx]())
	c.BatchSize = 2000
	j.deliver(first...)
	p := start(t, store, j, c)
	wait(t, "the first events", func() bool { return p.Stats().Handled == 2*entities })
	j.deliver(second...)
	wait(t, "the others", func() bool { return p.Stats().Handled == 3*entities })
	if s := p.Stats(); s.Duplicates != entities || s.GapsFilled != 0 {
		t.Errorf("%+v", s)
	}
	store.mu.Lock()
	defer store.mu.Unlock()
	for id, text := range store.now.text {
		if text != "a|b|c" {
			t.Fatalf("%s: %s", id, text)
		}
	}
}

// A gap larger than what is fetched at a time is filled in pieces.
func TestLongGap(t *testing.T) {
	store, j := newMemStore(), newMemJournal()
	const n = 2500
	all := evs("p1", n)
	j.add(all...)
	j.deliver(all[n-1])
	p := start(t, store, j, concatting(config[*memTx]()))
	wait(t, "the gap to be filled", func() bool { return p.Stats().Handled == n })
	if s := p.Stats(); s.GapsFilled != n-1 {
		t.Errorf("%+v", s)
	}
	store.mu.Lock()
	defer store.mu.Unlock()
	if got := store.now.text["p1"]; !strings.HasPrefix(got, "e1|e2|e3|") || !strings.HasSuffix(got, "|e2499|e2500") {
		t.Error("order")
	}
}

func TestMetrics(t *testing.T) {
	store, j := newMemStore(), newMemJournal()
	c := concatting(config[*memTx]())
	c.Name, c.Metrics = "counted", metrics.NewSet()
	j.deliver(evs("p1", 3)...)
	p := start(t, store, j, c)
	wait(t, "the events", func() bool { return p.Stats().Handled == 3 })
	text := func() string {
		var b strings.Builder
		c.Metrics.WritePrometheus(&b)
		return b.String()
	}
	for _, want := range []string{
		`pabal_projection_handled_total{projection="counted"} 3`, `pabal_projection_duplicates_total{projection="counted"} 0`,
		`pabal_projection_failed_total{projection="counted"} 0`, `pabal_projection_skipped_total{projection="counted"} 0`,
		`pabal_projection_gaps_filled_total{projection="counted"} 0`, `pabal_projection_fenced_total{projection="counted"} 0`,
		`pabal_projection_database_retries_total{projection="counted"} 0`, `pabal_projection_lag_events{projection="counted"} 0`,
		`pabal_projection_lag_seconds{projection="counted"} 0`, `pabal_projection_ranges{projection="counted"} 1`,
	} {
		if !strings.Contains(text(), want) {
			t.Errorf("no %s in\n%s", want, text())
		}
	}
	stop(t, p)
	if strings.Contains(text(), "lag_events") {
		t.Error("the gauges of a stopped projection are still there")
	}
}

// Where Stop's time is over, a handler that hangs is given up, and its event comes
// again.
func TestStopGivesUp(t *testing.T) {
	store, j := newMemStore(), newMemJournal()
	c := config[*memTx]()
	entered := make(chan struct{}, 10)
	c.Handler = func(ctx context.Context, tx *memTx, e projection.Envelope) error {
		tx.concat(e.PersistenceID, string(e.Payload.Data))
		entered <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	j.deliver(evs("p1", 1)...)
	p, err := projection.New(store, j, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stop: %v", err)
	}
	store.mu.Lock()
	text := store.now.text["p1"]
	store.mu.Unlock()
	if text != "" {
		t.Errorf("what was given up is stored: %s", text)
	}
	again := start(t, store, j, concatting(c))
	wait(t, "the event", func() bool { return again.Stats().Handled == 1 })
}

// After a reset past the event that stopped it, a projection is healthy though no
// event came.
func TestResetPastAStop(t *testing.T) {
	store, j := newMemStore(), newMemJournal()
	c := concatting(config[*memTx]())
	c.Restart = time.Hour
	handle := c.Handler
	c.Handler = func(ctx context.Context, tx *memTx, e projection.Envelope) error {
		if e.SeqNr == 2 {
			return errBoom
		}
		return handle(ctx, tx, e)
	}
	j.deliver(evs("p1", 2)...)
	p := start(t, store, j, c)
	wait(t, "the stop", func() bool { return errors.Is(p.Health(), errBoom) })
	if err := p.Reset(t.Context(), memCursor(2)); err != nil {
		t.Fatal(err)
	}
	wait(t, "health", func() bool { s := p.Stats(); return p.Health() == nil && s.LagEvents == 0 && s.Ranges[0].Problem == "" })
}
