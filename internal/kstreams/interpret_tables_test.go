package kstreams

import (
	"strconv"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
)

func init() {
	operators["count"] = (*interpreter).aggregation
	operators["reduce"] = (*interpreter).aggregation
	operators["aggregate"] = (*interpreter).aggregation
	operators["tableFilter"] = (*interpreter).tableFilter
	operators["tableFilterNot"] = (*interpreter).tableFilter
	operators["tableMapValues"] = (*interpreter).tableMapValues
	operators["tableGroupBy"] = (*interpreter).tableGroupBy
	operators["tableCount"] = (*interpreter).tableCount
	operators["tableReduce"] = (*interpreter).tableReduce
	operators["tableAggregate"] = (*interpreter).tableAggregate
}

// counts are made text, so that every table has one type.
func counts[K any](t *streams.Table[K, int64]) *streams.Table[K, string] {
	return streams.MapTableValues(t, func(n int64) string { return strconv.FormatInt(n, 10) }, serde.String())
}

func (i *interpreter) aggregation(n Node) any {
	if n.Window != nil {
		return i.windowed(n)
	}
	g := in[group](i, n, 0)
	opts := i.materialized(n)
	switch n.Op {
	case "count":
		switch {
		case n.Versioned > 0:
			i.stores[n.Store] = versionsOf[int64](i.c, n.Store)
		case n.Store != "":
			i.stores[n.Store] = tableOf[int64](n.Store)
		}
		return counts(streams.Count(g, opts...))
	case "reduce":
		return g.Reduce(added(n.Fn), opts...)
	}
	add := added(n.Fn)
	return streams.Aggregate(g, func() string { return n.Init }, func(_, v, a string) string { return add(a, v) }, str, opts...)
}

func (i *interpreter) tableFilter(n Node) any {
	if t, ok := i.made[n.In[0]].(windows); ok {
		return filtered(t, n, windowText)
	}
	return filtered(in[table](i, n, 0), n, func(k string) string { return k }, i.materialized(n)...)
}

func filtered[K any](t *streams.Table[K, string], n Node, key func(K) string, opts ...streams.Option) *streams.Table[K, string] {
	test := predicate(n.Fn)
	f := func(k K, v string) bool { return test(key(k), v) }
	if n.Op == "tableFilter" {
		return t.Filter(f, opts...)
	}
	return t.FilterNot(f, opts...)
}

func (i *interpreter) tableMapValues(n Node) any {
	f := mapValue(n.Fn)
	if t, ok := i.made[n.In[0]].(windows); ok {
		return streams.MapTableValuesWithKey(t, func(k windowKey, v string) string { return *f(windowText(k), v) }, str)
	}
	return streams.MapTableValuesWithKey(in[table](i, n, 0), func(k, v string) string { return *f(k, v) }, str, i.materialized(n)...)
}

func (i *interpreter) tableGroupBy(n Node) any {
	key, value := mapKey(n.Fn), mapValue(n.Fn2)
	return streams.GroupTableBy(in[table](i, n, 0), func(k, v string) (string, string) { return *key(k, v), *value(k, v) }, str, str)
}

func (i *interpreter) tableCount(n Node) any {
	opts := i.materialized(n)
	if n.Store != "" {
		i.stores[n.Store] = tableOf[int64](n.Store)
	}
	return counts(streams.CountTable(in[regroup](i, n, 0), opts...))
}

func (i *interpreter) tableReduce(n Node) any {
	return streams.ReduceTable(in[regroup](i, n, 0), added(n.Fn), subtracted(n.Fn2), i.materialized(n)...)
}

func (i *interpreter) tableAggregate(n Node) any {
	add, subtract := added(n.Fn), subtracted(n.Fn2)
	return streams.AggregateTable(in[regroup](i, n, 0), func() string { return n.Init },
		func(_, v, a string) string { return add(a, v) }, func(_, v, a string) string { return subtract(a, v) }, str, i.materialized(n)...)
}
