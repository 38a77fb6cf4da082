package cloudconfig_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/cloudconfig"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"name":"shop","profiles":["default"],"propertySources":[
			{"name":"shop.yml","source":{"server.port":9101,"greeting":"hello ${who:world}"}}]}`)
	}))
	defer server.Close()

	source, err := cloudconfig.Parse("optional:" + server.URL)
	if err != nil {
		panic(err)
	}
	source.Application = "shop"
	properties, err := source.Fetch(context.Background())
	if err != nil {
		panic(err)
	}
	greeting, _, _ := properties.Get("greeting")
	spring, _ := properties.Spring()
	fmt.Println(greeting.Text, "on port", spring.Port)
	// Output: hello world on port 9101
}
