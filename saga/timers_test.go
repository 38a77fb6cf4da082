package saga_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

func TestTimeoutRetriesThenUndoes(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(journey(1)))
		w.start(m, "t1")
		w.mustDeliver(m, answer("t1", "flight", saga.Succeeded))
		w.run(m)
		w.clock.move(10 * time.Second) // the hotel's timeout
		w.await("the timeout", func() bool { return m.Stats().Timers == 1 })
		w.wantSent("t1", "flight-request", "hotel-request")
		w.clock.move(5 * time.Second) // the pause
		w.awaitSent(3)
		w.clock.move(10 * time.Second)
		w.awaitStatus("t1", saga.Compensating)
		w.wantSent("t1", "flight-request", "hotel-request", "hotel-request", "hotel-undo")
		w.mustDeliver(m, answer("t1", "hotel", saga.Succeeded)) // late
		w.mustDeliver(m, answer("t1", "hotel", saga.Undone))
		w.mustDeliver(m, answer("t1", "flight", saga.Undone))
		w.wantStatus("t1", saga.Compensated)
		w.wantSent("t1", "flight-request", "hotel-request", "hotel-request", "hotel-undo", "flight-undo")
		if err := m.Health(); err != nil {
			t.Error(err)
		}
	})
}

func TestTimersDueWhileNobodyRan(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		c := w.config(journey(1))
		c.Metrics = metrics.NewSet()
		m := w.manager(c)
		w.start(m, "t1")
		w.clock.move(48 * time.Hour) // timeout and deadline are past
		stop := w.run(m)
		w.awaitStatus("t1", saga.Compensating)
		stop()
		w.wantSent("t1", "flight-request", "flight-undo")
		_, entries := w.saga("t1")
		var fired []string
		for _, e := range entries {
			if e.Kind == saga.EntryTimer {
				fired = append(fired, e.Step)
			}
		}
		if !slices.Equal(fired, []string{"flight", ""}) {
			t.Errorf("timers of %q fired, want the timeout, then the deadline: %+v", fired, entries)
		}
		var text strings.Builder
		c.Metrics.WritePrometheus(&text)
		for _, want := range []string{`pabal_saga_started_total{saga="trip"} 1`, `pabal_saga_timers_fired_total{saga="trip"} 2`, `pabal_saga_timer_late_seconds_count{saga="trip"} 2`} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("no %s in\n%s", want, text.String())
			}
		}
	})
}

// oneTry is a journey whose first timeout turns it to undo, which has no end.
func oneTry() saga.Definition[trip] {
	d := journey(1)
	d.Deadline = 0
	d.Steps[0].Retry = saga.Retry{}
	d.Steps[0].CompensationTimeout = 1000 * time.Hour
	return d
}

// startMany starts sagas named p0, p1, …
func (w *world) startMany(m *manager, n int, name func(i int) string) {
	w.Helper()
	for from := 0; from < n; from += 500 {
		var ids []string
		for i := from; i < min(n, from+500); i++ {
			ids = append(ids, name(i))
		}
		w.start(m, ids...)
	}
}

func plain(i int) string { return fmt.Sprintf("t%05d", i) }

// onceEach checks that n sagas each have sent the topic once.
func (w *world) onceEach(topic string, n int) {
	w.Helper()
	times := map[string]int{}
	for _, row := range w.sent() {
		if row.Topic == topic {
			times[row.Key]++
		}
	}
	if len(times) != n {
		w.Errorf("%s was sent for %d sagas, want %d", topic, len(times), n)
	}
	for key, k := range times {
		if k != 1 {
			w.Errorf("%s was sent %d times for %s", topic, k, key)
		}
	}
}

func TestManyTimersDueAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) { w.manyTimers(1500) })
}

func TestTenThousandTimersDueAtOnce(t *testing.T) {
	testenv.Full(t)
	everywhere(t, func(t *testing.T, w *world) { w.manyTimers(10_000) })
}

func (w *world) manyTimers(n int) {
	m := w.manager(w.config(oneTry()))
	w.startMany(m, n, plain)
	w.clock.move(10 * time.Second)
	begin := time.Now()
	w.run(m)
	w.await("all timers to fire", func() bool { return m.Stats().Timers == int64(n) })
	w.Logf("%d timers in %s", n, time.Since(begin).Round(time.Millisecond))
	w.onceEach("flight-undo", n)
}

func TestTwoManagersShareTheTimers(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		const n = 300
		d := oneTry()
		c := w.config(d)
		c.TimerBatch = 7
		a, b := w.manager(c), w.manager(c)
		w.startMany(a, n, plain)
		w.clock.move(10 * time.Second)
		w.run(a)
		w.run(b)
		w.await("all timers to fire", func() bool { return a.Stats().Timers+b.Stats().Timers == n })
		w.onceEach("flight-undo", n)
		t.Logf("%d and %d", a.Stats().Timers, b.Stats().Timers)
	})
}

func TestTwoManagersFireSideBySide(t *testing.T) {
	w := onPostgres(t)
	d := oneTry()
	c := w.config(d)
	c.TimerBatch = 1
	// Each holds its saga's lock until the other has one, too.
	var meet [2]chan struct{}
	var all [2]*manager
	for i := range all {
		meet[i] = make(chan struct{})
		var first atomic.Bool
		c.Changed = func(ctx context.Context, _ storage.Tx, changes []saga.Change[trip]) ([]outbox.Message, error) {
			if changes[0].BeforeStatus != "" && !first.Swap(true) {
				close(meet[i])
				select {
				case <-meet[1-i]:
				case <-time.After(soon):
					return nil, errors.New("the other one found nothing")
				}
			}
			return nil, nil
		}
		all[i] = w.manager(c)
	}
	w.start(all[0], "t1", "t2")
	w.clock.move(10 * time.Second)
	for _, m := range all {
		w.run(m)
	}
	w.await("both to fire", func() bool { return all[0].Stats().Timers == 1 && all[1].Stats().Timers == 1 })
	w.onceEach("flight-undo", 2)
}

func TestSagaThatCannotDecideStopsNoOther(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		var broken atomic.Bool
		broken.Store(true)
		d := oneTry()
		undo := d.Steps[0].Compensation
		d.Steps[0].Compensation = func(c saga.Context, s *trip) []outbox.Message {
			if broken.Load() && strings.HasPrefix(c.ID, "bad") {
				panic("index out of range")
			}
			return undo(c, s)
		}
		c := w.config(d)
		c.TimerBatch = 5
		m := w.manager(c)
		w.start(m, "bad1", "bad2", "bad3", "bad4", "bad5", "bad6")
		w.startMany(m, 20, plain)
		w.clock.move(10 * time.Second)
		w.run(m)
		w.await("the others", func() bool { return m.Stats().Timers == 20 })
		w.onceEach("flight-undo", 20)
		if err := m.Health(); err == nil || !strings.Contains(err.Error(), "bad1") || !strings.Contains(err.Error(), "index out of range") || !strings.Contains(err.Error(), "1 sagas more") {
			t.Errorf("health: %v", err)
		}
		w.clock.move(time.Minute)
		w.await("another try", func() bool { return m.Stats().Postponed > 6 })
		broken.Store(false)
		w.clock.move(time.Minute)
		w.await("the healed ones", func() bool { return m.Stats().Timers == 26 })
		for i := range 6 {
			w.wantSent(fmt.Sprintf("bad%d", i+1), "flight-request", "flight-undo")
		}
		w.await("health", func() bool { return m.Health() == nil })
	})
}

func TestChangedThatFailsForOneStopsNoOther(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		var broken atomic.Bool
		broken.Store(true)
		d := oneTry()
		c := w.config(d)
		c.Changed = func(_ context.Context, _ storage.Tx, changes []saga.Change[trip]) ([]outbox.Message, error) {
			for _, one := range changes {
				if broken.Load() && one.BeforeStatus != "" && one.After.ID == "bad" {
					return nil, errBoom
				}
			}
			return nil, nil
		}
		m := w.manager(c)
		w.start(m, "bad")
		w.startMany(m, 30, plain)
		w.clock.move(10 * time.Second)
		w.run(m)
		w.await("the others", func() bool { return m.Stats().Timers == 30 })
		w.await("a report", func() bool { err := m.Health(); return errors.Is(err, errBoom) })
		w.wantSent("bad", "flight-request")
		broken.Store(false)
		w.clock.move(time.Minute)
		w.await("the last one", func() bool { return m.Stats().Timers == 31 && m.Health() == nil })
		w.onceEach("flight-undo", 31)
	})
}

func TestTimersOfAnUnknownVersionWait(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		old := w.manager(w.config(journey(1)))
		fresh := w.manager(w.config(journey(2)))
		w.start(old, "t1")
		w.clock.move(15 * time.Second)
		stop := w.run(fresh)
		w.await("a report", func() bool { return errors.Is(fresh.Health(), saga.ErrVersion) })
		w.wantSent("t1", "flight-request")
		stop()
		w.clock.move(time.Minute)
		w.run(old)
		w.await("the timer", func() bool { return old.Stats().Timers >= 1 })
	})
}

func TestShortTimersFireWithoutBeingAskedFor(t *testing.T) {
	w := onSQLite(t)
	d := journey(1)
	d.Steps[0].Timeout = 20 * time.Millisecond
	d.Steps[0].Retry = saga.Retry{}
	c := w.config(d)
	c.Clock, c.PollInterval = nil, 0
	m := w.manager(c)
	w.run(m)
	w.start(m, "t1")
	w.awaitStatus("t1", saga.Compensating)
}

func TestServiceStops(t *testing.T) {
	w := onSQLite(t)
	m := w.manager(w.config(journey(1)))
	if err := m.Service().Stop(t.Context()); err != nil {
		t.Errorf("before the start: %v", err)
	}
	for range 3 {
		if err := m.Service().Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Service().Start(t.Context()); err == nil {
			t.Error("started twice")
		}
		if err := m.Service().Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestDatabaseThatIsAwayIsWaitedOut(t *testing.T) {
	w := onSQLite(t)
	c := w.config(journey(1))
	var away atomic.Bool
	m, err := saga.New[storage.Tx](faultyStore{DB: w.db, before: func() error {
		if away.Load() {
			return errAway
		}
		return nil
	}}, c)
	if err != nil {
		t.Fatal(err)
	}
	w.start(m, "t1")
	away.Store(true)
	w.clock.move(10 * time.Second)
	w.run(m)
	w.await("a report", func() bool { return errors.Is(m.Health(), errAway) })
	away.Store(false)
	w.await("the timer", func() bool { return m.Stats().Timers == 1 && m.Health() == nil })
}

var errAway = errors.New("connection lost")

// faultyStore fails before and after transactions, as a lost connection does.
type faultyStore struct {
	storage.DB
	before, after func() error
}

func (s faultyStore) Update(ctx context.Context, fn func(storage.Tx) error) error {
	if s.before != nil {
		if err := s.before(); err != nil {
			return err
		}
	}
	if err := s.DB.Update(ctx, fn); err != nil || s.after == nil {
		return err
	}
	return s.after()
}

func (s faultyStore) Transient(err error) bool { return errors.Is(err, errAway) || s.DB.Transient(err) }
