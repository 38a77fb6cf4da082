package graph_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/console/pages/graph"
)

// An order's hops, drawn downwards in one column for each service.
func ExampleFlow() {
	d := graph.Flow([]graph.Node{
		{ID: "row", Lane: "orders"},
		{ID: "record", Lane: "Kafka", Parents: []string{"row"}},
		{ID: "handled", Lane: "payment", Parents: []string{"record"}},
	}, []string{"orders", "Kafka"}, graph.Size{Width: 100, Height: 40, GapX: 20, GapY: 20, Margin: 10, Head: 30})

	for _, lane := range d.Lanes {
		fmt.Println(lane.Name, "from", lane.X)
	}
	for _, box := range d.Boxes {
		fmt.Println(box.ID, box.X, box.Y)
	}
	fmt.Println(d.Edges[0].From, "to", d.Edges[0].To, d.Edges[0].Path)
	// Output:
	// orders from 2
	// Kafka from 142
	// payment from 282
	// row 10 40
	// record 150 100
	// handled 290 160
	// row to record M60 80C60 92 200 88 200 100
}

// Who writes to which topic and who reads it, from left to right.
func ExampleColumns() {
	d := graph.Columns([]graph.Node{
		{ID: "orders", Lane: "services"},
		{ID: "order-events", Lane: "topics", Parents: []string{"orders"}},
		{ID: "payment", Lane: "consumers", Parents: []string{"order-events"}},
	}, []string{"services", "topics", "consumers"}, graph.Size{Width: 100, Height: 40, GapX: 20, GapY: 20, Margin: 10, Head: 30})

	fmt.Println(d.Width, "by", d.Height)
	for _, box := range d.Boxes {
		fmt.Println(box.ID, box.X, box.Y)
	}
	// Output:
	// 360 by 90
	// orders 10 40
	// order-events 130 40
	// payment 250 40
}
