package kstreams

import (
	"strings"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/state"
)

func init() { operators["process"] = (*interpreter).process }

// The same processors as in Processors.java, each with a store of strings.

type (
	record = streams.Record[string, string]
	values = state.KeyValueStore[string, string]
)

func (i *interpreter) process(n Node) any {
	var opts []state.Option
	if !i.c.Disk {
		opts = append(opts, state.InMemory())
	}
	i.b.AddStore(state.KeyValue(n.Store, str, str, opts...))
	i.stores[n.Store] = valuesOf(n.Store)
	return streams.Process(in[stream](i, n, 0), func() streams.Processor[string, string, string, string] { return &processor{node: n} },
		str, str, streams.Using(n.Store))
}

type processor struct {
	node  Node
	c     streams.Context[string, string]
	store values
}

func (p *processor) Init(c streams.Context[string, string]) (err error) {
	p.c = c
	if p.store, err = streams.StoreOf[values](c, p.node.Store); err != nil {
		return err
	}
	switch p.node.Fn {
	case "collect":
		_, err = c.Schedule(ms(p.node.Limit), streams.StreamTime, p.release)
	case "collectWall":
		_, err = c.Schedule(ms(p.node.Limit), streams.WallClock, p.release)
	}
	return err
}

func (p *processor) Close() error { return nil }

func (p *processor) Process(r record) error {
	switch p.node.Fn {
	case "changes":
		return p.changes(r)
	case "counts":
		before, _, err := p.store.Get(r.Key)
		if err != nil {
			return err
		}
		return p.keepAndForward(r, added("count")(before, r.Value))
	case "times":
		return p.keepAndForward(r, decimal(p.c.StreamTime()))
	case "range":
		return p.before(r)
	case "collect", "collectWall":
		return p.store.Put(r.Key, r.Value)
	}
	panic("no processor " + p.node.Fn)
}

// changes forwards what is not as before.
func (p *processor) changes(r record) error {
	before, ok, err := p.store.Get(r.Key)
	if err != nil || ok != r.NoValue && before == r.Value {
		return err
	}
	if r.NoValue {
		_, _, err = p.store.Delete(r.Key)
	} else {
		err = p.store.Put(r.Key, r.Value)
	}
	if err != nil {
		return err
	}
	return p.c.Forward(r)
}

func (p *processor) keepAndForward(r record, value string) error {
	if err := p.store.Put(r.Key, value); err != nil {
		return err
	}
	r.Value, r.NoValue = value, false
	return p.c.Forward(r)
}

// before forwards all entries up to the key.
func (p *processor) before(r record) error {
	if err := p.store.Put(r.Key, r.Value); err != nil {
		return err
	}
	var all strings.Builder
	for e, err := range p.store.Range("", r.Key) {
		if err != nil {
			return err
		}
		all.WriteString(e.Key + e.Value)
	}
	r.Value, r.NoValue = shorten(all.String()), false
	return p.c.Forward(r)
}

// release forwards all that was collected, in the order of keys, and forgets it.
func (p *processor) release(now int64) error {
	var all []state.Pair[string, string]
	for e, err := range p.store.All() {
		if err != nil {
			return err
		}
		all = append(all, e)
	}
	for _, e := range all {
		if err := p.c.Forward(record{Key: e.Key, Value: e.Value, Timestamp: now}); err != nil {
			return err
		}
		if _, _, err := p.store.Delete(e.Key); err != nil {
			return err
		}
	}
	return nil
}
