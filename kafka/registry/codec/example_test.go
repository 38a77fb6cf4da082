package codec_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

func Example() {
	// It stands for a registry, such as that of `pabal up` on http://127.0.0.1:8081.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			fmt.Println("registered:", r.URL.Path)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"id": 1, "schema": `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"cents","type":"long"}]}`,
		})
	}))
	defer server.Close()

	type Order struct {
		ID    string `avro:"id"`
		Cents int64  `avro:"cents"`
	}
	ctx := context.Background()
	c, err := client.New(client.Config{URLs: []string{server.URL}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	orders, err := codec.Avro[Order](codec.Config{Registry: c})
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := orders.Encode(ctx, "orders", Order{ID: "a", Cents: 995})
	fmt.Printf("% x %v\n", b, err)
	order, err := orders.Decode(ctx, b)
	fmt.Println(order, err)
	_, err = orders.Decode(ctx, []byte(`{"id":"a"}`))
	fmt.Println(err)
	// Output:
	// registered: /subjects/orders-value/versions
	// 00 00 00 00 01 02 61 c6 0f <nil>
	// {a 995} <nil>
	// not a record with a schema: it begins with '{', not with 0 and the id of a schema: another serializer has written it
}
