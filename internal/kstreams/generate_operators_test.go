package kstreams

import "fmt"

// operator adds one operator that fits what is there, and what it needs before it.
func (g *generator) operator() {
	choices := []struct {
		weight int
		add    func() bool
	}{
		{10, g.stateless}, {6, g.mapped}, {3, g.branched}, {2, g.merged}, {2, g.repartitioned}, {3, g.toTable}, {2, g.toStream},
		{14, g.aggregated}, {3, g.cogrouped}, {5, g.tableOperator}, {7, g.tableAggregated}, {5, g.suppressed}, {3, g.windowOperator},
		{9, g.joinedStreams}, {7, g.joinedTable}, {4, g.joinedGlobal}, {7, g.joinedTables}, {7, g.joinedForeign}, {4, g.processed},
	}
	total := 0
	for _, c := range choices {
		total += c.weight
	}
	for range 20 { // some do not fit
		at := g.r.IntN(total)
		for _, c := range choices {
			if at -= c.weight; at < 0 {
				if c.add() {
					return
				}
				break
			}
		}
	}
}

func (g *generator) predicate() string {
	return g.pick("has:a", "not:b", "keyIs:a", "keyNot:c", "even", "all", "not:d", "none")
}

func (g *generator) keyFunction() string {
	return g.pick("same", "value", "first", "first", "first", "keyFirst", "const:k", "upper", "both", "length", "length")
}

func (g *generator) valueFunction() string {
	return g.pick("same", "upper", "reverse", "first", "append:x", "withKey", "length")
}

func (g *generator) flatFunction() string { return g.pick("chars", "charKeys", "twice", "unless:a") }

func (g *generator) joiner() string { return g.pick("pair", "pair", "both", "left", "right") }

func (g *generator) adder() string {
	return g.pick("concat", "concat", "count", "size", "sum", "max", "last", "kept")
}

func (g *generator) stateless() bool {
	in, ok := g.have(kindStream)
	if !ok {
		return false
	}
	n := Node{In: []string{in}}
	switch n.Op = g.pick("filter", "filterNot", "mapValues", "peek"); n.Op {
	case "filter", "filterNot":
		n.Fn = g.predicate()
	case "mapValues":
		n.Fn = g.valueFunction()
	}
	g.add(kindStream, n)
	return true
}

func (g *generator) mapped() bool {
	in, ok := g.have(kindStream)
	if !ok {
		return false
	}
	n := Node{In: []string{in}}
	switch n.Op = g.pick("map", "flatMap", "flatMapValues", "selectKey"); n.Op {
	case "map":
		n.Fn = g.pick(g.keyFunction(), g.keyFunction(), "nullIf:c")
		n.Fn2 = g.pick(g.valueFunction(), g.valueFunction(), "nullIf:b")
	case "flatMap":
		n.Fn = g.flatFunction()
	case "flatMapValues":
		n.Fn = g.pick("chars", "twice", "unless:a")
	case "selectKey":
		n.Fn = g.keyFunction()
	}
	g.add(kindStream, n)
	return true
}

func (g *generator) branched() bool {
	in, ok := g.have(kindStream)
	if !ok {
		return false
	}
	n := Node{Op: "split", In: []string{in}}
	for range 1 + g.r.IntN(2) {
		n.Fns = append(n.Fns, g.predicate())
	}
	split := g.add(kindSplit, n)
	for i := range n.Fns {
		if g.chance(0.7) {
			g.add(kindStream, Node{Op: "branch", In: []string{split}, Branch: i})
		}
	}
	g.add(kindStream, Node{Op: "branch", In: []string{split}, Branch: len(n.Fns)})
	return true
}

func (g *generator) merged() bool {
	a, ok := g.have(kindStream)
	b, _ := g.have(kindStream)
	if !ok || a == b {
		return false
	}
	g.add(kindStream, Node{Op: "merge", In: []string{a, b}})
	return true
}

func (g *generator) repartitioned() bool {
	in, ok := g.have(kindStream)
	if ok {
		g.add(kindStream, Node{Op: "repartition", In: []string{in}})
	}
	return ok
}

func (g *generator) toTable() bool {
	in, ok := g.have(kindStream)
	if !ok {
		return false
	}
	n := Node{Op: "toTable", In: []string{in}, Store: g.maybeStore(0.5)}
	if g.chance(0.15) {
		n.Store, n.Versioned = g.store(), g.history()
		g.add(kindVersioned, n)
	} else {
		g.add(kindTable, n)
	}
	return true
}

func (g *generator) toStream() bool {
	in, _, ok := g.haveTable()
	if ok {
		g.add(kindStream, Node{Op: "toStream", In: []string{in}})
	}
	return ok
}

// grouped is a group that there is, or a new one.
func (g *generator) grouped() (string, bool) {
	if id, ok := g.have(kindGroup); ok && g.chance(0.3) {
		return id, true
	}
	return g.newGroup("")
}

func (g *generator) newGroup(name string) (string, bool) {
	in, ok := g.have(kindStream)
	if !ok {
		return "", false
	}
	made := kindGroup
	if name != "" {
		made = kindNamed
	}
	if g.chance(0.6) {
		return g.add(made, Node{Op: "groupByKey", In: []string{in}, Name: name}), true
	}
	return g.add(made, Node{Op: "groupBy", In: []string{in}, Name: name, Fn: g.keyFunction()}), true
}

func (g *generator) window() *Window {
	w := &Window{Type: g.pick("tumbling", "hopping", "sliding", "session"), Size: int64(3 + g.r.IntN(30)), Grace: int64(g.r.IntN(25))}
	if w.Type == "hopping" {
		w.Advance = 1 + int64(g.r.IntN(int(w.Size)))
		w.Advance = max(w.Advance, w.Size/4) // not too many windows
	}
	return w
}

func (g *generator) aggregated() bool {
	in, ok := g.grouped()
	if !ok {
		return false
	}
	n := Node{Op: g.pick("count", "reduce", "aggregate"), In: []string{in}, Init: g.pick("", "", "0", "i"), Fn: g.adder(),
		Fn3: g.pick("concat", "sum", "max"), Store: g.maybeStore(0.7)}
	made := kindTable
	switch {
	case g.chance(0.65):
		n.Window, made = g.window(), kindWindowed
		if g.chance(0.2) {
			n.Emit, n.Store = "close", g.store()
		}
	case g.chance(0.08):
		n.Store, n.Versioned = g.store(), g.history()
		made = kindVersioned
	}
	g.add(made, n)
	return true
}

func (g *generator) cogrouped() bool {
	n := Node{Op: "cogroup", Init: g.pick("", "0", "i"), Fn3: g.pick("concat", "sum", "max"), Store: g.maybeStore(0.7)}
	for range 1 + g.r.IntN(3) {
		// Without names of their own Kafka Streams gives two repartition topics one name.
		in, ok := g.newGroup(fmt.Sprintf("g%d", len(g.c.Nodes)))
		if !ok {
			return false
		}
		n.In = append(n.In, in)
		n.Fns = append(n.Fns, g.adder())
	}
	made := kindTable
	if g.chance(0.4) {
		// Without a name Kafka Streams knows no serde of the windows.
		n.Window, n.Store, made = g.window(), g.store(), kindWindowed
	}
	g.add(made, n)
	return true
}

func (g *generator) tableOperator() bool {
	in, made, ok := g.haveTable()
	if !ok {
		return false
	}
	n := Node{Op: g.pick("tableFilter", "tableFilterNot", "tableMapValues"), In: []string{in}, Fn: g.predicate(), Store: g.maybeStore(0.4)}
	if n.Op == "tableMapValues" {
		n.Fn = g.valueFunction()
	}
	if n.Store != "" {
		made = kindTable
	}
	g.add(made, n)
	return true
}

func (g *generator) tableAggregated() bool {
	in, ok := g.have(kindTables)
	if !ok || g.chance(0.7) {
		table, _, some := g.haveTable()
		if !some {
			return false
		}
		in = g.add(kindTables, Node{Op: "tableGroupBy", In: []string{table}, Fn: g.keyFunction(), Fn2: g.valueFunction()})
	}
	n := Node{Op: g.pick("tableCount", "tableReduce", "tableAggregate"), In: []string{in}, Init: g.pick("", "0", "i"), Store: g.maybeStore(0.7)}
	n.Fn, n.Fn2 = g.adder(), g.pick("remove", "count", "size", "note", "kept")
	g.add(kindTable, n)
	return true
}
