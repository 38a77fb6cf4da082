package streamstest

import (
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// OutputTopic reads a topic from its beginning, in the order of commits; each OutputTopic
// has a place of its own in it.
type OutputTopic[K, V any] struct {
	d     *Driver
	topic string
	ks    serde.Serde[K]
	vs    serde.Serde[V]
	read  int
}

// Output is a topic by its local name: a sink's, a changelog ("app-store-changelog"), the dead
// letters.
func Output[K, V any](d *Driver, topic string, ks serde.Serde[K], vs serde.Serde[V]) *OutputTopic[K, V] {
	d.t.Helper()
	o := &OutputTopic[K, V]{d: d, topic: d.names.Topic(plan.Topic{Name: topic})}
	var err error
	o.ks, err = serde.Of(ks, o.topic, true)
	if err == nil {
		o.vs, err = serde.Of(vs, o.topic, false)
	}
	d.check(err)
	return o
}

// Len is how many records are to be read.
func (o *OutputTopic[K, V]) Len() int { return len(o.records()) }

func (o *OutputTopic[K, V]) records() []*kgo.Record {
	return o.d.topics.topic(o.topic).committed[o.read:]
}

// Read reads the next record; there being none, or one that cannot be decoded, fails the test.
func (o *OutputTopic[K, V]) Read() streams.Record[K, V] {
	o.d.t.Helper()
	if o.Len() == 0 {
		o.d.t.Fatalf("streamstest: there is no record number %d in %s", o.read+1, o.topic)
	}
	return o.next()
}

// ReadAll reads the rest.
func (o *OutputTopic[K, V]) ReadAll() []streams.Record[K, V] {
	o.d.t.Helper()
	var out []streams.Record[K, V]
	for o.Len() > 0 {
		out = append(out, o.next())
	}
	return out
}

func (o *OutputTopic[K, V]) next() streams.Record[K, V] {
	o.d.t.Helper()
	rec := o.records()[0]
	r, err := decode(o.ks, o.vs, rec)
	if err != nil {
		o.d.t.Fatalf("streamstest: %s/%d at offset %d: %v", o.topic, rec.Partition, rec.Offset, err)
	}
	o.read++
	return r
}

func decode[K, V any](ks serde.Serde[K], vs serde.Serde[V], rec *kgo.Record) (r streams.Record[K, V], err error) {
	r = streams.Record[K, V]{Timestamp: rec.Timestamp.UnixMilli(), Headers: slices.Clone(rec.Headers), NoKey: rec.Key == nil, NoValue: rec.Value == nil}
	if !r.NoKey {
		if r.Key, err = ks.Decode(rec.Key); err != nil {
			return r, fmt.Errorf("decoding the key: %w", err)
		}
	}
	if !r.NoValue {
		if r.Value, err = vs.Decode(rec.Value); err != nil {
			return r, fmt.Errorf("decoding the value: %w", err)
		}
	}
	return r, nil
}
