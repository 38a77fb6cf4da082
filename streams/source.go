package streams

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// sourceSpec is what a source reads, to find others that read the same.
type sourceSpec struct {
	topics     []string
	reset      plan.Reset
	key, value reflect.Type
	when       uintptr // the code of WithTimestamp's function; 0 has none
}

// mergeSources makes streams of the same topics share one source: it returns the
// operators that follow a source in addition to its own.
func (w *writer) mergeSources() map[*operator][]*operator {
	extra := map[*operator][]*operator{}
	byTopics := map[string]*operator{}
	for _, op := range w.b.root.children {
		if op.source == nil {
			continue
		}
		same := strings.Join(slices.Sorted(slices.Values(op.source.topics)), ",")
		main := byTopics[same]
		if main == nil {
			byTopics[same] = op
			continue
		}
		if problem := main.source.unlike(op.source); problem != "" {
			w.problem("%s and %s read topic %s %s", main.name, op.name, same, problem)
			continue
		}
		w.main[op.name] = main.name
		extra[main] = append(extra[main], op.children...)
	}
	return extra
}

func (s *sourceSpec) unlike(other *sourceSpec) string {
	switch {
	case s.reset != other.reset:
		return "from different ends: give both the same Earliest or Latest"
	case s.key != other.key || s.value != other.value:
		return fmt.Sprintf("as %v/%v and as %v/%v: read it once, and map it", s.key, s.value, other.key, other.value)
	case s.when != other.when:
		return "with different times: give both the same WithTimestamp"
	}
	return ""
}

// source makes a source node.
func source[K, V any](name string, topics []plan.Topic, reset plan.Reset, ks serde.Serde[K], vs serde.Serde[V], when func(Record[K, V]) int64) *plan.Node {
	n := &plan.Node{Name: name, Kind: plan.SourceNode, Topics: topics, Reset: reset}
	n.New = func(c plan.Context, children []any) (plan.Instance, error) {
		var count int64
		next := fanOut[K, V](children)
		return plan.Instance{
			Head: func(topic string, _ int32) (plan.Head, error) {
				keys, values, err := serdesOf(topic, ks, vs)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				return &head[K, V]{c: c, node: name, ks: keys, vs: values, when: when, next: next, count: &count}, nil
			},
			Count: func() int64 { return count },
		}, nil
	}
	return n
}

// serdesOf are the serdes for one topic.
func serdesOf[K, V any](topic string, ks serde.Serde[K], vs serde.Serde[V]) (serde.Serde[K], serde.Serde[V], error) {
	keys, err := serde.Of(ks, topic, true)
	if err != nil {
		return nil, nil, fmt.Errorf("keys of %s: %w", topic, err)
	}
	values, err := serde.Of(vs, topic, false)
	if err != nil {
		return nil, nil, fmt.Errorf("values of %s: %w", topic, err)
	}
	return keys, values, nil
}

// head is the first record of a partition's queue.
type head[K, V any] struct {
	c     plan.Context
	node  string
	ks    serde.Serde[K]
	vs    serde.Serde[V]
	when  func(Record[K, V]) int64
	next  receiver[K, V]
	count *int64
	r     Record[K, V]
}

// Load decodes rec.
func (h *head[K, V]) Load(rec *kgo.Record, _ int64) (timestamp int64, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
	}()
	r := Record[K, V]{Timestamp: rec.Timestamp.UnixMilli(), Headers: rec.Headers, NoKey: rec.Key == nil, NoValue: rec.Value == nil}
	if !r.NoKey {
		if r.Key, err = h.ks.Decode(rec.Key); err != nil {
			return 0, fmt.Errorf("decode the key: %w", err)
		}
	}
	if !r.NoValue {
		if r.Value, err = h.vs.Decode(rec.Value); err != nil {
			return 0, fmt.Errorf("decode the value: %w", err)
		}
	}
	if h.when != nil {
		r.Timestamp = h.when(r)
	} else if r.Timestamp < 0 {
		return 0, fmt.Errorf("its time is %d: give the source an option WithTimestamp", r.Timestamp)
	}
	h.r = r
	return r.Timestamp, nil
}

// Process sends what was loaded down the topology.
func (h *head[K, V]) Process() error {
	*h.count++
	return h.next(h.r)
}

func newSourceSpec[K, V any](topics []string, reset plan.Reset, when func(Record[K, V]) int64) *sourceSpec {
	return &sourceSpec{topics: topics, reset: reset, key: reflect.TypeFor[K](), value: reflect.TypeFor[V](), when: reflect.ValueOf(when).Pointer()}
}
