package graph

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

var size = Size{Width: 100, Height: 40, GapX: 20, GapY: 10, Margin: 5, Head: 30}

// boxes returns the places by id.
func boxes(d Drawing) map[string]Box {
	all := map[string]Box{}
	for _, b := range d.Boxes {
		all[b.ID] = b
	}
	return all
}

// sound fails where boxes overlap, leave the drawing, or edges have no ends.
func sound(t *testing.T, nodes []Node, d Drawing) {
	t.Helper()
	if len(d.Boxes) != len(nodes) {
		t.Fatalf("%d boxes for %d nodes", len(d.Boxes), len(nodes))
	}
	for i, a := range d.Boxes {
		if a.ID != nodes[i].ID {
			t.Fatalf("box %d is %q, want %q", i, a.ID, nodes[i].ID)
		}
		if a.X < size.Margin || a.Y < size.Margin+size.Head || a.X+size.Width+size.Margin > d.Width || a.Y+size.Height+size.Margin > d.Height {
			t.Errorf("%+v is not within %d × %d", a, d.Width, d.Height)
		}
		for _, b := range d.Boxes[:i] {
			if abs(a.X-b.X) < size.Width && abs(a.Y-b.Y) < size.Height {
				t.Errorf("%+v overlaps %+v", a, b)
			}
		}
		lane := slices.IndexFunc(d.Lanes, func(l Lane) bool { return l.Name == nodes[i].Lane })
		if lane < 0 {
			t.Fatalf("no lane %q", nodes[i].Lane)
		}
		if l := d.Lanes[lane]; a.X < l.X || a.X+size.Width > l.X+l.Width {
			t.Errorf("%+v is not in its lane %+v", a, l)
		}
	}
	at := boxes(d)
	for _, e := range d.Edges {
		_, from := at[e.From]
		_, to := at[e.To]
		if !from || !to || e.Path == "" {
			t.Errorf("edge %+v has an end that is not drawn", e)
		}
	}
	for i := 1; i < len(d.Lanes); i++ {
		if d.Lanes[i].X < d.Lanes[i-1].X+d.Lanes[i-1].Width {
			t.Errorf("lanes %+v and %+v overlap", d.Lanes[i-1], d.Lanes[i])
		}
	}
}

func abs(n int) int { return max(n, -n) }

func TestFlow(t *testing.T) {
	nodes := []Node{
		{ID: "request", Lane: "order"},
		{ID: "row", Lane: "order", Parents: []string{"request"}},
		{ID: "record", Lane: "Kafka", Parents: []string{"row"}},
		{ID: "paid", Lane: "payment", Parents: []string{"record"}},
		{ID: "reserved", Lane: "stock", Parents: []string{"record"}},
		{ID: "again", Lane: "stock", Parents: []string{"record"}},
		{ID: "done", Lane: "order", Parents: []string{"reserved", "row", "nobody"}},
	}
	d := Flow(nodes, []string{"Kafka", "absent", "order", "Kafka"}, size)
	sound(t, nodes, d)
	var lanes []string
	for _, l := range d.Lanes {
		lanes = append(lanes, l.Name)
	}
	if want := []string{"Kafka", "order", "payment", "stock"}; !slices.Equal(lanes, want) {
		t.Errorf("lanes %q, want %q", lanes, want)
	}
	at := boxes(d)
	if at["reserved"].Y != at["again"].Y || at["reserved"].X >= at["again"].X {
		t.Errorf("two of a lane and a layer stand at %+v and %+v, not side by side", at["reserved"], at["again"])
	}
	if at["done"].Y <= at["reserved"].Y || at["done"].Y <= at["row"].Y {
		t.Errorf("%+v is not below all of its parents", at["done"])
	}
	if len(d.Edges) != 7 { // the one from nobody is left out
		t.Errorf("%d edges: %+v", len(d.Edges), d.Edges)
	}
}

// TestFlowPassesBesideBoxes: a line that skips layers touches only its own ends.
func TestFlowPassesBesideBoxes(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 9))
	skipping := 0
	for range 200 {
		nodes := random(r, false)
		d := Flow(nodes, nil, size)
		at := boxes(d)
		for _, e := range d.Edges {
			from, to := at[e.From], at[e.To]
			if to.Y-from.Y <= size.Height+size.GapY {
				continue
			}
			skipping++
			var n [16]int
			if got, err := fmt.Sscanf(e.Path, "M%d %dC%d %d %d %d %d %dL%d %dC%d %d %d %d %d %d",
				&n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &n[9], &n[10], &n[11], &n[12], &n[13], &n[14], &n[15]); got != 16 {
				t.Fatalf("%s to %s is %q: %v", e.From, e.To, e.Path, err)
			}
			if n[6] < 0 || n[6] != n[8] || n[7] > n[9] {
				t.Fatalf("%q does not go down", e.Path)
			}
			for _, b := range d.Boxes {
				beside := n[6] < b.X || n[6] > b.X+size.Width
				if above, below := n[7] < b.Y, n[9] > b.Y+size.Height; !beside && above && below {
					t.Fatalf("%s to %s, %q, passes behind %+v", e.From, e.To, e.Path, b)
				}
			}
		}
	}
	if skipping == 0 {
		t.Error("no line skips a layer")
	}
}

func TestColumns(t *testing.T) {
	nodes := []Node{
		{ID: "a", Lane: "services"}, {ID: "b", Lane: "services"},
		{ID: "of b", Lane: "topics", Parents: []string{"b"}}, {ID: "of a", Lane: "topics", Parents: []string{"a"}},
		{ID: "reader", Lane: "consumers", Parents: []string{"of a", "of b", "nobody"}},
	}
	d := Columns(nodes, []string{"services", "topics", "consumers"}, size)
	sound(t, nodes, d)
	at := boxes(d)
	if (at["a"].Y < at["b"].Y) != (at["of a"].Y < at["of b"].Y) {
		t.Errorf("the lines cross: %+v", d.Boxes)
	}
	for _, e := range d.Edges {
		if at[e.From].X+size.Width >= at[e.To].X {
			t.Errorf("%+v does not go to the right", e)
		}
	}
}

// random nodes; parents of a node come before it where circles is false.
func random(r *rand.Rand, circles bool) []Node {
	nodes := make([]Node, r.IntN(40))
	for i := range nodes {
		nodes[i] = Node{ID: fmt.Sprint("n", i), Lane: fmt.Sprint("lane", r.IntN(5))}
		for range r.IntN(4) {
			switch {
			case circles:
				nodes[i].Parents = append(nodes[i].Parents, fmt.Sprint("n", r.IntN(len(nodes)+3)))
			case i > 0:
				nodes[i].Parents = append(nodes[i].Parents, fmt.Sprint("n", r.IntN(i)))
			}
		}
	}
	r.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	return nodes
}

func TestRandomGraphs(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		nodes := random(r, false)
		flow, columns := Flow(nodes, []string{"lane3"}, size), Columns(nodes, nil, size)
		sound(t, nodes, flow)
		sound(t, nodes, columns)
		at := boxes(flow)
		for _, n := range nodes {
			for _, p := range n.Parents {
				if at[p].Y+size.Height >= at[n.ID].Y {
					t.Errorf("%q is not below its parent %q", n.ID, p)
				}
			}
		}
		if !reflect.DeepEqual(flow, Flow(nodes, []string{"lane3"}, size)) || !reflect.DeepEqual(columns, Columns(nodes, nil, size)) {
			t.Error("the same nodes got other places")
		}
		if t.Failed() {
			t.Fatalf("nodes %+v", nodes)
		}
	}
}

// TestBrokenData: circles, parents that are not there and the like neither hang nor
// panic, and nothing overlaps.
func TestBrokenData(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	for range 300 {
		nodes := random(r, true)
		sound(t, nodes, Flow(nodes, nil, size))
		sound(t, nodes, Columns(nodes, nil, size))
		if t.Failed() {
			t.Fatalf("nodes %+v", nodes)
		}
	}
	itself := []Node{{ID: "a", Parents: []string{"a", "", "a"}}, {ID: "", Parents: []string{"a"}}, {ID: "a"}}
	sound(t, itself, Flow(itself, nil, size))
	sound(t, itself, Columns(itself, nil, size))
}

func TestNothing(t *testing.T) {
	for name, d := range map[string]Drawing{"flow": Flow(nil, []string{"a"}, size), "columns": Columns(nil, []string{"a"}, size)} {
		if d.Width < 0 || d.Height < 0 || len(d.Boxes)+len(d.Edges)+len(d.Lanes) > 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestLongChain: ten thousand hops, one after the other, are no matter.
func TestLongChain(t *testing.T) {
	nodes := make([]Node, 10_000)
	for i := range nodes {
		nodes[i] = Node{ID: fmt.Sprint(i), Parents: []string{fmt.Sprint(i + 1)}} // from the last to the first
	}
	d := Flow(nodes, nil, size)
	if top, bottom := d.Boxes[len(nodes)-1], d.Boxes[0]; top.Y != size.Margin+size.Head || bottom.Y != top.Y+(len(nodes)-1)*(size.Height+size.GapY) {
		t.Errorf("from %+v to %+v", top, bottom)
	}
}
