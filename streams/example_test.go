package streams_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

type order struct{ Customer, Item string }

// Orders get the name of the customer, and are counted by item. An App runs the same topology
// with Kafka.
func Example() {
	b := streams.NewBuilder()
	orders := streams.From(b, "orders", serde.String(), serde.JSON[order]())
	customers := streams.TableFrom(b, "customers", serde.String(), serde.String(), streams.Materialized("customers-store"))

	byCustomer := streams.SelectKey(orders, func(_ string, o order) string { return o.Customer }, serde.String())
	label := func(o order, name string) string { return name + " bought " + o.Item }
	streams.JoinTable(byCustomer, customers, label, serde.String()).To("labelled")

	byItem := streams.GroupBy(orders, func(_ string, o order) string { return o.Item }, serde.String())
	streams.Count(byItem, streams.Materialized("items")).ToStream().To("item-counts")

	topology, err := b.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	d := streamstest.New(&exampleTest{}, topology)
	streamstest.Input(d, "customers", serde.String(), serde.String()).Pipe("c1", "Ada", time.UnixMilli(1))
	in := streamstest.Input(d, "orders", serde.String(), serde.JSON[order]())
	in.Pipe("o1", order{"c1", "tea"}, time.UnixMilli(2))
	in.Pipe("o2", order{"c2", "tea"}, time.UnixMilli(3)) // nobody knows c2

	for _, r := range streamstest.Output(d, "labelled", serde.String(), serde.String()).ReadAll() {
		fmt.Println(r.Key, r.Value)
	}
	for _, r := range streamstest.Output(d, "item-counts", serde.String(), serde.Int64()).ReadAll() {
		fmt.Println(r.Key, r.Value, r.Timestamp)
	}
	// Output:
	// c1 Ada bought tea
	// tea 1 2
	// tea 2 3
}

// What is wrong with a topology is said at once.
func ExampleBuilder_Build() {
	b := streams.NewBuilder()
	lines := streams.From(b, "lines", serde.String(), serde.String())
	lines.Filter(nil, streams.Named("long")).To("no spaces")
	_, err := b.Build()
	fmt.Println(err)
	// Output:
	// the topology cannot be built: long: no function (nil)
	// topic "no spaces": only ASCII letters, digits, '.', '_' and '-' are allowed
}

// The description is in the form of Kafka Streams'.
func ExampleTopology_Describe() {
	b := streams.NewBuilder()
	streams.From(b, "in", serde.String(), serde.String()).FilterNot(func(_, v string) bool { return v == "" }).To("out")
	topology, err := b.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(topology.Describe())
	// Output:
	// Topologies:
	//    Sub-topology: 0
	//     Source: KSTREAM-SOURCE-0000000000 (topics: [in])
	//       --> KSTREAM-FILTER-0000000001
	//     Processor: KSTREAM-FILTER-0000000001 (stores: [])
	//       --> KSTREAM-SINK-0000000002
	//       <-- KSTREAM-SOURCE-0000000000
	//     Sink: KSTREAM-SINK-0000000002 (topic: out)
	//       <-- KSTREAM-FILTER-0000000001
}

// exampleTest stands for a *testing.T.
type exampleTest struct{ testing.TB }

func (*exampleTest) Helper()                   {}
func (*exampleTest) Cleanup(func())            {}
func (*exampleTest) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (*exampleTest) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
