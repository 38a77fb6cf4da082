package streams

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Describe prints the topology in the form of Kafka Streams' TopologyDescription: its
// sub-topologies, their nodes, stores and topics, of which internal ones are without the
// application id.
func (t *Topology) Describe() string {
	var b strings.Builder
	b.WriteString("Topologies:\n ")
	for _, g := range t.order {
		if g.global != nil {
			g.global.describe(&b, g.id)
			continue
		}
		fmt.Fprintf(&b, "  Sub-topology: %d\n", g.id)
		for _, n := range describeNodes(g.sub.Nodes) {
			n.describe(&b)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (g *globalNames) describe(b *strings.Builder, id int32) {
	fmt.Fprintf(b, "  Sub-topology: %d for global store (will not generate tasks)\n", id)
	fmt.Fprintf(b, "    Source: %s (topics: [%s])\n      --> %s\n", g.source, g.topic, g.processor)
	fmt.Fprintf(b, "    Processor: %s (stores: [%s])\n      --> none\n      <-- %s\n", g.processor, g.store, g.source)
}

// described is a node as Kafka Streams' description knows it.
type described struct {
	*plan.Node
	parents, children []*described
	size              int // nodes that follow by all ways, and itself
}

// describeNodes links nodes in the order of Java's HashMap, on which the order of a node's
// neighbours depends: they are sorted by size when they are linked, while sizes still grow.
func describeNodes(nodes []*plan.Node) []*described {
	byName := map[string]*described{}
	var names []string
	for _, n := range nodes {
		byName[n.Name] = &described{Node: n, size: 1}
		names = append(names, n.Name)
	}
	var all, out []*described
	for _, n := range nodes {
		all = append(all, byName[n.Name])
	}
	for _, name := range javaSet(names) {
		n := byName[name]
		for _, p := range n.Parents {
			parent := byName[p.Name]
			n.parents = insert(n.parents, parent)
			parent.children = insert(parent.children, n)
			grow(all, parent, n.size)
		}
		out = append(out, n)
	}
	slices.SortFunc(out, compare)
	return out
}

func insert(in []*described, n *described) []*described {
	i, _ := slices.BinarySearchFunc(in, n, compare)
	return slices.Insert(in, i, n)
}

// compare puts what is followed by most first.
func compare(a, b *described) int {
	return cmp.Or(b.size-a.size, strings.Compare(a.Name, b.Name))
}

// grow adds n to a node's size, and to those before it once for each way to the node; all
// has parents before their children.
func grow(all []*described, node *described, n int) {
	more := map[*described]int{node: n}
	for _, d := range slices.Backward(all) {
		if more[d] == 0 {
			continue
		}
		d.size += more[d]
		for _, p := range d.parents {
			more[p] += more[d]
		}
	}
}

func (n *described) describe(b *strings.Builder) {
	switch n.Kind {
	case plan.SourceNode:
		fmt.Fprintf(b, "    Source: %s (topics: [%s])\n      --> %s\n", n.Name, strings.Join(javaSet(topicNames(n.Node)), ", "), names(n.children))
	case plan.SinkNode:
		fmt.Fprintf(b, "    Sink: %s (%s)\n      <-- %s\n", n.Name, target(n.Node), names(n.parents))
	default:
		fmt.Fprintf(b, "    Processor: %s (stores: [%s])\n      --> %s\n      <-- %s\n", n.Name, strings.Join(javaSet(storeNames(n.Node)), ", "), names(n.children), names(n.parents))
	}
}

// target of a sink. Kafka Streams prints the class that chooses a record's topic.
func target(n *plan.Node) string {
	if len(n.Topics) == 0 {
		return "extractor class: of each record"
	}
	return "topic: " + topicNames(n)[0]
}

// topicNames are a node's, without the application id.
func topicNames(n *plan.Node) []string {
	var out []string
	for _, t := range n.Topics {
		out = append(out, t.Described())
	}
	return out
}

// storeNames are a node's; global ones are everybody's.
func storeNames(n *plan.Node) []string {
	var out []string
	for _, s := range n.Stores {
		if !s.Global {
			out = append(out, s.Name)
		}
	}
	return out
}

func names(nodes []*described) string {
	if len(nodes) == 0 {
		return "none"
	}
	var out []string
	for _, n := range nodes {
		out = append(out, n.Name)
	}
	return strings.Join(out, ", ")
}

// javaSet puts names into the order of Java's HashSet, which Kafka Streams prints them in.
func javaSet(names []string) []string {
	buckets := 16
	for len(names)*4 > buckets*3 {
		buckets *= 2
	}
	bucket := func(name string) int {
		var h uint32
		for _, c := range []byte(name) {
			h = 31*h + uint32(c)
		}
		return int(h^h>>16) & (buckets - 1)
	}
	out := slices.Clone(names)
	slices.SortStableFunc(out, func(a, b string) int { return bucket(a) - bucket(b) })
	return out
}
