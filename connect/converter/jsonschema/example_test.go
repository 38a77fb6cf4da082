package jsonschema_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/connect/converter/jsonschema"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

func Example() {
	// It stands for a registry, such as that of `pabal up` on http://127.0.0.1:8081.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprint(w, `{"id": 1}`)
	}))
	defer server.Close()
	registry, err := client.New(client.Config{URLs: []string{server.URL}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer registry.Close()
	c, err := jsonschema.New(jsonschema.Config{Registry: registry})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := data.StructOf("Order", data.Field{Name: "id", Schema: data.Of(data.String)})
	order := data.NewStruct(s)
	order.Values[0] = "a"
	b, err := c.Encode("orders", s, order)
	fmt.Printf("%q %v\n", b, err)
	// Output:
	// POST /subjects/orders-value/versions
	// "\x00\x00\x00\x00\x01{\"id\":\"a\"}" <nil>
}
