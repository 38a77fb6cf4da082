package avro_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/connect/converter/avro"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

func Example() {
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("registered:", r.URL.Path)
		fmt.Fprint(w, `{"id": 1}`) // it stands for a registry
	}))
	defer registry.Close()
	c, err := client.New(client.Config{URLs: []string{registry.URL}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	values, err := avro.New(avro.Config{Registry: c})
	if err != nil {
		fmt.Println(err)
		return
	}
	row := data.StructOf("shop.Row", data.Field{Name: "id", Schema: data.Of(data.Int32)}, data.Field{Name: "note", Schema: data.OptionalOf(data.String)})
	value := data.NewStruct(row)
	value.Values = []any{int32(7), "hi"}
	b, err := values.Encode("shop.rows", row, value)
	fmt.Printf("% x %v\n", b, err)
	// Output:
	// registered: /subjects/shop.rows-value/versions
	// 00 00 00 00 01 0e 02 04 68 69 <nil>
}
