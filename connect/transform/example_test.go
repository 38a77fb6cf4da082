package transform_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform"
)

// A connector's configuration, its problems, and a record on its way.
func Example() {
	set := plugin.Set{Transforms: transform.Plugins(), Predicates: transform.Predicates()}
	given := map[string]string{
		"transforms":             "route,mask",
		"transforms.route.type":  "org.apache.kafka.connect.transforms.RegexRouter",
		"transforms.route.regex": `shop\.public\.(`,
		"transforms.mask.type":   "org.apache.kafka.connect.transforms.MaskField$Value",
		"transforms.mask.fields": "card",
	}
	_, problems := transform.NewChain(given, set)
	for _, p := range problems {
		fmt.Println(p.Key)
	}
	given["transforms.route.regex"], given["transforms.route.replacement"] = `shop\.public\.(.*)`, "$1"
	chain, _ := transform.NewChain(given, set)

	s := data.StructOf("", data.Field{Name: "id", Schema: data.Of(data.Int32)}, data.Field{Name: "card", Schema: data.Of(data.String)})
	r := plugin.Record{Topic: "shop.public.orders", ValueSchema: s, Value: &data.Struct{Schema: s, Values: []any{int32(7), "4711"}}}
	keep, err := chain.Apply(&r)
	fmt.Printf("%s %v %q %v %v\n", r.Topic, r.Value.(*data.Struct).Get("id"), r.Value.(*data.Struct).Get("card"), keep, err)
	// Output:
	// transforms.route.regex
	// transforms.route.replacement
	// orders 7 "" true <nil>
}
