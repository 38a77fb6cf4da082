package pages

import (
	"cmp"
	"fmt"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/pages/graph"
)

// mostDrawn bounds the graph; the table has every hop.
const mostDrawn = 150

var flowSize = graph.Size{Width: 164, Height: 54, GapX: 10, GapY: 34, Margin: 10, Head: 34}

// flow is the graph of a transaction.
type flow struct {
	graph.Drawing
	Size  graph.Size
	Right int // where a box's state ends, from its left edge
	Boxes []flowBox
	Lines []flowLine
	Left  int // hops that are not drawn
}

type flowBox struct {
	graph.Box
	Step step
	// Texts are cut to what fits.
	Head, Text string
}

type flowLine struct {
	graph.Edge
	Late   bool
	Label  string
	Margin int // half the label's width
}

func flowOf(t api.Trace, steps []step) flow {
	f := flow{Size: flowSize, Right: flowSize.Width - 10}
	if len(steps) > mostDrawn {
		f.Left, steps = len(steps)-mostDrawn, steps[:mostDrawn]
	}
	if len(steps) == 0 {
		return f
	}
	nodes := make([]graph.Node, len(steps))
	byID := map[string]step{}
	for i, s := range steps {
		nodes[i] = graph.Node{ID: s.ID, Parents: s.Parents, Lane: s.Lane}
		byID[s.ID] = s
	}
	f.Drawing = graph.Flow(nodes, []string{steps[0].Lane, logLane}, flowSize)
	for i, b := range f.Drawing.Boxes {
		s := steps[i]
		f.Boxes = append(f.Boxes, flowBox{b, s, boxHead(s), short(25, boxText(s))})
	}
	for _, e := range f.Drawing.Edges {
		to := byID[e.To]
		line := flowLine{Edge: e, Late: to.Late, Label: micros(to.LatencyMicros)}
		if to.LatencyMicros < 0 {
			line.Label = words(to.State)
		}
		line.Margin = len([]rune(line.Label))*7/2 + 6
		f.Lines = append(f.Lines, line)
	}
	return f
}

// boxHeads are short, to leave room for the state.
var boxHeads = map[api.HopKind]string{api.HopOutbox: "Outbox", api.HopRecord: "Log", api.HopConsume: "Consumer", api.HopAnswer: "Answer"}

// boxHead is the first line of a box: what it is, and for a record where in its topic.
func boxHead(s step) string {
	if s.Kind == api.HopRecord && s.InLog() && !s.Late {
		return short(18, fmt.Sprintf("Log [%d]@%d", *s.Partition, *s.Offset))
	}
	return short(11, cmp.Or(boxHeads[s.Kind], s.Name))
}

// boxText is the second line of a box: the event's type, for a record its topic, for a
// consumer its name.
func boxText(s step) string {
	switch s.Kind {
	case api.HopConsume:
		return cmp.Or(s.Where, s.Type())
	case api.HopRecord:
		return cmp.Or(s.Topic, s.Type())
	}
	return cmp.Or(s.Type(), s.Where)
}
