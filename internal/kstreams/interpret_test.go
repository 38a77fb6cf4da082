package kstreams

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// What nodes make.
type (
	stream  = *streams.Stream[string, string]
	table   = *streams.Table[string, string]
	windows = *streams.Table[state.Windowed[string], string] // a table of them
	moments = *streams.Stream[state.Windowed[string], string]
	group   = *streams.Grouped[string, string]
	regroup = *streams.GroupedTable[string, string]
	global  = *streams.GlobalTable[string, string]
)

var str = serde.String()

// operators build a node of an operation.
var operators = map[string]func(*interpreter, Node) any{
	"stream":        (*interpreter).stream,
	"table":         (*interpreter).table,
	"filter":        func(i *interpreter, n Node) any { return in[stream](i, n, 0).Filter(predicate(n.Fn)) },
	"filterNot":     func(i *interpreter, n Node) any { return in[stream](i, n, 0).FilterNot(predicate(n.Fn)) },
	"map":           (*interpreter).mapped,
	"mapValues":     (*interpreter).mapValues,
	"flatMap":       (*interpreter).flatMap,
	"flatMapValues": (*interpreter).flatMapValues,
	"selectKey":     (*interpreter).selectKey,
	"peek": func(i *interpreter, n Node) any {
		return in[stream](i, n, 0).Peek(func(streams.Record[string, string]) {})
	},
	"merge":       func(i *interpreter, n Node) any { return in[stream](i, n, 0).Merge(in[stream](i, n, 1)) },
	"split":       (*interpreter).split,
	"branch":      (*interpreter).branch,
	"repartition": func(i *interpreter, n Node) any { return in[stream](i, n, 0).Repartition() },
	"toTable":     func(i *interpreter, n Node) any { return in[stream](i, n, 0).ToTable(i.materialized(n)...) },
	"toStream":    (*interpreter).toStream,
	"groupByKey":  func(i *interpreter, n Node) any { return in[stream](i, n, 0).GroupByKey(named(n)...) },
	"groupBy":     (*interpreter).groupBy,
	"to":          func(i *interpreter, n Node) any { in[stream](i, n, 0).To(n.Topic); return nil },
	"toTopics":    (*interpreter).toTopics,
}

// interpreter builds the topology of a case with package streams.
type interpreter struct {
	c      *Case
	b      *streams.Builder
	made   map[string]any
	stores map[string]contents
}

// contents reads a named store.
type contents func(*session) []Row

// errInvalid is wrapped where a case is none: nodes that do not fit.
var errInvalid = errors.New("not a topology")

// build returns the topology and its named stores.
func build(c *Case) (t *streams.Topology, stores map[string]contents, err error) {
	i := &interpreter{c: c, b: streams.NewBuilder(), made: map[string]any{}, stores: map[string]contents{}}
	defer func() {
		if e, ok := recover().(error); ok {
			err = e
		}
	}()
	for _, n := range c.Nodes {
		operator, ok := operators[n.Op]
		if !ok {
			return nil, nil, fmt.Errorf("%w: no operator %s", errInvalid, n.Op)
		}
		i.made[n.ID] = operator(i, n)
	}
	t, err = i.b.Build()
	return t, i.stores, err
}

// in is a node's input, which must be a T.
func in[T any](i *interpreter, n Node, at int) T {
	v, ok := i.made[n.In[at]].(T)
	if !ok {
		panic(fmt.Errorf("%w: input %s of %s is a %T", errInvalid, n.In[at], n.ID, i.made[n.In[at]]))
	}
	return v
}

// sourceTopics are the topics that a node reads.
func sourceTopics(n Node) []string {
	switch n.Op {
	case "stream", "table", "globalTable":
		return strings.Split(n.Topic, ",")
	}
	return nil
}

// sinkTopics are the topics that a node writes.
func sinkTopics(n Node) []string {
	switch n.Op {
	case "to":
		return []string{n.Topic}
	case "toTopics":
		return []string{n.Topic + "0", n.Topic + "1"}
	}
	return nil
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func (i *interpreter) stream(n Node) any {
	return streams.FromTopics(i.b, sourceTopics(n), str, str)
}

func (i *interpreter) table(n Node) any {
	return streams.TableFrom(i.b, n.Topic, str, str, i.materialized(n)...)
}

// materialized are the options of a node with a named store.
func (i *interpreter) materialized(n Node) []streams.Option {
	if n.Store == "" {
		return nil
	}
	var opts []streams.Option
	if !i.c.Disk && n.Versioned == 0 {
		opts = append(opts, streams.InMemory())
	}
	if n.Versioned > 0 {
		opts = append(opts, streams.Versioned(ms(n.Versioned)))
		i.stores[n.Store] = versionsOf[string](i.c, n.Store)
	} else {
		i.stores[n.Store] = tableOf[string](n.Store)
	}
	return []streams.Option{streams.Materialized(n.Store, opts...)}
}

func named(n Node) []streams.Option {
	if n.Name == "" {
		return nil
	}
	return []streams.Option{streams.Named(n.Name)}
}

// nullable is a record whose key and value may be null.
func nullable(r streams.Record[string, string], k, v opt) streams.Record[string, string] {
	r.Key, r.NoKey, r.Value, r.NoValue = orEmpty(k), k == nil, orEmpty(v), v == nil
	return r
}

func keyOf(r streams.Record[string, string]) opt {
	if r.NoKey {
		return nil
	}
	return &r.Key
}

func valueOf(r streams.Record[string, string]) opt {
	if r.NoValue {
		return nil
	}
	return &r.Value
}

func (i *interpreter) mapped(n Node) any {
	key, value := mapKey(n.Fn), mapValue(n.Fn2)
	return streams.Map(in[stream](i, n, 0), func(r streams.Record[string, string]) streams.Record[string, string] {
		v := valueOf(r)
		if v != nil {
			v = value(r.Key, r.Value)
		}
		return nullable(r, key(r.Key, r.Value), v)
	}, str, str)
}

func (i *interpreter) mapValues(n Node) any {
	f := mapValue(n.Fn)
	return streams.MapValuesWithKey(in[stream](i, n, 0), func(k, v string) string { return *f(k, v) }, str)
}

func (i *interpreter) flatMap(n Node) any {
	f := flat(n.Fn)
	return streams.FlatMap(in[stream](i, n, 0), func(r streams.Record[string, string]) (out []streams.Record[string, string]) {
		for _, kv := range f(keyOf(r), valueOf(r)) {
			out = append(out, nullable(r, kv[0], kv[1]))
		}
		return out
	}, str, str)
}

func (i *interpreter) flatMapValues(n Node) any {
	f := flat(n.Fn)
	return streams.FlatMapValues(in[stream](i, n, 0), func(v string) (out []string) {
		for _, kv := range f(nil, &v) {
			out = append(out, *kv[1])
		}
		return out
	}, str)
}

func (i *interpreter) selectKey(n Node) any {
	f := mapKey(n.Fn)
	if s, ok := i.made[n.In[0]].(moments); ok {
		return streams.SelectKey(s, func(k state.Windowed[string], v string) string { return *f(windowText(k), v) }, str)
	}
	return streams.SelectKey(in[stream](i, n, 0), func(k, v string) string { return *f(k, v) }, str)
}

// windowText is a windowed key as text.
func windowText(k state.Windowed[string]) string {
	return fmt.Sprintf("%s@%d/%d", k.Key, k.Window.Start, k.Window.End)
}

func (i *interpreter) split(n Node) any {
	var predicates []func(k, v string) bool
	for _, fn := range n.Fns {
		predicates = append(predicates, predicate(fn))
	}
	return in[stream](i, n, 0).SplitNamed(n.ID+"-", predicates...)
}

func (i *interpreter) branch(n Node) any {
	return in[[]stream](i, n, 0)[n.Branch]
}

func (i *interpreter) toStream(n Node) any {
	if t, ok := i.made[n.In[0]].(windows); ok {
		return t.ToStream()
	}
	return in[table](i, n, 0).ToStream()
}

func (i *interpreter) groupBy(n Node) any {
	f := mapKey(n.Fn)
	return streams.GroupBy(in[stream](i, n, 0), func(k, v string) string { return *f(k, v) }, str, named(n)...)
}

func (i *interpreter) toTopics(n Node) any {
	in[stream](i, n, 0).ToTopics(func(r streams.Record[string, string]) string {
		return n.Topic + decimal(int64(len(r.Value)%2))
	})
	return nil
}
