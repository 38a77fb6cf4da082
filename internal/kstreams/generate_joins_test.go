package kstreams

func (g *generator) suppressed() bool {
	if in, ok := g.have(kindWindowed); ok && g.chance(0.8) {
		n := Node{Op: "suppress", In: []string{in}, Until: "untilWindowCloses"}
		if g.chance(0.1) {
			n.MaxRecords, n.Full = int64(3+g.r.IntN(5)), "shutdown"
		}
		if g.chance(0.3) {
			n = g.timeLimit(in)
		}
		g.add(kindWindowed, n)
		return true
	}
	in, ok := g.have(kindTable)
	if !ok {
		return false
	}
	g.add(kindTable, g.timeLimit(in))
	return true
}

func (g *generator) timeLimit(in string) Node {
	n := Node{Op: "suppress", In: []string{in}, Until: "untilTimeLimit", Limit: int64(g.r.IntN(30))}
	if g.chance(0.5) {
		n.MaxRecords, n.Full = int64(1+g.r.IntN(4)), g.pick("emit", "emit", "emit", "shutdown")
	}
	return n
}

// windowOperator goes on with a table of windows.
func (g *generator) windowOperator() bool {
	in, ok := g.have(kindWindowed)
	if !ok {
		return false
	}
	switch g.r.IntN(4) {
	case 0:
		g.add(kindWindowed, Node{Op: "tableFilter", In: []string{in}, Fn: g.predicate()})
	case 1:
		g.add(kindWindowed, Node{Op: "tableMapValues", In: []string{in}, Fn: g.valueFunction()})
	default:
		s := g.add(kindWindows, Node{Op: "toStream", In: []string{in}})
		g.add(kindStream, Node{Op: "selectKey", In: []string{s}, Fn: g.pick("same", "keyFirst", "first")})
	}
	return true
}

func (g *generator) side() string { return g.pick("inner", "left", "outer") }

func (g *generator) joinedStreams() bool {
	l, ok := g.have(kindStream)
	r, _ := g.have(kindStream)
	if !ok || g.streamJoins == 2 { // results square with each join of a join with itself
		return false
	}
	g.streamJoins++
	n := Node{Op: "joinStreams", In: []string{l, r}, Join: g.side(), Fn: g.joiner(),
		Before: int64(g.r.IntN(20)), After: int64(g.r.IntN(20)), Grace: int64(g.r.IntN(20))}
	if g.chance(0.1) {
		n.Before = -int64(g.r.IntN(int(n.After) + 1))
	}
	if n.Before+n.After == 0 {
		n.Grace++ // of 0 in all, Kafka Streams keeps no record for the other side
	}
	g.add(kindStream, n)
	return true
}

func (g *generator) joinedTable() bool {
	l, ok := g.have(kindStream)
	r, _, some := g.haveTable()
	if !ok || !some {
		return false
	}
	g.add(kindStream, Node{Op: "joinTable", In: []string{l, r}, Join: g.pick("inner", "left"), Fn: g.joiner()})
	return true
}

func (g *generator) joinedGlobal() bool {
	l, ok := g.have(kindStream)
	r, some := g.have(kindGlobal)
	if !ok || !some {
		return false
	}
	g.add(kindStream, Node{Op: "joinGlobal", In: []string{l, r}, Join: g.pick("inner", "left"), Fn: g.keyFunction(), Fn2: g.joiner()})
	return true
}

func (g *generator) joinedTables() bool {
	l, _, ok := g.haveTable()
	r, _, _ := g.haveTable()
	if !ok || l == r {
		return false
	}
	g.add(kindTable, Node{Op: "joinTables", In: []string{l, r}, Join: g.side(), Fn: g.joiner(), Store: g.maybeStore(0.5)})
	return true
}

func (g *generator) joinedForeign() bool {
	l, _, ok := g.haveTable()
	r, _, _ := g.haveTable()
	if !ok || l == r && g.chance(0.8) {
		return false
	}
	g.add(kindTable, Node{Op: "joinForeign", In: []string{l, r}, Join: g.pick("inner", "left"), Fn: g.pick("first", "first", "value", "length"),
		Fn2: g.joiner(), Store: g.maybeStore(0.5)})
	return true
}

func (g *generator) processed() bool {
	in, ok := g.have(kindStream)
	if !ok {
		return false
	}
	g.add(kindStream, Node{Op: "process", In: []string{in}, Fn: g.pick("changes", "counts", "times", "range", "collect", "collectWall"),
		Store: g.store(), Limit: int64(5 + g.r.IntN(40))})
	return true
}
