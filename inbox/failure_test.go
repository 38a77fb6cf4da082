package inbox_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kgo"
)

// failing wraps a handler: events with the payload "poison" fail after they
// have had an effect.
func failing(handle inbox.Handler[storage.Tx], attempts func(m inbox.Message)) inbox.Handler[storage.Tx] {
	return func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
		if err := handle(ctx, tx, m); err != nil {
			return err
		}
		if string(m.Payload) == `"poison"` {
			attempts(m)
			return errBoom
		}
		return nil
	}
}

func TestPoisonMessageCostsOnlyItself(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(60, 6)
		poison := newEvent("key-3", "poison")
		all := append(append(events[:30:30], poison), events[30:]...)
		e.send(topic, 0, all...)
		var mu sync.Mutex
		tried := map[int]int{}
		c := e.start(e.db, e.config("payment", topic, failing(e.record("payment"), func(m inbox.Message) {
			mu.Lock()
			defer mu.Unlock()
			tried[m.Attempt]++
		})))
		e.waitEffects("payment", 60)
		e.waitIdle(c, 1)
		e.once("payment", events)

		letters := e.deadLetters("payment")
		if len(letters) != 1 || letters[0].ID != poison.ID || letters[0].Headers[inbox.HeaderAttempts] != "5" ||
			letters[0].Headers[inbox.HeaderOffset] != "30" || !strings.Contains(letters[0].Headers[inbox.HeaderError], "boom") {
			t.Errorf("dead letters: %+v", letters)
		}
		mu.Lock()
		defer mu.Unlock()
		for attempt := 2; attempt <= 5; attempt++ {
			if tried[attempt] != 1 {
				t.Errorf("attempt %d was made %d times: %v", attempt, tried[attempt], tried)
			}
		}
		if len(tried) != 5 || tried[1] > 2 { // in the batch, and alone
			t.Errorf("attempts: %v", tried)
		}
		if s := c.Stats(); s.Handled != 60 || s.Dead != 1 || s.Retried != 4 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestKeysGoOnInOrderWhileOthersFail(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		random := testenv.Rand(t)
		topic := e.topic("orders", 2)
		var mu sync.Mutex
		fails := func(m inbox.Message) bool { // two keys of ten fail often, below the number of attempts
			mu.Lock()
			defer mu.Unlock()
			return strings.HasPrefix(m.Key, "bad") && random.IntN(3) > 0
		}
		var events []event.Event
		for i := range 400 {
			key := fmt.Sprintf("good-%d", i%8)
			if i%10 < 2 {
				key = fmt.Sprintf("bad-%d", i%10)
			}
			ev := newEvent(key, i)
			events = append(events, ev)
			e.send(topic, int32(key[len(key)-1])%2, ev)
		}
		record := e.record("payment")
		config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
			if err := record(ctx, tx, m); err != nil {
				return err
			}
			if fails(m) {
				return errBoom
			}
			return nil
		})
		config.Attempts = 1000
		c := e.start(e.db, config)
		e.waitEffects("payment", 400)
		e.waitIdle(c, 2)
		e.once("payment", events)
	})
}

func TestPanicIsAnErrorOfItsMessage(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	bad, good := newEvent("a", 1), newEvent("b", 2)
	e.send(topic, 0, bad, good)
	record := e.record("payment")
	c := e.start(e.db, e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
		if m.Key == "a" {
			panic("nil map")
		}
		return record(ctx, tx, m)
	}))
	e.waitEffects("payment", 1)
	testenv.Wait(t, "the dead letter", soon, func() bool { return c.Stats().Dead == 1 })
	e.exactly("payment", []event.Event{good}, 1)
	if letter := e.deadLetters("payment")[0]; letter.ID != bad.ID || !strings.Contains(letter.Headers[inbox.HeaderError], "nil map") {
		t.Errorf("dead letter: %+v", letter)
	}
}

func TestPermanentErrorsAreNotRetried(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	e.send(topic, 0, newEvent("a", 1), newEvent("b", "no number"))
	var calls atomic.Int64
	c := e.start(e.db, e.config("payment", topic, func(_ context.Context, _ storage.Tx, m inbox.Message) error {
		if m.Key == "a" {
			calls.Add(1)
			return inbox.Permanent(errBoom)
		}
		_, err := event.Decode[int](m.Event)
		return err
	}))
	testenv.Wait(t, "the dead letters", soon, func() bool { return c.Stats().Dead == 2 })
	if got := calls.Load(); got > 2 { // in the batch, and alone
		t.Errorf("%d calls", got)
	}
	for _, letter := range e.deadLetters("payment") {
		if letter.Headers[inbox.HeaderAttempts] != "1" {
			t.Errorf("dead letter: %+v", letter)
		}
	}
}

func TestMalformedAndOversizedRecords(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		full := e.cluster.Topic(topic)
		large := kafka.ToRecord(full, event.Event{ID: "large", Type: "t", Source: "/t", Key: "k", Time: time.Now(), Payload: make([]byte, 900<<10)})
		tombstone := newEvent("gone", nil)
		tombstone.Payload = nil
		good := many(10, 3)
		e.send(topic, 0, good[:5]...)
		e.sendRecords(
			&kgo.Record{Topic: full, Value: []byte("no headers")},
			&kgo.Record{Topic: full, Key: []byte{0xff, 0}, Value: nil, Headers: []kgo.RecordHeader{{Key: "ce_time", Value: []byte("now")}, {Key: "x", Value: []byte{0}}}},
			large,
		)
		e.send(topic, 0, append(good[5:], tombstone)...)
		var gotTombstone atomic.Bool
		record := e.record("payment")
		config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
			if m.ID == "large" {
				return inbox.Permanent(errBoom)
			}
			if m.ID == tombstone.ID {
				gotTombstone.Store(m.Payload == nil)
			}
			return record(ctx, tx, m)
		})
		config.MaxDeadLetterBytes = 100 << 10
		c := e.start(e.db, config)
		e.waitEffects("payment", 11)
		testenv.Wait(t, "the dead letters", soon, func() bool { return c.Stats().Dead == 3 })
		e.once("payment", append(good, tombstone))
		if !gotTombstone.Load() {
			t.Error("the tombstone came with a payload")
		}
		letters := map[string]event.Event{}
		for _, l := range e.deadLetters("payment") {
			letters[l.Headers[inbox.HeaderOffset]] = l
		}
		if string(letters["5"].Payload) != "no headers" || letters["5"].ID != e.place(topic, 0).TopicID+"/0/5" ||
			letters["6"].Headers[inbox.HeaderRawKey] == "" || letters["7"].ID != "large" || len(letters["7"].Payload) > 100 {
			t.Errorf("dead letters: %+v", letters)
		}
	})
}

func TestTransientErrorsCostNoAttempt(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	events := many(40, 4)
	var down atomic.Bool
	var failures atomic.Int64
	store := watched{e.db, func(_ context.Context, step string) error {
		if down.Load() && (step == "exec" || step == "commit") {
			failures.Add(1)
			return errInjected
		}
		return nil
	}}
	config := e.config("payment", topic, e.record("payment"))
	config.Attempts = 2
	c := e.start(store, config)
	down.Store(true)
	e.send(topic, 0, events...)
	testenv.Wait(t, "many failed transactions", soon, func() bool { return failures.Load() > 30 })
	if err := c.Health(); err == nil || !strings.Contains(err.Error(), "connection lost") {
		t.Errorf("health: %v", err)
	}
	down.Store(false)
	e.waitIdle(c, 1)
	e.once("payment", events)
	testenv.Wait(t, "good health", soon, func() bool { return c.Health() == nil })
	if s := c.Stats(); s.Retried != 0 || s.Dead != 0 || s.Repeated < 30 {
		t.Errorf("stats: %+v", s)
	}
}
