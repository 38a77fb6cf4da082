package inbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kadm"
)

// Consumers join, leave and die under load.
func TestRebalancesUnderLoad(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		const partitions, keys = 6, 40
		random := testenv.Rand(t)
		topic := e.topic("orders", partitions)
		config := e.config("payment", topic, e.record("payment"))
		config.BatchSize = 10
		var consumers []*inbox.Consumer[storage.Tx]
		var events []event.Event
		for round := range 12 {
			switch {
			case len(consumers) < 2 || len(consumers) < 4 && random.IntN(2) == 0:
				consumers = append(consumers, e.start(e.db, config))
			default:
				n := random.IntN(len(consumers))
				if random.IntN(3) == 0 {
					e.kill(consumers[n])
				} else {
					e.stop(consumers[n])
				}
				consumers = append(consumers[:n], consumers[n+1:]...)
			}
			for i := range 200 {
				key := random.IntN(keys)
				ev := newEvent(fmt.Sprintf("key-%d", key), round*1000+i)
				events = append(events, ev)
				e.send(topic, int32(key%partitions), ev)
			}
		}
		testenv.Wait(t, "all effects", 2*soon, func() bool { return len(e.effects("payment")) >= len(events) })
		e.once("payment", events)
		for _, c := range consumers {
			if s := c.Stats(); s.Dead+s.Retried > 0 {
				t.Errorf("rebalances cost attempts: %+v", s)
			}
		}
	})
}

// A member that is thrown out of the group while it handles a batch does not
// know it yet; the other one takes over.
func TestMemberThrownOut(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		entered, leave := make(chan struct{}, 1000), make(chan struct{})
		record := e.record("payment")
		config := e.config("payment", topic, func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
			if err := record(ctx, tx, m); err != nil {
				return err
			}
			entered <- struct{}{}
			select {
			case <-leave:
			case <-ctx.Done():
				return ctx.Err()
			}
			return nil
		})
		config.InstanceID = "first"
		first := e.start(e.db, config)
		testenv.Wait(t, "the partition", soon, func() bool { return len(first.Stats().Partitions) == 1 })
		config.InstanceID = "second"
		config.Topics = map[string]inbox.Handler[storage.Tx]{topic: record}
		second := e.start(e.db, config)
		events := many(20, 4)
		e.send(topic, 0, events...)
		<-entered
		_, err := e.admin().LeaveGroup(t.Context(), kadm.LeaveGroup(e.cluster.Group("payment")).InstanceIDs("first"))
		if err != nil {
			t.Fatal(err)
		}
		// The second one claims as soon as the first one's transaction ends,
		// which it does when the first one learns that it is out.
		time.AfterFunc(500*time.Millisecond, func() { close(leave) })
		e.waitEffects("payment", 20)
		e.once("payment", events)
		e.kill(first)
		more := many(5, 2)
		e.send(topic, 0, more...)
		e.waitEffects("payment", 25)
		e.once("payment", append(events, more...))
		e.stop(second)
	})
}

func TestStaticMemberKeepsItsPartitions(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 4)
		config := e.config("payment", topic, e.record("payment"))
		config.SessionTimeout = time.Minute
		config.InstanceID = "a"
		a := e.start(e.db, config)
		config.InstanceID = "b"
		b := e.start(e.db, config)
		testenv.Wait(t, "both to have partitions", soon, func() bool {
			return len(a.Stats().Partitions) == 2 && len(b.Stats().Partitions) == 2
		})
		had := fmt.Sprint(places(b))
		e.stop(b)
		if n := len(a.Stats().Partitions); n != 2 {
			t.Errorf("the other one has %d partitions while b restarts", n)
		}
		b = e.start(e.db, config)
		testenv.Wait(t, "b to have its partitions again", soon, func() bool { return len(b.Stats().Partitions) == 2 })
		if got := fmt.Sprint(places(b)); got != had {
			t.Errorf("b had partitions %s, and %s after the restart", had, got)
		}
		events := many(40, 40)
		for i, ev := range events {
			e.send(topic, int32(i%4), ev)
		}
		e.waitEffects("payment", 40)
		e.once("payment", events)
	})
}

func places(c *inbox.Consumer[storage.Tx]) []int32 {
	var all []int32
	for _, p := range c.Stats().Partitions {
		all = append(all, p.Partition)
	}
	return all
}

func TestStartAtLatest(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	e.send(topic, 0, many(5, 5)...)
	config := e.config("payment", topic, e.record("payment"))
	config.StartAt = inbox.Latest
	c := e.start(e.db, config)
	testenv.Wait(t, "the partition", soon, func() bool { return len(c.Stats().Partitions) == 1 })
	e.stop(c)
	events := many(3, 3) // while it is away, after its first claim
	e.send(topic, 0, events...)
	c = e.start(e.db, config)
	e.waitIdle(c, 1)
	e.once("payment", events)
}

// The number of lanes may change; where lanes stand apart after a crash, the
// old number stays until they are level.
func TestNumberOfLanesChanges(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		var events []event.Event
		config := e.config("payment", topic, e.record("payment"))
		config.BatchSize = 5
		for round, lanes := range []int{4, 2, 7, 1, 3} {
			more := many(100, 10)
			events = append(events, more...)
			e.send(topic, 0, more...)
			config.Lanes = lanes
			c := e.start(e.db, config)
			if round%2 == 0 {
				e.waitEffects("payment", len(events)-50)
				e.kill(c)
				c = e.start(e.db, config)
			}
			e.waitIdle(c, 1)
			e.stop(c)
		}
		e.once("payment", events)
	})
}
