package kstreams

import (
	"fmt"
	"math/rand/v2"
)

// kinds of what an operator makes, and so of what others take.
type kind string

const (
	kindStream    kind = "stream"
	kindTable     kind = "table"
	kindVersioned kind = "versioned table"
	kindWindowed  kind = "windowed table" // that closes
	kindWindows   kind = "stream of windows"
	kindGroup     kind = "group"
	kindNamed     kind = "group with a name, for one use"
	kindTables    kind = "group of a table"
	kindGlobal    kind = "global table"
	kindSplit     kind = "split"
	kindSink      kind = "" // a sink
)

// generator makes a random case. The same numbers make the same case.
type generator struct {
	r    *rand.Rand
	c    *Case
	pool map[kind][]string // ids by what they are
	used map[string]bool   // ids that something takes
	// inputs are the topics, and whether tombstones are usual in them.
	inputs      []input
	streamJoins int
}

type input struct {
	topic      string
	tombstones float64
}

// caseOf makes case number n of a seed.
func caseOf(seed uint64, n int64) *Case {
	g := &generator{r: rand.New(rand.NewPCG(seed, uint64(n))), c: &Case{ID: n}, pool: map[kind][]string{}, used: map[string]bool{}}
	g.c.Disk, g.c.Describe = g.chance(0.1), true
	g.sources()
	for range 1 + g.r.IntN(6) {
		g.operator()
	}
	g.sinks()
	g.events()
	oneStreamTime(g.c)
	if len(g.pool[kindVersioned]) > 0 {
		distinctTimes(g.c)
	}
	return g.c
}

// distinctTimes moves events to times that no other has: in Kafka Streams' versioned stores a
// tombstone of the very time of the latest version leaves no trace, and an older value that
// comes later is then the latest.
func distinctTimes(c *Case) {
	used := map[int64]bool{}
	for i := range c.Events {
		e := &c.Events[i]
		for e.Topic != "" && used[e.TS] {
			e.TS++
		}
		used[e.TS] = used[e.TS] || e.Topic != ""
	}
}

// oneStreamTime leaves processors that follow stream time to topologies of one sub-topology:
// Kafka Streams' driver has one task with one stream time for all of them, which in an
// application, and in our driver, each have their own.
func oneStreamTime(c *Case) {
	t, _, err := build(c)
	if err != nil || len(t.Plan().Subs) < 2 {
		return
	}
	for i, n := range c.Nodes {
		switch {
		case n.Op == "process" && n.Fn == "collect":
			c.Nodes[i].Fn = "collectWall"
		case n.Op == "process" && n.Fn == "times":
			c.Nodes[i].Fn = "counts"
		}
	}
}

func (g *generator) chance(p float64) bool { return g.r.Float64() < p }

// add adds a node and returns its id.
func (g *generator) add(made kind, n Node) string {
	n.ID = fmt.Sprintf("n%d", len(g.c.Nodes))
	g.c.Nodes = append(g.c.Nodes, n)
	for _, in := range n.In {
		g.used[in] = true
	}
	if made != kindSink {
		g.pool[made] = append(g.pool[made], n.ID)
	}
	return n.ID
}

// sources adds one to three, each with a topic of its own.
func (g *generator) sources() {
	for i := range 1 + g.r.IntN(3) {
		topic := fmt.Sprintf("t%d", i)
		switch p := g.r.IntN(20); {
		case p < 10:
			g.inputs = append(g.inputs, input{topic, 0.08})
			if g.chance(0.1) {
				g.inputs = append(g.inputs, input{topic + "b", 0.08})
				topic += "," + topic + "b"
			}
			g.add(kindStream, Node{Op: "stream", Topic: topic})
		case p < 18:
			g.inputs = append(g.inputs, input{topic, 0.2})
			if g.chance(0.15) {
				g.add(kindVersioned, Node{Op: "table", Topic: topic, Store: g.store(), Versioned: g.history()})
			} else {
				g.add(kindTable, Node{Op: "table", Topic: topic, Store: g.maybeStore(0.5)})
			}
		default:
			g.inputs = append(g.inputs, input{topic, 0.2})
			g.add(kindGlobal, Node{Op: "globalTable", Topic: topic, Store: g.store()})
		}
	}
	if len(g.pool[kindStream])+len(g.pool[kindTable])+len(g.pool[kindVersioned]) == 0 {
		g.inputs = append(g.inputs, input{"t9", 0.08})
		g.add(kindStream, Node{Op: "stream", Topic: "t9"})
	}
}

func (g *generator) store() string { return fmt.Sprintf("s%d", len(g.c.Nodes)) }

func (g *generator) maybeStore(p float64) string {
	if g.chance(p) {
		return g.store()
	}
	return ""
}

func (g *generator) history() int64 { return int64(10 + g.r.IntN(90)) }

// sinks writes what nothing takes, and some of the rest, to topics.
func (g *generator) sinks() {
	for _, id := range g.pool[kindWindowed] {
		if !g.used[id] {
			g.add(kindWindows, Node{Op: "toStream", In: []string{id}})
		}
	}
	for _, id := range g.pool[kindWindows] {
		if !g.used[id] {
			g.add(kindStream, Node{Op: "selectKey", In: []string{id}, Fn: "same"})
		}
	}
	for _, k := range []kind{kindTable, kindVersioned} {
		for _, id := range g.pool[k] {
			if !g.used[id] || g.chance(0.15) {
				g.add(kindStream, Node{Op: "toStream", In: []string{id}})
			}
		}
	}
	for i, id := range g.pool[kindStream] {
		if g.used[id] && !g.chance(0.1) {
			continue
		}
		if g.chance(0.05) {
			g.add(kindSink, Node{Op: "toTopics", In: []string{id}, Topic: fmt.Sprintf("d%d-", i)})
		} else {
			g.add(kindSink, Node{Op: "to", In: []string{id}, Topic: fmt.Sprintf("o%d", i)})
		}
	}
}

// events are inputs with times that go on, with equal, late and much later ones between
// them, and steps of the wall clock.
func (g *generator) events() {
	now := int64(g.r.IntN(50))
	for range 4 + g.r.IntN(30) {
		if g.chance(0.06) {
			g.c.Events = append(g.c.Events, Event{Wall: int64(1 + g.r.IntN(60))})
			continue
		}
		in := g.inputs[g.r.IntN(len(g.inputs))]
		e := Event{Topic: in.topic, TS: now}
		switch p := g.r.Float64(); {
		case p < 0.30: // late
			e.TS = max(0, now-int64(g.r.IntN(30)))
		case p < 0.36: // much later
			now += int64(20 + g.r.IntN(150))
			e.TS = now
		case p < 0.90:
			now += int64(g.r.IntN(8))
			e.TS = now
		}
		if !g.chance(0.04) {
			e.Key = new(string)
			*e.Key = g.letters("abc", 1, 1)
		}
		if !g.chance(in.tombstones) {
			e.Value = new(string)
			*e.Value = g.letters("abcd", 0, 3)
		}
		g.c.Events = append(g.c.Events, e)
	}
}

func (g *generator) letters(of string, from, to int) string {
	b := make([]byte, from+g.r.IntN(to-from+1))
	for i := range b {
		b[i] = of[g.r.IntN(len(of))]
	}
	return string(b)
}

func (g *generator) pick(of ...string) string { return of[g.r.IntN(len(of))] }

// have returns one of a kind, the later the likelier.
func (g *generator) have(k kind) (string, bool) {
	all := g.pool[k]
	if len(all) == 0 {
		return "", false
	}
	return all[max(g.r.IntN(len(all)), g.r.IntN(len(all)))], true
}

// haveTable returns a table of either kind.
func (g *generator) haveTable() (string, kind, bool) {
	k := kindTable
	if n := len(g.pool[kindTable]) + len(g.pool[kindVersioned]); n > 0 && g.r.IntN(n) >= len(g.pool[kindTable]) {
		k = kindVersioned
	}
	id, ok := g.have(k)
	return id, k, ok
}
