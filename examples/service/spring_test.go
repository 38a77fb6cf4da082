package service_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/examples/hotel"
	"github.com/pabal-dev/pabal/examples/library"
	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/examples/service"
)

// TestEveryServiceTakesSpringsNames: each program asks for its own name and takes what
// Spring calls its port, cluster, group and client.
func TestEveryServiceTakesSpringsNames(t *testing.T) {
	for _, system := range []service.System{orders.System(), hotel.System(), library.System()} {
		for _, d := range system.Definitions {
			t.Run(d.Name, func(t *testing.T) {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/"+d.Name+"/production" {
						http.NotFound(w, r)
						return
					}
					fmt.Fprintf(w, `{"propertySources":[{"name":"git","source":{
						"spring.application.name":"spring-%s","server.port":9999,"spring.kafka.bootstrap-servers[0]":"k1:9092","spring.kafka.bootstrap-servers[1]":"k2:9092",
						"spring.kafka.consumer.group-id":"spring-group","spring.kafka.consumer.value-deserializer":"org.springframework.kafka.support.serializer.JsonDeserializer",
						"pabal.topic-%s":"renamed"}}]}`, d.Name, topicOf(d))
				}))
				defer server.Close()
				var out, errs bytes.Buffer
				args := []string{"--config-server", server.URL, "--config-profile=production", "--explain-config"}
				if code := service.Command(t.Context(), d, args, &out, &errs); code != service.ExitOK {
					t.Fatalf("exit %d: %s", code, &errs)
				}
				text := strings.Join(strings.Fields(out.String()), " ")
				from := server.URL + " (git)"
				for _, want := range []string{
					"listen 127.0.0.1:9999 " + from, "kafka k1:9092,k2:9092 " + from, "group spring-group " + from,
					"kafka-client-id spring-" + d.Name + " " + from, "topic-" + topicOf(d) + " renamed " + from, "partitions 4 default",
				} {
					if !strings.Contains(text, want) {
						t.Errorf("%q is missing in:\n%s", want, &out)
					}
				}
			})
		}
	}
}

// topicOf is a topic that a service reads or writes.
func topicOf(d service.Definition) string {
	return append(append([]string{}, d.Consumes...), d.Produces...)[0]
}
