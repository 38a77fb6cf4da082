package inbox_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
)

func TestParkedKeyWaitsForRelease(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		poison := newEvent("stuck", "poison")
		followers := []event.Event{newEvent("stuck", 1), newEvent("stuck", 2)}
		others := many(10, 3)
		e.send(topic, 0, append([]event.Event{poison, followers[0]}, others...)...)
		config := e.config("payment", topic, failing(e.record("payment"), func(inbox.Message) {}))
		config.AfterDeadLetter, config.Attempts = inbox.Park, 2
		c := e.start(e.db, config)
		testenv.Wait(t, "the dead letter", soon, func() bool { return c.Stats().Dead == 1 })
		e.waitEffects("payment", 10)
		e.exactly("payment", others, 1)

		e.stop(c) // parked across a restart
		c = e.start(e.db, config)
		e.send(topic, 0, followers[1])
		testenv.Wait(t, "the second follower to wait", soon, func() bool { return c.Stats().Waiting == 3 })
		e.exactly("payment", others, 1)

		n, err := e.db.Release(t.Context(), "payment", topic, "stuck")
		if err != nil || n == 0 {
			t.Fatalf("released %d: %v", n, err)
		}
		e.waitEffects("payment", 12)
		e.waitIdle(c, 1)
		e.once("payment", append(others, followers...))
		if letters := e.deadLetters("payment"); len(letters) != 1 {
			t.Errorf("%d dead letters", len(letters))
		}
	})
}

func TestRedrivenMessageIsForItsConsumerOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		poison := newEvent("a", "poison")
		e.send(topic, 0, poison)
		var mended atomic.Bool
		record := e.record("payment")
		config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
			if !mended.Load() {
				return errBoom
			}
			return record(ctx, tx, m)
		})
		config.Attempts = 2
		c := e.start(e.db, config)
		other := e.start(e.db, e.config("other", topic, e.record("other")))
		testenv.Wait(t, "the dead letter", soon, func() bool { return c.Stats().Dead == 1 })
		mended.Store(true)
		m, err := inbox.Redrive(e.deadLetters("payment")[0])
		if err != nil {
			t.Fatal(err)
		}
		m.Source = "/test"
		e.send(m.Topic, 0, m.Event, m.Event) // twice: once is enough
		e.send(topic, 0, poison)             // an ordinary duplicate is not taken
		e.waitIdle(c, 1)
		e.waitIdle(other, 1)
		e.exactly("payment", []event.Event{poison}, 1)
		e.exactly("other", []event.Event{poison}, 1)
		if s := other.Stats(); s.Skipped != 2 {
			t.Errorf("the other consumer skipped %d, want 2", s.Skipped)
		}
	})
}

func TestDuplicateOfADeadMessageStaysDead(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	poison := newEvent("a", "poison")
	e.send(topic, 0, poison)
	config := e.config("payment", topic, failing(e.record("payment"), func(inbox.Message) {}))
	config.Attempts = 1
	c := e.start(e.db, config)
	testenv.Wait(t, "the dead letter", soon, func() bool { return c.Stats().Dead == 1 })
	e.send(topic, 0, poison)
	testenv.Wait(t, "the duplicate", soon, func() bool { return c.Stats().Duplicates == 1 })
	if n := len(e.deadLetters("payment")); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

func TestFullWaitingTablePausesThePartition(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	first, followers, others := newEvent("slow", "first"), make([]event.Event, 20), many(10, 3)
	for i := range followers {
		followers[i] = newEvent("slow", i)
	}
	e.send(topic, 0, append(append([]event.Event{first}, followers...), others...)...)
	var mended atomic.Bool
	record := e.record("payment")
	config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
		if m.Key == "slow" && !mended.Load() {
			return errBoom
		}
		return record(ctx, tx, m)
	})
	config.MaxWaitingBytes, config.Attempts, config.Lanes = 4000, 1<<30, 1
	c := e.start(e.db, config)
	testenv.Wait(t, "the partition to be full", soon, func() bool {
		s := c.Stats()
		return len(s.Partitions) == 1 && s.Partitions[0].Full
	})
	if s := c.Stats(); s.WaitingBytes > 4000 || s.Waiting < 5 || s.Waiting > 15 {
		t.Errorf("%d rows with %d bytes wait; the bound is 4000", s.Waiting, s.WaitingBytes)
	}
	if c.Health() == nil {
		t.Error("the health does not tell")
	}
	if n := len(e.effects("payment")); n != 0 {
		t.Errorf("%d effects behind a full table", n)
	}
	mended.Store(true)
	e.waitIdle(c, 1)
	e.once("payment", append(append([]event.Event{first}, followers...), others...))
	if err := c.Health(); err != nil {
		t.Errorf("health: %v", err)
	}
}

// Where everything fails, what waits stays within its bound.
func TestWaitingIsBoundedWhereEverythingFails(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(200, 200)
		e.send(topic, 0, events...)
		var mended atomic.Bool
		record := e.record("payment")
		config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
			if !mended.Load() {
				return errBoom
			}
			return record(ctx, tx, m)
		})
		config.MaxWaitingBytes, config.Attempts = 10_000, 1<<30
		c := e.start(e.db, config)
		testenv.Wait(t, "the partition to be full", soon, func() bool {
			s := c.Stats()
			return len(s.Partitions) == 1 && s.Partitions[0].Full
		})
		if s := c.Stats(); s.WaitingBytes > 12_000 || s.Waiting < 10 {
			t.Errorf("%d rows with %d bytes wait; the bound is 10000 and a record per lane", s.Waiting, s.WaitingBytes)
		}
		mended.Store(true)
		e.waitIdle(c, 1)
		e.once("payment", events)
	})
}
