package systemtest

import (
	"net/http/httptest"
	"testing"

	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry"
)

// Registry serves a schema registry whose topic is in the cluster, until the test ends or stop is
// called.
func Registry(t testing.TB, cluster kafka.Config) (url string, stop func()) {
	t.Helper()
	r, err := registry.Open(t.Context(), registry.Config{Kafka: cluster, Logger: Log()})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(r.Handler())
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			s.Close()
			r.Close()
		}
	}
	t.Cleanup(stop)
	return s.URL, stop
}

// Writes is a change to a configuration: what the service writes, and where its registry is.
func Writes(codec, registry string) func(*service.Config) {
	return func(c *service.Config) { c.Codec, c.Registry = codec, []string{registry} }
}
