package lens

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// node is a hop before it has an id, and what diagnose needs to know of it.
type node struct {
	hop     api.Hop
	parents []*node
	since   time.Time // when it began to wait
	order   int       // in which it was found

	row      *rowFact
	consumer *consumerFact
	entry    *entry
	waits    *waits
	// letter is the dead letter behind it, nil where none is known.
	letter *entry
}

// graph is the nodes of a transaction, without cycles.
type graph struct{ nodes []*node }

func (g *graph) add(n *node, parents ...*node) *node {
	n.order = len(g.nodes)
	if n.hop.LatencyMicros == 0 {
		n.hop.LatencyMicros = -1
	}
	g.nodes = append(g.nodes, n)
	for _, p := range parents {
		g.link(n, p)
	}
	return n
}

// link makes p a parent of n, unless n leads to p: foreign events may claim to have
// caused one another.
func (g *graph) link(n, p *node) {
	if p == nil || slices.Contains(n.parents, p) || leads(n, p, map[*node]bool{}) {
		return
	}
	n.parents = append(n.parents, p)
}

// leads says whether from is to, or one of its ancestors.
func leads(from, to *node, seen map[*node]bool) bool {
	if from == to {
		return true
	}
	if seen[to] {
		return false
	}
	seen[to] = true
	return slices.ContainsFunc(to.parents, func(p *node) bool { return leads(from, p, seen) })
}

// sorted returns the nodes in causal order: parents first, then by time; and gives
// them their ids.
func (g *graph) sorted() []*node {
	rest := slices.Clone(g.nodes)
	slices.SortStableFunc(rest, func(a, b *node) int {
		return cmp.Or(timeOfNode(a).Compare(timeOfNode(b)), cmp.Compare(a.order, b.order))
	})
	done := make(map[*node]bool, len(rest))
	out := make([]*node, 0, len(rest))
	for len(rest) > 0 {
		i := slices.IndexFunc(rest, func(n *node) bool {
			return !slices.ContainsFunc(n.parents, func(p *node) bool { return !done[p] })
		})
		n := rest[i] // there is one: the graph has no cycles
		done[n] = true
		out = append(out, n)
		rest = slices.Delete(rest, i, i+1)
	}
	for i, n := range out {
		n.hop.ID = "h" + strconv.Itoa(i+1)
	}
	return out
}

// timeOfNode is when it was done, or began to wait.
func timeOfNode(n *node) time.Time {
	if !n.hop.At.IsZero() {
		return n.hop.At
	}
	return n.since
}

// hops are the nodes as people see them.
func hops(sorted []*node) []api.Hop {
	out := make([]api.Hop, len(sorted))
	for i, n := range sorted {
		out[i] = n.hop
		for _, p := range n.parents {
			out[i].Parents = append(out[i].Parents, p.hop.ID)
		}
	}
	return out
}
