package inbox_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
)

// Fail each step in turn: whatever it is, and whether it fails or the process
// dies there, every message has its effect once and every dead letter is sent
// once.
func TestEveryStepMayFail(t *testing.T) {
	for _, kind := range []string{"error", "crash"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			e := embedded(t)
			steps := 0
			for nth := 1; ; nth++ {
				reached, name := e.failNth(nth, kind == "crash")
				if t.Failed() {
					t.Fatalf("failed with step %d (%s)", nth, name)
				}
				if !reached {
					break
				}
				steps++
			}
			if steps < 40 {
				t.Errorf("only %d steps were failed", steps)
			}
			t.Logf("%d steps", steps)
		})
	}
}

// failNth runs a story whose nth step fails; it is false where the story has
// fewer.
func (e *env) failNth(nth int, crash bool) (reached bool, name string) {
	consumer, topic := fmt.Sprintf("c%d-%t", nth, crash), e.topic(fmt.Sprintf("t%d-%t", nth, crash), 1)
	poison := newEvent("key-1", "poison")
	events := many(4, 2)
	sent := append(append(append([]event.Event{}, events[:2]...), poison), events[2:]...)
	e.send(topic, 0, append(sent, events[1], poison)...)

	var mu sync.Mutex
	count, died, begun := 0, make(chan struct{}), false
	store := watched{e.db, func(ctx context.Context, step string) error {
		mu.Lock()
		if begun = begun || step == "claim"; begun { // after Start's own checks
			count++
		}
		now := count == nth
		if now {
			name = step
		}
		mu.Unlock()
		if !now {
			return nil
		}
		if crash {
			close(died)
			<-ctx.Done() // the process ends here
			return ctx.Err()
		}
		return errInjected
	}}
	config := e.config(consumer, topic, failing(e.record(consumer), func(inbox.Message) {}))
	config.Attempts, config.CheckInterval, config.Lanes = 2, time.Hour, 1 // no steps by the clock
	c := e.start(store, config)
	done := func() bool {
		s := c.Stats()
		return len(e.effects(consumer)) >= len(events) && len(e.deadLetters(consumer)) > 0 && s.Waiting == 0
	}
	for finished := false; !finished; {
		select {
		case <-died:
			died = nil
			e.kill(c)
			c = e.start(e.db, config)
		default:
			testenv.Wait(e.TB, fmt.Sprintf("the end of step %d (%s)", nth, name), soon, func() bool { return done() || closed(died) })
			finished = !closed(died)
		}
	}
	e.farewell(c, died)
	e.once(consumer, events)
	if letters := e.deadLetters(consumer); len(letters) != 1 || letters[0].ID != poison.ID || letters[0].Headers[inbox.HeaderAttempts] != "2" {
		e.Errorf("dead letters: %+v", letters)
	}
	mu.Lock()
	defer mu.Unlock()
	return count >= nth, name
}

// farewell stops a consumer that may die while it stops.
func (e *env) farewell(c *inbox.Consumer[storage.Tx], died chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-died:
			cancel()
		case <-ctx.Done():
		}
	}()
	c.Stop(ctx)
}

func closed(c chan struct{}) bool {
	if c == nil {
		return false
	}
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// kill stops a consumer without letting anything finish.
func (e *env) kill(c *inbox.Consumer[storage.Tx]) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.Stop(ctx)
}

func TestStopCancelsWhatTakesTooLong(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	events := many(3, 3)
	e.send(topic, 0, events...)
	record := e.record("payment")
	entered := make(chan struct{}, 100)
	hang := true
	config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
		if err := record(ctx, tx, m); err != nil {
			return err
		}
		if hang {
			entered <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	c := e.start(e.db, config)
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Stop(ctx); err == nil {
		t.Error("Stop did not say that it gave work up")
	}
	e.exactly("payment", nil, 0)
	hang = false
	c = e.start(e.db, config)
	e.waitIdle(c, 1)
	e.once("payment", events)
	if s := c.Stats(); s.Retried+s.Dead > 0 {
		t.Errorf("stopping cost an attempt: %+v", s)
	}
}

func TestStopLetsTheTransactionFinish(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	ev := newEvent("a", 1)
	e.send(topic, 0, ev)
	record := e.record("payment")
	entered, leave := make(chan struct{}), make(chan struct{})
	c := e.start(e.db, e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
		close(entered)
		<-leave
		return record(ctx, tx, m)
	}))
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- c.Stop(t.Context()) }()
	select {
	case <-stopped:
		t.Fatal("Stop returned while a transaction was under way")
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	e.exactly("payment", []event.Event{ev}, 1)
	if err := c.Stop(t.Context()); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}
