// Package graph places the nodes of a drawing. It knows neither what they mean nor
// how they look: the same nodes always get the same places.
package graph

import (
	"cmp"
	"fmt"
	"slices"
)

// Node is what is to be drawn.
type Node struct {
	ID string
	// Parents are nodes it follows from; unknown ones are left out.
	Parents []string
	// Lane is the column it stands in: a service, the log.
	Lane string
}

// Size has the measures of a drawing, in pixels.
type Size struct {
	Width, Height int // of a node
	GapX, GapY    int // between nodes
	Margin, Head  int // around all, and above for the lanes' names
}

// Drawing is where everything goes.
type Drawing struct {
	Width, Height int
	Lanes         []Lane
	Boxes         []Box // in the order of the nodes
	Edges         []Edge
}

// Lane is a column with its name, a frame around its boxes.
type Lane struct {
	Name                string
	X, Y, Width, Height int
}

// Box is a node's place: its left upper corner.
type Box struct {
	ID   string
	X, Y int
}

// Edge goes from a parent to a node; Path is the d attribute of an SVG path.
type Edge struct {
	From, To       string
	Path           string
	LabelX, LabelY int
}

// Flow draws nodes downwards: each below all of its parents, each in its lane.
// Lanes come in the order given, those not named after them as they appear.
func Flow(nodes []Node, lanes []string, s Size) Drawing {
	layer := layers(nodes)
	lanes = lanesOf(nodes, lanes)
	slot, widest := slots(nodes, layer, lanes)

	d := Drawing{Height: s.Head + 2*s.Margin}
	left := map[string]int{}
	x := s.Margin
	for _, name := range lanes {
		width := widest[name]*(s.Width+s.GapX) - s.GapX
		d.Lanes = append(d.Lanes, Lane{Name: name, X: x - s.pad(), Y: frame, Width: width + 2*s.pad()})
		left[name] = x
		x += width + 2*s.GapX
	}
	d.Width = max(0, x-2*s.GapX) + s.Margin
	for i, n := range nodes {
		b := Box{ID: n.ID, X: left[n.Lane] + slot[i]*(s.Width+s.GapX), Y: s.Margin + s.Head + layer[i]*(s.Height+s.GapY)}
		d.Boxes = append(d.Boxes, b)
		d.Height = max(d.Height, b.Y+s.Height+s.Margin)
	}
	for i := range d.Lanes {
		d.Lanes[i].Height = d.Height - 2*frame
	}
	d.Edges = edges(nodes, d.Boxes, func(from, to Box) Edge { return down(from, to, s) })
	return d
}

// frame is what lies above and below the lanes' frames.
const frame = 4

// pad is between a lane's frame and its boxes: what leaves room around all, and between lanes.
func (s Size) pad() int { return max(0, min(s.Margin-2, s.GapX*3/4)) }

// layers is the length of the longest way to each node. A circle, which only
// broken data has, is cut where it closes.
func layers(nodes []Node) []int {
	index := indexOf(nodes)
	layer := make([]int, len(nodes))
	state := make([]int, len(nodes)) // 0 not seen, 1 under way, 2 done
	var visit func(i int)
	visit = func(i int) {
		state[i] = 1
		for _, p := range nodes[i].Parents {
			j, ok := index[p]
			if !ok || state[j] == 1 {
				continue
			}
			if state[j] == 0 {
				visit(j)
			}
			layer[i] = max(layer[i], layer[j]+1)
		}
		state[i] = 2
	}
	for i := range nodes {
		if state[i] == 0 {
			visit(i)
		}
	}
	return layer
}

// slots puts nodes that share lane and layer side by side, and says how many the
// fullest layer of each lane has.
func slots(nodes []Node, layer []int, lanes []string) ([]int, map[string]int) {
	type cell struct {
		lane  string
		layer int
	}
	used, widest := map[cell]int{}, map[string]int{}
	slot := make([]int, len(nodes))
	for _, name := range lanes {
		widest[name] = 1
	}
	for i, n := range nodes {
		c := cell{n.Lane, layer[i]}
		slot[i] = used[c]
		used[c]++
		widest[n.Lane] = max(widest[n.Lane], used[c])
	}
	return slot, widest
}

func lanesOf(nodes []Node, first []string) []string {
	present := map[string]bool{}
	for _, n := range nodes {
		present[n.Lane] = true
	}
	var lanes []string
	for _, name := range first {
		if present[name] && !slices.Contains(lanes, name) {
			lanes = append(lanes, name)
		}
	}
	for _, n := range nodes {
		if !slices.Contains(lanes, n.Lane) {
			lanes = append(lanes, n.Lane)
		}
	}
	return lanes
}

// down leaves a box at the bottom and enters the next at the top. Where there are layers
// between, it passes them in the gap beside the column, not behind boxes that it has nothing to
// do with.
func down(from, to Box, s Size) Edge {
	x1, y1, x2, y2 := from.X+s.Width/2, from.Y+s.Height, to.X+s.Width/2, to.Y
	if y2-y1 > s.GapY {
		x, top, bottom := to.X-min(s.GapX, s.Margin)/2, y1+s.GapY, y2-s.GapY
		return Edge{
			Path: fmt.Sprintf("M%d %dC%d %d %d %d %d %dL%d %dC%d %d %d %d %d %d",
				x1, y1, x1, top, x, y1, x, top, x, bottom, x, y2, x2, bottom, x2, y2),
			LabelX: x, LabelY: (top + bottom) / 2,
		}
	}
	bend := min(s.GapY, max(12, (y2-y1)/2))
	return Edge{
		Path:   fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1, y1+bend, x2, y2-bend, x2, y2),
		LabelX: (x1 + x2) / 2, LabelY: (y1 + y2) / 2,
	}
}

// Columns draws nodes from left to right, lane by lane; within a lane they are
// moved next to what they are joined with.
func Columns(nodes []Node, lanes []string, s Size) Drawing {
	if len(nodes) == 0 {
		return Drawing{Width: 2 * s.Margin, Height: 2*s.Margin + s.Head}
	}
	lanes = lanesOf(nodes, lanes)
	rows := arrange(nodes, lanes)
	tallest := 0
	for _, row := range rows {
		tallest = max(tallest, len(row))
	}
	d := Drawing{
		Width:  2*s.Margin + len(lanes)*(s.Width+s.GapX) - s.GapX,
		Height: 2*s.Margin + s.Head + tallest*(s.Height+s.GapY) - s.GapY,
		Boxes:  make([]Box, len(nodes)),
	}
	for column, row := range rows {
		x := s.Margin + column*(s.Width+s.GapX)
		d.Lanes = append(d.Lanes, Lane{Name: lanes[column], X: x, Y: frame, Width: s.Width, Height: d.Height - 2*frame})
		indent := (tallest - len(row)) * (s.Height + s.GapY) / 2
		for r, i := range row {
			d.Boxes[i] = Box{ID: nodes[i].ID, X: x, Y: s.Margin + s.Head + indent + r*(s.Height+s.GapY)}
		}
	}
	d.Edges = edges(nodes, d.Boxes, func(from, to Box) Edge { return across(from, to, s) })
	return d
}

// arrange orders each lane by the mean place of its neighbours in the lane before,
// there and back twice.
func arrange(nodes []Node, lanes []string) [][]int {
	rows := make([][]int, len(lanes))
	place := make([]float64, len(nodes))
	neighbours := make([][]int, len(nodes))
	index := indexOf(nodes)
	for i, n := range nodes {
		lane := slices.Index(lanes, n.Lane)
		place[i] = float64(len(rows[lane]))
		rows[lane] = append(rows[lane], i)
		for _, p := range n.Parents {
			if j, ok := index[p]; ok {
				neighbours[i], neighbours[j] = append(neighbours[i], j), append(neighbours[j], i)
			}
		}
	}
	for range 2 {
		for _, row := range slices.Concat(rows, reversed(rows)) {
			settle(nodes, row, neighbours, place)
		}
	}
	return rows
}

// settle sorts one lane, in place.
func settle(nodes []Node, row []int, neighbours [][]int, place []float64) {
	wish := map[int]float64{}
	for _, i := range row {
		wish[i] = place[i]
		sum, n := 0.0, 0
		for _, j := range neighbours[i] {
			if nodes[j].Lane != nodes[i].Lane {
				sum, n = sum+place[j], n+1
			}
		}
		if n > 0 {
			wish[i] = sum / float64(n)
		}
	}
	slices.SortStableFunc(row, func(a, b int) int { return cmp.Compare(wish[a], wish[b]) })
	for r, i := range row {
		place[i] = float64(r)
	}
}

func reversed(rows [][]int) [][]int {
	back := slices.Clone(rows)
	slices.Reverse(back)
	return back
}

// across leaves a box at the right and enters the next at the left.
func across(from, to Box, s Size) Edge {
	x1, y1, x2, y2 := from.X+s.Width, from.Y+s.Height/2, to.X, to.Y+s.Height/2
	middle := (x1 + x2) / 2
	return Edge{
		Path:   fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, middle, y1, middle, y2, x2, y2),
		LabelX: middle, LabelY: (y1 + y2) / 2,
	}
}

func edges(nodes []Node, boxes []Box, line func(from, to Box) Edge) []Edge {
	index := indexOf(nodes)
	var all []Edge
	for i, n := range nodes {
		for _, p := range n.Parents {
			if j, ok := index[p]; ok && j != i {
				e := line(boxes[j], boxes[i])
				e.From, e.To = p, n.ID
				all = append(all, e)
			}
		}
	}
	return all
}

func indexOf(nodes []Node) map[string]int {
	index := make(map[string]int, len(nodes))
	for i, n := range nodes {
		index[n.ID] = i
	}
	return index
}
