package streams

import (
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Topology is what Build made: what an App runs, and streamstest without a broker. It is
// not changed afterwards.
type Topology struct {
	plan    *plan.Topology
	order   []group // as described
	globals []globalNames
}

// group is a sub-topology or a global store, with the number that Kafka Streams gives it.
type group struct {
	id     int32
	sub    *plan.Sub
	global *globalNames
}

// globalNames are those of a global store's nodes.
type globalNames struct{ source, processor, store, topic string }

// Plan is the topology without its types, for this module's runtime.
func (t *Topology) Plan() *plan.Topology { return t.plan }

// topology groups what was written.
func (w *writer) topology() *Topology {
	t := &Topology{plan: &plan.Topology{}}
	subs := map[string]*plan.Sub{}
	var id int32
	for _, n := range w.nodes {
		root := w.groups.root(n.Name)
		if w.inGlobal(n) {
			if g := w.globals[n.Name]; g != nil {
				t.addGlobal(id, g)
				id++
			}
			continue
		}
		if subs[root] == nil {
			subs[root] = &plan.Sub{ID: id}
			t.plan.Subs = append(t.plan.Subs, subs[root])
			t.order = append(t.order, group{id: id, sub: subs[root]})
			id++
		}
		subs[root].Nodes = append(subs[root].Nodes, n)
	}
	for _, s := range w.stores {
		if users := w.users[s.Name]; len(users) > 0 && !s.Global {
			sub := subs[w.groups.root(users[0])]
			sub.Stores = append(sub.Stores, s)
		}
	}
	w.copartition(subs)
	return t
}

// inGlobal says whether n fills a global store.
func (w *writer) inGlobal(n *plan.Node) bool {
	for len(n.Parents) > 0 {
		n = n.Parents[0]
	}
	return w.globals[n.Name] != nil
}

func (t *Topology) addGlobal(id int32, g *plan.Global) {
	names := globalNames{g.Nodes[0].Name, g.Nodes[1].Name, g.Store.Name, g.Topic.Name}
	if g.Nodes[1].New == nil { // filled with the topic's bytes
		g.Nodes = g.Nodes[:1]
		g.Nodes[0].Children = nil
	}
	t.plan.Globals = append(t.plan.Globals, g)
	t.globals = append(t.globals, names)
	t.order = append(t.order, group{id: id, global: &names})
}

// copartition gives each sub-topology the groups of topics that need the same number of
// partitions; groups with a common topic are one.
func (w *writer) copartition(subs map[string]*plan.Sub) {
	for _, sources := range w.b.copartitioned {
		var sub *plan.Sub
		var topics []plan.Topic
		for _, name := range sources {
			n := w.byName[w.resolve(name)]
			if n == nil || n.Kind != plan.SourceNode {
				continue
			}
			sub = subs[w.groups.root(n.Name)]
			for _, t := range n.Topics {
				if !slices.Contains(topics, t) {
					topics = append(topics, t)
				}
			}
		}
		if sub != nil && len(topics) > 1 {
			sub.Copartitioned = joinGroup(sub.Copartitioned, topics)
		}
	}
}

func joinGroup(all [][]plan.Topic, topics []plan.Topic) [][]plan.Topic {
	var rest [][]plan.Topic
	for _, g := range all {
		if !slices.ContainsFunc(g, func(t plan.Topic) bool { return slices.Contains(topics, t) }) {
			rest = append(rest, g)
			continue
		}
		for _, t := range g {
			if !slices.Contains(topics, t) {
				topics = append(topics, t)
			}
		}
	}
	return append(rest, topics)
}

// check finds what is wrong with the whole.
func (w *writer) check() {
	if len(w.nodes) == 0 && len(w.problems) == 0 {
		w.problem("it is empty: begin with From, TableFrom or GlobalTableFrom")
	}
	for _, s := range w.stores {
		if !s.Global && len(w.users[s.Name]) == 0 {
			w.problem("store %s is used by no processor; name it in the option Using", s.Name)
		}
	}
	w.checkPartitions()
}

// checkPartitions: repartition topics that are joined have one number of partitions.
func (w *writer) checkPartitions() {
	for _, sources := range w.b.copartitioned {
		numbers := map[int32]string{}
		var said []string
		for _, name := range sources {
			n := w.byName[w.resolve(name)]
			if n == nil {
				continue
			}
			for _, t := range n.Topics {
				if t.Partitions > 0 && numbers[t.Partitions] == "" {
					numbers[t.Partitions] = t.Name
					said = append(said, t.Name)
				}
			}
		}
		if len(numbers) > 1 {
			w.problem("topics %s are joined, but Partitions gives them different numbers", strings.Join(said, " and "))
		}
	}
}
