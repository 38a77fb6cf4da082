package record_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
)

// A CloudEvent as the console shows it.
func ExampleDecode() {
	e := event.New("order-placed", "order-1", map[string]int{"items": 2})
	e.Source = "/orders"
	m := record.Decode(kafka.ToRecord("orders", e))
	record.Cut(&m, false)
	fmt.Println(m.Topic, m.Key.Text, m.Event.Type, m.Event.Source)
	fmt.Println(m.Value.Format, m.Value.Text, m.Value.Size)
	// Output:
	// orders order-1 order-placed /orders
	// json {"items":2} 11
}

func ExampleData() {
	for _, value := range [][]byte{[]byte(`{"a":1}`), []byte("hello"), {0xff, 0x00}, nil} {
		fmt.Println(record.Data(value).Format)
	}
	// Output:
	// json
	// text
	// binary
	// null
}
