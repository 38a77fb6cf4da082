package kstreams

import (
	"fmt"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/state"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

type windowKey = state.Windowed[string]

func init() {
	operators["suppress"] = (*interpreter).suppress
	operators["cogroup"] = (*interpreter).cogroup
}

// windowed aggregates by windows or sessions.
func (i *interpreter) windowed(n Node) any {
	g, opts := in[group](i, n, 0), i.windowOptions(n)
	add, merge := added(n.Fn), added(n.Fn3)
	initial := func() string { return n.Init }
	adder := func(_, v, a string) string { return add(a, v) }
	if n.Window.Type == "session" {
		sessions := streams.Sessions(ms(n.Window.Size)).Grace(ms(n.Window.Grace))
		switch n.Op {
		case "count":
			return counts(streams.CountSessions(g, sessions, opts...))
		case "reduce":
			return streams.ReduceSessions(g, sessions, add, opts...)
		}
		return streams.AggregateSessions(g, sessions, initial, adder, func(_, a, b string) string { return merge(a, b) }, str, opts...)
	}
	w := timeWindows(n.Window)
	switch n.Op {
	case "count":
		return counts(streams.CountWindows(g, w, opts...))
	case "reduce":
		return streams.ReduceWindows(g, w, add, opts...)
	}
	return streams.AggregateWindows(g, w, initial, adder, str, opts...)
}

func timeWindows(w *Window) streams.Windows {
	switch w.Type {
	case "sliding":
		return streams.Sliding(ms(w.Size)).Grace(ms(w.Grace))
	case "hopping":
		return streams.Hopping(ms(w.Size), ms(w.Advance)).Grace(ms(w.Grace))
	}
	return streams.Tumbling(ms(w.Size)).Grace(ms(w.Grace))
}

// emitRetention is what Topologies.java adds.
const emitRetention = 10_000_000

// windowOptions are those of a windowed aggregation; its store's contents are compared unless
// it emits on close, for which the Java side has another retention.
func (i *interpreter) windowOptions(n Node) []streams.Option {
	opts := i.materialized(n)
	if n.Emit == "close" {
		opts = append(opts, streams.EmitOnClose())
		if n.Window.Type == "session" { // a late record may join a session that was emitted and is still there
			opts = append(opts, streams.Retention(ms(n.Window.Size+n.Window.Grace+emitRetention)))
		}
	}
	switch {
	case n.Store == "":
	case n.Emit == "close" && n.Window.Type != "session":
		delete(i.stores, n.Store)
	case n.Window.Type == "session" && n.Op == "count":
		i.stores[n.Store] = sessionsOf[int64](i.c, n.Store)
	case n.Window.Type == "session":
		i.stores[n.Store] = sessionsOf[string](i.c, n.Store)
	case n.Op == "count":
		i.stores[n.Store] = windowsOf[int64](n.Store)
	default:
		i.stores[n.Store] = windowsOf[string](n.Store)
	}
	return opts
}

func windowsOf[V any](name string) contents {
	return func(s *session) (out []Row) {
		for e, err := range streamstest.Store[state.ReadOnlyWindow[string, state.Timestamped[V]]](s.driver, name).All() {
			if err != nil {
				panic(err)
			}
			out = append(out, Row{some(windowText(e.Key)), some(fmt.Sprint(e.Value.Value)), e.Value.Timestamp})
		}
		return out
	}
}

// sessionsOf reads the sessions of the keys that may be there, as Kafka Streams' in-memory
// store cannot list all.
func sessionsOf[V any](c *Case, name string) contents {
	return func(s *session) (out []Row) {
		store := streamstest.Store[state.ReadOnlySession[string, V]](s.driver, name)
		for _, key := range keysOf(c) {
			for e, err := range store.Fetch(key) {
				if err != nil {
					panic(err)
				}
				out = append(out, Row{some(windowText(e.Key)), some(fmt.Sprint(e.Value)), noTime})
			}
		}
		return out
	}
}

func (i *interpreter) cogroup(n Node) any {
	adder := func(fn string) func(_, v, a string) string {
		add := added(fn)
		return func(_, v, a string) string { return add(a, v) }
	}
	c := streams.Cogroup(in[group](i, n, 0), adder(n.Fns[0]))
	for at := 1; at < len(n.In); at++ {
		c = streams.AndCogroup(c, in[group](i, n, at), adder(n.Fns[at]))
	}
	initial := func() string { return n.Init }
	switch {
	case n.Window == nil:
		return c.Aggregate(initial, str, i.materialized(n)...)
	case n.Window.Type == "session":
		merge := added(n.Fn3)
		return streams.AggregateCogroupSessions(c, streams.Sessions(ms(n.Window.Size)).Grace(ms(n.Window.Grace)), initial, func(_, a, b string) string { return merge(a, b) }, str, i.windowOptions(n)...)
	}
	return streams.AggregateCogroupWindows(c, timeWindows(n.Window), initial, str, i.windowOptions(n)...)
}

func (i *interpreter) suppress(n Node) any {
	buffer := streams.Unbounded()
	if n.MaxRecords > 0 {
		buffer = streams.MaxRecords(n.MaxRecords)
		if n.Full == "shutdown" {
			buffer = buffer.ShutDownWhenFull()
		}
	}
	until := streams.UntilTimeLimit(ms(n.Limit), buffer)
	if n.Until == "untilWindowCloses" {
		until = streams.UntilWindowCloses(buffer)
	}
	if t, ok := i.made[n.In[0]].(windows); ok {
		return streams.Suppress(t, until)
	}
	return streams.Suppress(in[table](i, n, 0), until)
}
