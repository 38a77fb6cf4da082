package client_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/kafka/registry/client"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"id":1,"schemaType":"AVRO","schema":"\"string\""}`) // stands for a registry
	}))
	defer server.Close()

	ctx := context.Background()
	c, err := client.New(client.Config{URLs: []string{server.URL}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	id, err := c.Register(ctx, "names-value", client.Schema{Text: `"string"`})
	if err != nil {
		fmt.Println(err)
		return
	}
	schema, err := c.ByID(ctx, id)
	fmt.Println(id, schema.Type, schema.Text, err)
	// Output: 1 AVRO "string" <nil>
}
