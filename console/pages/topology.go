package pages

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/pages/graph"
	"github.com/pabal-dev/pabal/streams"
)

var topologySize = graph.Size{Width: 226, Height: 54, GapX: 22, GapY: 30, Margin: 16, Head: 30}

// topologyGraph is the drawing of a topology: one column for each sub-topology.
type topologyGraph struct {
	graph.Drawing
	Application string
	Size        graph.Size
	Nodes       []topologyNode
	Left        int // nodes that are not drawn
}

// topologyNode is one box: a source, processor, sink, topic or store.
type topologyNode struct {
	graph.Box
	Kind, Name, Short, Lane string
	// Label is its rate, or the size of a store; Busy says that records pass it now.
	Label string
	Busy  bool
	// Full is a topic's name.
	Full string
	// Links are what follows it.
	Links []string
}

// topologyOf draws an application's topology, with what passes its nodes at the moment.
func topologyOf(a api.StreamsApp) topologyGraph {
	d := drawnTopology{app: a, parents: map[string][]string{}, index: map[string]int{}}
	d.Size, d.Application = topologySize, a.Application
	if a.Topology == nil {
		return d.topologyGraph
	}
	d.add(a.Topology.Graph)
	nodes := make([]graph.Node, len(d.Nodes))
	for i, n := range d.Nodes {
		nodes[i] = graph.Node{ID: n.ID, Lane: n.Lane, Parents: d.parents[n.ID]}
		for _, p := range d.parents[n.ID] {
			if j, ok := d.index[p]; ok && !slices.Contains(d.Nodes[j].Links, n.Name) {
				d.Nodes[j].Links = append(d.Nodes[j].Links, n.Name)
			}
		}
	}
	if d.Left = max(0, len(nodes)-mostDrawn); d.Left > 0 {
		nodes = nodes[:mostDrawn]
	}
	d.Drawing = graph.Flow(nodes, nil, topologySize)
	for i, b := range d.Boxes {
		d.Nodes[i].Box = b
	}
	return d.topologyGraph
}

// Drawn are the nodes of the picture; the table has all.
func (g topologyGraph) Drawn() []topologyNode { return g.Nodes[:len(g.Boxes)] }

type drawnTopology struct {
	topologyGraph
	app     api.StreamsApp
	parents map[string][]string
	index   map[string]int
}

// padding of the numbers of generated names, which a box has no room for.
var padding = regexp.MustCompile(`-0+(\d)`)

func (d *drawnTopology) node(id string, n topologyNode) {
	if _, ok := d.index[id]; ok {
		return
	}
	n.ID, n.Short = id, short(21, padding.ReplaceAllString(n.Name, "-$1"))
	d.index[id] = len(d.Nodes)
	d.Nodes = append(d.Nodes, n)
}

func (d *drawnTopology) edge(from, to string) { d.parents[to] = append(d.parents[to], from) }

func (d *drawnTopology) add(g streams.Graph) {
	totals := d.app.StoreTotals()
	internal := map[string]bool{}
	for _, t := range g.Topics {
		internal[t.Name] = t.Internal
	}
	topic := func(name, lane string) string {
		full := strings.TrimSuffix(d.app.Application, d.app.ID)
		if internal[name] {
			full = d.app.Application + "-"
		}
		d.node("t:"+name, topologyNode{Kind: "topic", Name: name, Full: full + name, Lane: lane})
		return "t:" + name
	}
	for _, n := range g.Nodes { // what is read stands above its reader
		if n.Kind == "Source" {
			for _, t := range n.Topics {
				d.edge(topic(t, subLane(n)), "n:"+n.Name)
			}
		}
	}
	for _, n := range g.Nodes {
		rate := d.app.Node(n.Name)
		d.node("n:"+n.Name, topologyNode{Kind: strings.ToLower(n.Kind), Name: n.Name, Lane: subLane(n), Busy: rate.Rate > 0,
			Label: fmt.Sprintf("%.1f/s · %s", rate.Rate, number(rate.Count))})
		for _, s := range n.Stores {
			label := ""
			for _, t := range totals {
				if t.Name == s && t.Keys >= 0 {
					label = plural(t.Keys, "key")
				}
			}
			d.node("s:"+s, topologyNode{Kind: "store", Name: s, Lane: subLane(n), Label: label})
			d.edge("n:"+n.Name, "s:"+s)
		}
		if n.Kind == "Sink" {
			for _, t := range n.Topics {
				d.edge("n:"+n.Name, topic(t, subLane(n)))
			}
		}
	}
	for _, e := range g.Edges {
		d.edge("n:"+e.From, "n:"+e.To)
	}
}

func subLane(n streams.GraphNode) string {
	if n.Global {
		return "Global, in every instance"
	}
	return fmt.Sprintf("Sub-topology %d", n.Sub)
}
