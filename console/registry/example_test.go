package registry_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/console/registry"
)

// Without a registry, a value says that it has a schema.
func ExampleDecoder() {
	d, err := registry.NewDecoder(registry.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := record.DecodeWith(context.Background(), d, &kgo.Record{Topic: "orders", Value: []byte("\x00\x00\x00\x00\x07\x02a")})
	fmt.Println(m.Value.Format, m.Value.Schema.ID, m.Value.Schema.Problem != "")
	// Output: binary 7 true
}
