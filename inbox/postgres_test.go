package inbox_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
)

// Lanes that deadlock with each other, and connections that are cut at random,
// cost no message an attempt.
func TestDeadlocksAndLostConnectionsCostNoAttempt(t *testing.T) {
	e := servers(t)
	topic := e.topic("orders", 1)
	ctx := t.Context()
	err := e.db.Update(ctx, func(tx storage.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE account (id INT PRIMARY KEY, n INT NOT NULL)")
		if err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO account VALUES (0, 0), (1, 0)")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	record := e.record("payment")
	var turn atomic.Int64
	config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
		first := turn.Add(1) % 2
		for _, id := range []int64{first, 1 - first} { // in both orders
			if _, err := tx.Exec(ctx, "UPDATE account SET n = n + 1 WHERE id = $1", id); err != nil {
				return err
			}
		}
		return record(ctx, tx, m)
	})
	config.Attempts, config.BatchSize = 1, 5
	events := many(300, 30)
	c := e.start(e.db, config)
	stop := make(chan struct{})
	cutting := make(chan struct{})
	go func() {
		defer close(cutting)
		tick := time.NewTicker(40 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				e.db.Update(ctx, func(tx storage.Tx) error {
					_, err := tx.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
						WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5`)
					return err
				})
			}
		}
	}()
	for i := 0; i < len(events); i += 20 {
		e.send(topic, 0, events[i:i+20]...)
	}
	testenv.Wait(t, "all effects", 2*soon, func() bool { return c.Stats().Handled >= 300 })
	close(stop)
	<-cutting
	e.waitIdle(c, 1)
	e.once("payment", events)
	if s := c.Stats(); s.Dead+s.Retried > 0 || s.Repeated == 0 {
		t.Errorf("stats: %+v", s)
	}
	var n int64
	e.view(func(q storage.Querier) error { return q.QueryRow(ctx, "SELECT sum(n) FROM account").Scan(&n) })
	if n != 600 {
		t.Errorf("the accounts were counted up %d times, want 600", n)
	}
}

// A handler that hides the error that ended its transaction, and one whose
// work a deferred constraint refuses at the commit, fail alone as others do.
func TestWorkThatCannotBeCommitted(t *testing.T) {
	e := servers(t)
	topic := e.topic("orders", 1)
	err := e.db.Update(t.Context(), func(tx storage.Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE once (id TEXT UNIQUE DEFERRABLE INITIALLY DEFERRED)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	record := e.record("payment")
	config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
		switch string(m.Payload) {
		case `"swallow"`:
			tx.Exec(ctx, "SELECT 1/0")
			return nil
		case `"twice"`:
			_, err := tx.Exec(ctx, "INSERT INTO once VALUES ('a'), ('a')")
			return err
		}
		return record(ctx, tx, m)
	})
	config.Attempts = 2
	events := many(20, 5)
	e.send(topic, 0, events[:10]...)
	e.send(topic, 0, newEvent("key-1", "swallow"), newEvent("key-2", "twice"))
	e.send(topic, 0, events[10:]...)
	c := e.start(e.db, config)
	e.waitEffects("payment", 20)
	testenv.Wait(t, "the dead letters", soon, func() bool { return c.Stats().Dead == 2 })
	e.once("payment", events)
}

// A commit whose answer was lost may have happened or not.
func TestCommitOfUnknownOutcome(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		var n atomic.Int64
		var lossy atomic.Bool
		store := watched{e.db, func(_ context.Context, step string) error {
			if step == "done" && lossy.Load() && n.Add(1)%3 == 0 {
				return errInjected
			}
			return nil
		}}
		config := e.config("payment", topic, failing(e.record("payment"), func(inbox.Message) {}))
		config.BatchSize, config.Attempts = 3, 2
		c := e.start(store, config)
		lossy.Store(true)
		events, poison := many(60, 6), newEvent("key-1", "poison")
		e.send(topic, 0, append(append([]event.Event{}, events[:30]...), poison)...)
		e.send(topic, 0, events[30:]...)
		e.waitEffects("payment", 60)
		e.waitIdle(c, 1)
		e.once("payment", events)
		if letters := e.deadLetters("payment"); len(letters) != 1 {
			t.Errorf("%d dead letters", len(letters))
		}
	})
}
