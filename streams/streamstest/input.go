package streamstest

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// InputTopic pipes records into a topic.
type InputTopic[K, V any] struct {
	d       *Driver
	topic   string
	ks      serde.Serde[K]
	vs      serde.Serde[V]
	clocked bool
	next    time.Time
	step    time.Duration
}

// Input is a topic by its local name. Its records have the time of the wall clock, unless
// StartAt or Pipe says otherwise. A topic that nothing reads is allowed.
func Input[K, V any](d *Driver, topic string, ks serde.Serde[K], vs serde.Serde[V]) *InputTopic[K, V] {
	d.t.Helper()
	i := &InputTopic[K, V]{d: d, topic: d.names.Topic(plan.Topic{Name: topic})}
	var err error
	i.ks, err = serde.Of(ks, i.topic, true)
	if err == nil {
		i.vs, err = serde.Of(vs, i.topic, false)
	}
	d.check(err)
	return i
}

// StartAt gives the next record that time, and each after it one that is later by step.
func (i *InputTopic[K, V]) StartAt(first time.Time, step time.Duration) *InputTopic[K, V] {
	i.clocked, i.next, i.step = true, first, step
	return i
}

// Pipe pipes a record and processes what follows from it. A failure that stops fails the test.
func (i *InputTopic[K, V]) Pipe(key K, value V, at ...time.Time) {
	i.d.t.Helper()
	i.d.check(i.TryPipe(key, value, at...))
}

// TryPipe returns the error on which Pipe fails the test: a *streams.Failure, after which the
// driver can only be restarted.
func (i *InputTopic[K, V]) TryPipe(key K, value V, at ...time.Time) error {
	return i.TryPipeRecord(streams.Record[K, V]{Key: key, Value: value, Timestamp: i.time(at)})
}

// Tombstone pipes a record without a value.
func (i *InputTopic[K, V]) Tombstone(key K, at ...time.Time) {
	i.d.t.Helper()
	i.d.check(i.TryPipeRecord(streams.Record[K, V]{Key: key, NoValue: true, Timestamp: i.time(at)}))
}

// PipeRecord pipes a record as it is, with its Timestamp, headers and nulls.
func (i *InputTopic[K, V]) PipeRecord(r streams.Record[K, V]) {
	i.d.t.Helper()
	i.d.check(i.TryPipeRecord(r))
}

// TryPipeRecord returns the error on which PipeRecord fails the test.
func (i *InputTopic[K, V]) TryPipeRecord(r streams.Record[K, V]) error {
	out := &kgo.Record{Topic: i.topic, Partition: -1, Timestamp: time.UnixMilli(r.Timestamp), Headers: r.Headers, LeaderEpoch: -1}
	var err error
	if !r.NoKey {
		if out.Key, err = i.ks.Append([]byte{}, r.Key); err != nil {
			return fmt.Errorf("encoding the key for %s: %w", i.topic, err)
		}
	}
	if !r.NoValue {
		if out.Value, err = i.vs.Append([]byte{}, r.Value); err != nil {
			return fmt.Errorf("encoding the value for %s: %w", i.topic, err)
		}
	}
	return i.d.pipe(out)
}

// time of the next record in ms.
func (i *InputTopic[K, V]) time(at []time.Time) int64 {
	switch {
	case len(at) > 0:
		return at[0].UnixMilli()
	case !i.clocked:
		return i.d.now.UnixMilli()
	}
	now := i.next
	i.next = now.Add(i.step)
	return now.UnixMilli()
}
