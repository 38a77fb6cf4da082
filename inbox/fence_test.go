package inbox_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kadm"
)

// A consumer that lost its partition in the database while it was about to
// begin a transaction has no effect with it.
func TestZombieHasNoEffect(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(10, 2)
		var mu sync.Mutex
		held := false
		holding, release := make(chan struct{}), make(chan struct{})
		store := watched{e.db, func(_ context.Context, step string) error {
			mu.Lock()
			first := step == "begin" && held
			held = held && !first
			mu.Unlock()
			if first {
				close(holding)
				<-release
			}
			return nil
		}}
		config := e.config("payment", topic, e.record("payment"))
		config.Lanes = 1
		c := e.start(store, config)
		testenv.Wait(t, "the partition", soon, func() bool { return len(c.Stats().Partitions) == 1 })
		mu.Lock()
		held = true
		mu.Unlock()
		e.send(topic, 0, events...)
		<-holding

		// Another process claims the partition and handles everything.
		claim, err := e.db.Claim(t.Context(), "payment", e.place(topic, 0), 1)
		if err != nil {
			t.Fatal(err)
		}
		record := e.record("payment")
		err = e.db.Update(t.Context(), func(tx storage.Tx) error {
			if err := tx.AdvanceInbox(t.Context(), claim, 0, 10); err != nil {
				return err
			}
			for i, ev := range events {
				if _, err := tx.MarkInbox(t.Context(), "payment", []inbox.Mark{{ID: ev.ID, Outcome: inbox.Handled}}); err != nil {
					return err
				}
				if err := record(t.Context(), tx, inbox.Message{Event: ev, Offset: int64(i)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		close(release)
		e.waitIdle(c, 1)
		more := many(5, 2)
		e.send(topic, 0, more...) // the group still says that it is ours: it goes on
		e.waitEffects("payment", 15)
		e.once("payment", append(events, more...))
	})
}

func TestReplayHandlesARangeOnceMore(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(60, 6)
		e.send(topic, 0, events...)
		config := e.config("payment", topic, e.record("payment"))
		config.BatchSize = 7
		c := e.start(e.db, config)
		e.waitEffects("payment", 20) // in the middle of it
		replay, err := e.db.StartReplay(t.Context(), "payment", e.place(topic, 0), 10)
		if err != nil {
			t.Fatal(err)
		}
		if replay.To < 20 {
			t.Fatalf("replay %+v", replay)
		}
		e.waitIdle(c, 1)
		again := events[10:replay.To]
		counts := map[string]int{}
		for _, one := range e.effects("payment") {
			counts[one.id]++
		}
		for i, ev := range events {
			// What was handled before the replay came twice; what lanes had
			// not come to yet, once.
			if n := counts[ev.ID]; n < 1 || n > 2 || (i < 10 || int64(i) >= replay.To) && n != 1 {
				t.Errorf("event %d had %d effects; the replay was %+v", i, n, replay)
			}
		}

		// Of a finished stretch each comes exactly once more, also when it is
		// idle, and duplicates do not.
		before := len(e.effects("payment"))
		replay, err = e.db.StartReplay(t.Context(), "payment", e.place(topic, 0), 0)
		if err != nil || replay.To < 60 {
			t.Fatalf("replay %+v: %v", replay, err)
		}
		e.waitEffects("payment", before+60)
		e.send(topic, 0, again...)
		e.waitIdle(c, 1)
		if n := len(e.effects("payment")); n != before+60 {
			t.Errorf("%d effects after the replay, want %d", n, before+60)
		}
	})
}

func TestRecordsDeletedBeforeTheyWereRead(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(30, 3)
		e.send(topic, 0, events[:10]...)
		config := e.config("payment", topic, e.record("payment"))
		c := e.start(e.db, config)
		e.waitIdle(c, 1)
		e.stop(c)
		e.send(topic, 0, events[10:]...)
		e.deleteRecords(topic, 25)
		c = e.start(e.db, config)
		e.waitEffects("payment", 15)
		e.waitIdle(c, 1)
		e.exactly("payment", append(append([]event.Event{}, events[:10]...), events[25:]...), 1)
		if s := c.Stats(); s.Missed != 1 || c.Health() == nil {
			t.Errorf("missed %d, health %v", s.Missed, c.Health())
		}
	})
}

// The same while it consumes, far behind.
func TestRetentionOvertakesARunningConsumer(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		big := string(make([]byte, 100<<10))
		var stuck atomic.Bool
		stuck.Store(true)
		resume := make(chan struct{})
		record := e.record("payment")
		config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
			if stuck.Load() {
				<-resume
			}
			return record(ctx, tx, m)
		})
		config.MaxBufferedBytes, config.BatchSize, config.Lanes = 200<<10, 1, 1
		for range 100 {
			e.send(topic, 0, newEvent("a", big)) // more than what is fetched ahead
		}
		c := e.start(e.db, config)
		testenv.Wait(t, "the partition", soon, func() bool { return len(c.Stats().Partitions) == 1 })
		e.deleteRecords(topic, 95)
		stuck.Store(false)
		close(resume)
		e.waitIdle(c, 1)
		last := e.effects("payment")
		if n := len(last); n == 0 || last[n-1].offset != 99 || n > 95 {
			t.Errorf("%d effects, the last of offset %d", n, last[n-1].offset)
		}
		if s := c.Stats(); s.Missed == 0 || c.Health() == nil {
			t.Errorf("missed %d, health %v", s.Missed, c.Health())
		}
	})
}

func (e *env) deleteRecords(topic string, before int64) {
	e.Helper()
	full := e.cluster.Topic(topic)
	resps, err := e.admin().DeleteRecords(e.Context(), kadm.Offsets{full: {0: {Topic: full, At: before}}})
	if err == nil {
		err = resps.Error()
	}
	if err != nil {
		e.Fatal(err)
	}
}
