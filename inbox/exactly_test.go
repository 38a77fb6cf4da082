package inbox_test

import (
	"context"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
)

func TestMessagesTakeEffectOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 2)
		events := many(500, 20)
		for _, ev := range events {
			e.send(topic, int32(len(ev.Key)%2), ev) // a key has one partition
		}
		c := e.start(e.db, e.config("payment", topic, e.record("payment")))
		e.waitIdle(c, 2)
		e.once("payment", events)
	})
}

func TestDuplicatesHaveNoEffect(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(30, 3)
		e.send(topic, 0, events...)
		e.send(topic, 0, events[10:]...) // most likely in the same batch
		c := e.start(e.db, e.config("payment", topic, e.record("payment")))
		e.waitIdle(c, 1)
		e.stop(c)
		e.send(topic, 0, events[:20]...) // and after a restart
		c = e.start(e.db, e.config("payment", topic, e.record("payment")))
		e.waitIdle(c, 1)
		e.once("payment", events)
		if got := c.Stats().Duplicates; got != 20 {
			t.Errorf("%d duplicates counted, want 20", got)
		}
	})
}

func TestConsumersDoNotDisturbEachOther(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	events := many(10, 3)
	e.send(topic, 0, events...)
	a := e.start(e.db, e.config("a", topic, e.record("a")))
	b := e.start(e.db, e.config("b", topic, e.record("b")))
	e.waitIdle(a, 1)
	e.waitIdle(b, 1)
	e.once("a", events)
	e.once("b", events)
}

func TestGroupOffsetsAreACopy(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		events := many(50, 5)
		e.send(topic, 0, events...)
		c := e.start(e.db, e.config("payment", topic, e.record("payment")))
		e.waitIdle(c, 1)
		group, full := e.cluster.Group("payment"), e.cluster.Topic(topic)
		testenv.Wait(t, "the group's copy of the offset", soon, func() bool {
			got, err := e.admin().FetchOffsets(context.Background(), group)
			o, ok := got.Lookup(full, 0)
			return err == nil && ok && o.At == 50
		})
		e.stop(c)
		if _, err := e.admin().DeleteGroups(t.Context(), group); err != nil {
			t.Fatal(err)
		}
		more := many(5, 5)
		e.send(topic, 0, more...)
		c = e.start(e.db, e.config("payment", topic, e.record("payment")))
		e.waitIdle(c, 1)
		e.once("payment", append(events, more...))
		if s := c.Stats(); s.Duplicates > 0 {
			t.Errorf("%d messages were read again after the group's offsets were gone", s.Duplicates)
		}
	})
}

func TestTopicCreatedAgainStartsAnew(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		topic := e.topic("orders", 1)
		before := many(20, 5)
		e.send(topic, 0, before...)
		c := e.start(e.db, e.config("payment", topic, e.record("payment")))
		e.waitIdle(c, 1)
		if _, err := e.admin().DeleteTopics(t.Context(), e.cluster.Topic(topic)); err != nil {
			t.Fatal(err)
		}
		testenv.Wait(t, "the topic to be created again", soon, func() bool {
			return kafka.EnsureTopics(context.Background(), e.client, e.cluster, kafka.Topic{Name: topic, Partitions: 1}) == nil &&
				e.exists(topic)
		})
		e.client.PurgeTopicsFromProducing(e.cluster.Topic(topic))
		after := many(5, 5)
		e.send(topic, 0, after...)
		e.waitEffects("payment", 25)
		e.exactly("payment", append(before, after...), 1)
	})
}

func (e *env) exists(topic string) bool {
	details, err := e.admin().ListTopics(context.Background(), e.cluster.Topic(topic))
	return err == nil && details.Has(e.cluster.Topic(topic)) && details.Error() == nil
}

func TestTopicThatComesLater(t *testing.T) {
	everywhere(t, func(t *testing.T, e *env) {
		c := e.start(e.db, e.config("payment", "orders", e.record("payment")))
		e.topic("orders", 1)
		events := many(5, 5)
		e.send("orders", 0, events...)
		e.waitEffects("payment", 5)
		e.waitIdle(c, 1)
		e.once("payment", events)
	})
}
