package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kgo"
)

// grouped is a consumer of one topic by groups.
func (e *env) grouped(name, topic string, handle inbox.GroupHandler[storage.Tx]) inbox.Config[storage.Tx] {
	c := e.config(name, "", nil)
	c.Topics = nil
	c.Groups = map[string]inbox.GroupHandler[storage.Tx]{topic: handle}
	return c
}

// calls of a group handler: the offsets and attempts of each.
type calls struct {
	mu  sync.Mutex
	all [][]inbox.Message
}

func (c *calls) add(ms []inbox.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, append([]inbox.Message(nil), ms...))
}

func (c *calls) each(fn func(ms []inbox.Message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ms := range c.all {
		fn(ms)
	}
}

// recordGroup is record for a group; "poison" fails after its effects.
func (e *env) recordGroup(consumer string, c *calls) inbox.GroupHandler[storage.Tx] {
	record := e.record(consumer)
	return func(ctx context.Context, tx storage.Tx, ms []inbox.Message) error {
		c.add(ms)
		for _, m := range ms {
			if err := record(ctx, tx, m); err != nil {
				return err
			}
		}
		for _, m := range ms {
			if string(m.Payload) == `"poison"` {
				return fmt.Errorf("offset %d: %w", m.Offset, errBoom)
			}
		}
		return nil
	}
}

func TestGroupIsRedoneOneByOneWhereOneFails(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(60, 6)
		poison := newEvent("key-3", "poison")
		e.send(topic, 0, append(append(events[:30:30], poison), events[30:]...)...)
		malformed := &kgo.Record{Topic: e.cluster.Topic(topic), Key: []byte("key-3"), Value: []byte("?"), Headers: []kgo.RecordHeader{{Key: "ce_specversion", Value: []byte("9")}}}
		e.sendRecords(malformed)
		e.send(topic, 0, events[:5]...) // duplicates
		var seen calls
		c := e.start(e.db, e.grouped("payment", topic, e.recordGroup("payment", &seen)))
		testenv.Wait(t, "everything handled", soon, func() bool {
			s := c.Stats()
			return s.Handled == 60 && s.Dead == 2 && s.Duplicates == 5
		})
		e.waitIdle(c, 1)
		e.once("payment", events)
		if s := c.Stats(); s.Retried != 4 || s.Repeated != 0 {
			t.Errorf("stats: %+v", s)
		}
		letters := map[string]bool{}
		for _, letter := range e.deadLetters("payment") {
			letters[letter.Headers[inbox.HeaderOffset]] = true
		}
		if len(letters) != 2 || !letters["30"] || !letters["61"] {
			t.Errorf("dead letters of the offsets %v", letters)
		}
		most, attempts := 0, map[int]int{}
		seen.each(func(ms []inbox.Message) {
			most = max(most, len(ms))
			for n, m := range ms {
				if n > 0 && m.Offset <= ms[n-1].Offset {
					t.Errorf("a group has offset %d after %d", m.Offset, ms[n-1].Offset)
				}
				if m.Attempt > 1 && (len(ms) > 1 || m.ID != poison.ID) {
					t.Errorf("attempt %d of offset %d came in a group of %d", m.Attempt, m.Offset, len(ms))
				}
				if m.ID == poison.ID && len(ms) == 1 {
					attempts[m.Attempt]++
				}
			}
		})
		if most < 2 {
			t.Errorf("no group had more than %d messages", most)
		}
		for attempt := 1; attempt <= 5; attempt++ {
			if attempts[attempt] != 1 {
				t.Errorf("attempts alone: %v", attempts)
			}
		}
	})
}

func TestPanicOfAGroupIsAnErrorOfItsMessage(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	events := many(20, 20)
	bad := newEvent("bad", 0)
	e.send(topic, 0, append(events[:10:10], bad)...)
	e.send(topic, 0, events[10:]...)
	var seen calls
	record := e.recordGroup("payment", &seen)
	c := e.start(e.db, e.grouped("payment", topic, func(ctx context.Context, tx storage.Tx, ms []inbox.Message) error {
		for _, m := range ms {
			if m.Key == "bad" {
				panic("nil map")
			}
		}
		return record(ctx, tx, ms)
	}))
	testenv.Wait(t, "the dead letter", soon, func() bool { return c.Stats().Dead == 1 })
	e.waitIdle(c, 1)
	e.once("payment", events)
	if letters := e.deadLetters("payment"); len(letters) != 1 || !strings.Contains(letters[0].Headers[inbox.HeaderError], "nil map") {
		t.Errorf("dead letters: %+v", letters)
	}
}

func TestLaterCostsNoAttempt(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(20, 4)
		e.send(topic, 0, events...)
		var able atomic.Bool
		var refusals, highest atomic.Int64
		record := e.record("payment")
		config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
			if m.Key == "key-2" && !able.Load() {
				refusals.Add(1)
				highest.Store(max(highest.Load(), int64(m.Attempt)))
				return inbox.Later(errBoom)
			}
			return record(ctx, tx, m)
		})
		config.Attempts = 2
		c := e.start(e.db, config)
		testenv.Wait(t, "more refusals than attempts", soon, func() bool { return refusals.Load() > 10 })
		if s := c.Stats(); s.Dead != 0 || highest.Load() > 1 {
			t.Errorf("attempt %d, stats %+v", highest.Load(), s)
		}
		able.Store(true)
		e.waitEffects("payment", 20)
		e.waitIdle(c, 1)
		e.once("payment", events)
	})
}

func TestTopicHasOneKindOfHandler(t *testing.T) {
	e := embedded(t)
	one := e.record("x")
	group := func(context.Context, storage.Tx, []inbox.Message) error { return nil }
	for name, c := range map[string]inbox.Config[storage.Tx]{
		"none":  {Name: "x"},
		"nil":   {Name: "x", Groups: map[string]inbox.GroupHandler[storage.Tx]{"a": nil}},
		"both":  {Name: "x", Topics: map[string]inbox.Handler[storage.Tx]{"a": one}, Groups: map[string]inbox.GroupHandler[storage.Tx]{"a": group}},
		"named": {Name: "x", Groups: map[string]inbox.GroupHandler[storage.Tx]{"a b": group}},
	} {
		if _, err := inbox.NewConsumer(e.db, e.cluster, c); !errors.Is(err, inbox.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
