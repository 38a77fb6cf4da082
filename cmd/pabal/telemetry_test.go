package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestTracesGoAcrossTheServices: with a collector in the environment, one order
// is one trace through all services it concerns, each a process of its own.
func TestTracesGoAcrossTheServices(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	services := map[string]map[string]bool{} // by trace
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &request)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, from := range request.ResourceSpans {
			name := ""
			for _, a := range from.Resource.Attributes {
				if a.Key == "service.name" {
					name = a.Value.GetStringValue()
				}
			}
			for _, scope := range from.ScopeSpans {
				for _, span := range scope.Spans {
					id := string(span.TraceId)
					if services[id] == nil {
						services[id] = map[string]bool{}
					}
					services[id][name] = true
				}
			}
		}
	}))
	defer server.Close()
	cmd := process(t, demoArgs("--chaos", "--duration=1s")...) // too short for a crash
	cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	mu.Lock()
	defer mu.Unlock()
	most := map[string]bool{}
	for _, names := range services {
		if len(names) > len(most) {
			most = names
		}
	}
	if !most["order"] || !most["payment"] || !most["restaurant"] {
		t.Fatalf("%d traces; the widest goes through %v", len(services), most)
	}
}
