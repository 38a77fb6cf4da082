package connectors_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/console/connectors"
)

// The engine asks any Kafka Connect.
func Example() {
	connect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"orders": {
			"info": {"name": "orders", "type": "source", "config": {"connector.class": "io.example.Orders"}},
			"status": {"connector": {"state": "RUNNING", "worker_id": "w1"}, "tasks": [{"id": 0, "state": "FAILED", "worker_id": "w2", "trace": "no disk\n at x"}]}}}`)
	}))
	defer connect.Close()
	engine, err := connectors.New(connectors.Config{URL: connect.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := engine.Connectors(context.Background())
	for _, one := range list.Items {
		fmt.Println(one.Name, one.State, one.Workers, one.Problem, err)
	}
	// Output: orders FAILED [w1 w2] no disk <nil>
}
