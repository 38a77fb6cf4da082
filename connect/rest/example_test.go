package rest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/file"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/rest"
	"github.com/pabal-dev/pabal/kafka"
)

// A worker that was not started tells of its plugins.
func Example() {
	w, err := connect.New(connect.Config{
		Kafka: kafka.Config{Brokers: []string{"127.0.0.1:9092"}}, ID: "127.0.0.1:8083",
		Plugins: plugin.Set{Sources: []plugin.Source{file.Source{}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	rest.New(rest.Config{Worker: w}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/connector-plugins/", nil))
	fmt.Print(answer.Body)
	// Output:
	// [{"class":"org.apache.kafka.connect.file.FileStreamSourceConnector","type":"source","version":"4.3.1"}]
}
