package streams

import (
	"container/heap"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// writer writes operators as the nodes and stores of a plan, in Kafka Streams' order, on
// which the numbers of sub-topologies depend.
type writer struct {
	b        *Builder
	problems []error
	nodes    []*plan.Node
	byName   map[string]*plan.Node
	groups   *groups
	stores   []*plan.Store
	storeOf  map[string]*plan.Store
	users    map[string][]string   // nodes of a store
	readBy   map[plan.Topic]string // its source node
	globals  map[string]*plan.Global
	// globalStores are their names, for processors, which may read all of them.
	globalStores map[string]bool
	main         map[string]string // source node -> the one that reads for it
	matters      map[*operator]bool
}

func newWriter(b *Builder) *writer {
	return &writer{
		b: b, problems: slices.Clone(b.problems), byName: map[string]*plan.Node{},
		groups: newGroups(), storeOf: map[string]*plan.Store{}, users: map[string][]string{},
		readBy: map[plan.Topic]string{}, globals: map[string]*plan.Global{}, globalStores: map[string]bool{}, main: map[string]string{},
		matters: map[*operator]bool{},
	}
}

func (w *writer) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Errorf(format, args...))
}

// writeAll writes parents before children, else what was declared first.
func (w *writer) writeAll() {
	extra := w.mergeSources()
	w.heedVersions(w.b.root, map[*operator]bool{})
	for _, s := range w.b.stores {
		w.store(s)
	}
	written := map[*operator]bool{w.b.root: true}
	queue := operatorQueue(slices.Clone(w.b.root.children))
	heap.Init(&queue)
	for queue.Len() > 0 {
		op := heap.Pop(&queue).(*operator)
		if written[op] || w.main[op.name] != "" && op.source != nil || !w.ready(op, written) {
			continue
		}
		op.write(w)
		written[op] = true
		for _, c := range op.children {
			heap.Push(&queue, c)
		}
		for _, c := range extra[op] {
			heap.Push(&queue, c)
		}
	}
	w.check()
}

func (w *writer) ready(op *operator, written map[*operator]bool) bool {
	return !slices.ContainsFunc(op.parents, func(p *operator) bool {
		return !written[p] && !(p.source != nil && w.main[p.name] != "")
	})
}

// heedVersions tells operators that they follow a versioned table.
func (w *writer) heedVersions(op *operator, seen map[*operator]bool) {
	if seen[op] {
		return
	}
	seen[op] = true
	if op.heedVersions != nil {
		for _, p := range op.parents {
			if p.isVersioned() {
				op.heedVersions(p.name)
			}
		}
	}
	if op.noVersions != "" && op.fromVersions() {
		w.problem("%s", op.noVersions)
	}
	for _, c := range op.children {
		w.heedVersions(c, seen)
	}
}

// add writes a node below those that are named.
func (w *writer) add(n *plan.Node, parents ...string) {
	if w.byName[n.Name] != nil {
		w.problem("%s: there are two nodes of this name", n.Name)
		return
	}
	w.nodes = append(w.nodes, n)
	w.byName[n.Name] = n
	w.groups.add(n.Name)
	for _, name := range parents {
		if p := w.byName[w.resolve(name)]; p != nil {
			connect(p, n)
			w.groups.unite(p.Name, n.Name)
		}
	}
}

// resolve is the node of that name, or the source that reads for it.
func (w *writer) resolve(node string) string {
	if main := w.main[node]; main != "" {
		return main
	}
	return node
}

// store adds a store and connects it to nodes.
func (w *writer) store(s *plan.Store, nodes ...string) {
	if other := w.storeOf[s.Name]; other != nil && other != s {
		w.problem("store %s: there are two stores of this name", s.Name)
		return
	}
	if w.storeOf[s.Name] == nil {
		w.storeOf[s.Name] = s
		w.stores = append(w.stores, s)
	}
	for _, n := range nodes {
		w.use(n, s.Name)
	}
}

// use connects a node to stores, which are added already.
func (w *writer) use(node string, stores ...string) {
	n := w.byName[node]
	for _, name := range stores {
		s := w.storeOf[name]
		switch {
		case s == nil:
			w.problem("%s: there is no store %s; add it with Builder.AddStore", node, name)
			continue
		case s.Global:
			w.problem("%s: store %s is global, which every processor may use without naming it", node, name)
			continue
		case n == nil || slices.Contains(n.Stores, s):
			continue
		}
		n.Stores = append(n.Stores, s)
		if users := w.users[name]; len(users) > 0 {
			w.groups.unite(users[0], node)
		}
		w.users[name] = append(w.users[name], node)
	}
}

// useGlobal connects a node to a global store, which does not make it a neighbour of others.
func (w *writer) useGlobal(node string, s *plan.Store) {
	if n := w.byName[node]; n != nil {
		n.Stores = append(n.Stores, s)
	}
}

// global adds a store that all tasks share, with the nodes that fill it: its source first.
func (w *writer) global(topic plan.Topic, s *plan.Store, nodes ...*plan.Node) {
	w.reads(topic, nodes[0].Name)
	w.add(nodes[0])
	for i, n := range nodes[1:] {
		w.add(n, nodes[i].Name)
	}
	w.store(s)
	w.globalStores[s.Name] = true
	w.globals[nodes[0].Name] = &plan.Global{Topic: topic, Nodes: nodes, Store: s}
}

// reads notes that a source reads a topic, which another does not.
func (w *writer) reads(topic plan.Topic, node string) {
	topic.Partitions = 0
	if other := w.readBy[topic]; other != "" && other != node {
		w.problem("topic %s is read by %s and by %s: read it once, and use that stream or table twice", topic.Described(), other, node)
		return
	}
	w.readBy[topic] = node
}

// operatorQueue is a heap of operators, what was declared first at its top.
type operatorQueue []*operator

func (q operatorQueue) Len() int           { return len(q) }
func (q operatorQueue) Less(i, j int) bool { return q[i].priority < q[j].priority }
func (q operatorQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *operatorQueue) Push(x any)        { *q = append(*q, x.(*operator)) }
func (q *operatorQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// groups joins names that belong together.
type groups struct{ parent map[string]string }

func newGroups() *groups { return &groups{map[string]string{}} }

func (g *groups) add(name string) { g.parent[name] = name }

// root names the group.
func (g *groups) root(name string) string {
	for g.parent[name] != name {
		name = g.parent[name]
	}
	return name
}

func (g *groups) unite(a, b string) { g.parent[g.root(b)] = g.root(a) }
