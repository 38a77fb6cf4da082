package kstreams

import (
	"github.com/pabal-dev/pabal/streams"
)

func init() {
	operators["globalTable"] = (*interpreter).global
	operators["joinStreams"] = (*interpreter).joinStreams
	operators["joinTable"] = (*interpreter).joinTable
	operators["joinGlobal"] = (*interpreter).joinGlobal
	operators["joinTables"] = (*interpreter).joinTables
	operators["joinForeign"] = (*interpreter).joinForeign
}

func (i *interpreter) global(n Node) any {
	return streams.GlobalTableFrom(i.b, n.Topic, str, str, i.materialized(n)...)
}

// joiners are one function with the forms of the three joins.
type joiners struct {
	inner func(l, r string) string
	left  func(l string, r opt) string
	outer func(l, r opt) string
}

func joinersOf(fn string) joiners {
	f := joined(fn)
	return joiners{
		func(l, r string) string { return f(&l, &r) },
		func(l string, r opt) string { return f(&l, r) },
		f,
	}
}

func (i *interpreter) joinStreams(n Node) any {
	l, r, f := in[stream](i, n, 0), in[stream](i, n, 1), joinersOf(n.Fn)
	w := streams.JoinWithin(0).Before(ms(n.Before)).After(ms(n.After)).Grace(ms(n.Grace))
	switch n.Join {
	case "inner":
		return streams.JoinStreams(l, r, f.inner, w, str)
	case "left":
		return streams.LeftJoinStreams(l, r, f.left, w, str)
	}
	return streams.OuterJoinStreams(l, r, f.outer, w, str)
}

func (i *interpreter) joinTable(n Node) any {
	l, r, f := in[stream](i, n, 0), in[table](i, n, 1), joinersOf(n.Fn)
	if n.Join == "inner" {
		return streams.JoinTable(l, r, f.inner, str)
	}
	return streams.LeftJoinTable(l, r, f.left, str)
}

func (i *interpreter) joinGlobal(n Node) any {
	l, r, f, key := in[stream](i, n, 0), in[global](i, n, 1), joinersOf(n.Fn2), mapKey(n.Fn)
	by := func(k, v string) string { return *key(k, v) }
	if n.Join == "inner" {
		return streams.JoinGlobal(l, r, by, f.inner, str)
	}
	return streams.LeftJoinGlobal(l, r, by, f.left, str)
}

func (i *interpreter) joinTables(n Node) any {
	l, r, f, opts := in[table](i, n, 0), in[table](i, n, 1), joinersOf(n.Fn), i.materialized(n)
	switch n.Join {
	case "inner":
		return streams.JoinTables(l, r, f.inner, str, opts...)
	case "left":
		return streams.LeftJoinTables(l, r, f.left, str, opts...)
	}
	return streams.OuterJoinTables(l, r, f.outer, str, opts...)
}

func (i *interpreter) joinForeign(n Node) any {
	l, r, f, key, opts := in[table](i, n, 0), in[table](i, n, 1), joinersOf(n.Fn2), mapKey(n.Fn), i.materialized(n)
	by := func(v string) (string, bool) { k := *key("", v); return k, k != "" }
	if n.Join == "inner" {
		return streams.JoinForeign(l, r, by, f.inner, str, opts...)
	}
	return streams.LeftJoinForeign(l, r, by, f.left, str, opts...)
}
