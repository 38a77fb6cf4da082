package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Graph is a topology for pictures of it. Topics have the names that the topology gives
// them: those of the application itself without its id before them.
type Graph struct {
	Nodes  []GraphNode  `json:"nodes"`
	Edges  []GraphEdge  `json:"edges"`
	Stores []GraphStore `json:"stores"`
	Topics []GraphTopic `json:"topics"`
}

// GraphNode is a source, processor or sink.
type GraphNode struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // Source, Processor or Sink
	Sub  int32  `json:"sub"`  // number of its sub-topology
	// Global nodes fill a store that every process has all of.
	Global bool     `json:"global,omitempty"`
	Topics []string `json:"topics,omitempty"` // it reads, or writes
	Stores []string `json:"stores,omitempty"` // it uses
}

// GraphEdge leads from a node to what follows.
type GraphEdge struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// GraphStore is a store.
type GraphStore struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"` // key-value, window, session, versioned
	Sub        int32  `json:"sub"`
	Persistent bool   `json:"persistent"`
	Logged     bool   `json:"logged"`
	Global     bool   `json:"global,omitempty"`
}

// GraphTopic is a topic that nodes read or write.
type GraphTopic struct {
	Name string `json:"name"`
	// Internal topics are made by the application, for repartitioning.
	Internal bool `json:"internal,omitempty"`
}

// Graph is the topology as nodes and edges.
func (t *Topology) Graph() Graph {
	g := &graphing{seen: map[plan.Topic]bool{}}
	for _, sub := range t.plan.Subs {
		for _, n := range sub.Nodes {
			g.node(n, sub.ID, false)
		}
		for _, s := range sub.Stores {
			g.store(s, sub.ID)
		}
	}
	for _, in := range t.order {
		if in.global != nil {
			g.global(t.globalOf(in.global.source), *in.global, in.id)
		}
	}
	return g.Graph
}

func (t *Topology) globalOf(source string) *plan.Global {
	for _, g := range t.plan.Globals {
		if g.Nodes[0].Name == source {
			return g
		}
	}
	return nil
}

// graphing gathers a Graph.
type graphing struct {
	Graph
	seen map[plan.Topic]bool
}

func (g *graphing) node(n *plan.Node, sub int32, global bool) {
	out := GraphNode{Name: n.Name, Kind: string(n.Kind), Sub: sub, Global: global, Topics: topicNames(n)}
	for _, s := range n.Stores {
		out.Stores = append(out.Stores, s.Name)
	}
	g.Nodes = append(g.Nodes, out)
	for _, c := range n.Children {
		g.Edges = append(g.Edges, GraphEdge{n.Name, c.Name})
	}
	for _, t := range n.Topics {
		t.Partitions = 0
		if !g.seen[t] {
			g.seen[t] = true
			g.Topics = append(g.Topics, GraphTopic{t.Described(), t.Repartition})
		}
	}
}

func (g *graphing) store(s *plan.Store, sub int32) {
	g.Stores = append(g.Stores, GraphStore{Name: s.Name, Kind: s.Kind, Sub: sub, Persistent: s.Persistent, Logged: s.Logged, Global: s.Global})
}

// global has both nodes of a global store, also where the topic's bytes fill it.
func (g *graphing) global(of *plan.Global, names globalNames, id int32) {
	for _, n := range of.Nodes {
		g.node(n, id, true)
	}
	if len(of.Nodes) == 1 {
		g.Nodes = append(g.Nodes, GraphNode{Name: names.processor, Kind: string(plan.ProcessorNode), Sub: id, Global: true, Stores: []string{names.store}})
		g.Edges = append(g.Edges, GraphEdge{names.source, names.processor})
	}
	g.store(of.Store, id)
}
