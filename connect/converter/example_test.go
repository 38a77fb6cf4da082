package converter_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

// The same value as JSON with its schema, and without.
func ExampleJSON() {
	s := data.StructOf("key", data.Field{Name: "id", Schema: data.Of(data.Int32)})
	key := &data.Struct{Schema: s, Values: []any{int32(7)}}
	for _, c := range []*converter.JSON{{Schemas: true}, {}} {
		b, err := c.Encode("orders", s, key)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(b))
	}
	// Output:
	// {"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":false,"name":"key"},"payload":{"id":7}}
	// {"id":7}
}
