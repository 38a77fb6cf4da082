package registry_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/console/registry"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	schemas "github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

// env is a broker and a registry, and the console's parts over them.
type env struct {
	*testing.T
	config  kafka.Config
	url     string
	down    atomic.Bool // the registry answers nothing that makes sense
	asked   atomic.Int64
	client  *client.Client
	decoder *registry.Decoder
	cluster *cluster.Cluster
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{T: t, config: kafkatest.Start(t).Config}
	e.config.Logger = slog.New(slog.DiscardHandler)
	r, err := schemas.Open(t.Context(), schemas.Config{Kafka: e.config, Logger: e.config.Logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	handler := r.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked.Add(1)
		if e.down.Load() {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	e.url = server.URL
	if e.client, err = client.New(client.Config{URLs: []string{e.url}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.client.Close() })
	if e.decoder, err = registry.NewDecoder(registry.Patient(registry.Config{URL: e.url, Logger: e.config.Logger})); err != nil {
		t.Fatal(err)
	}
	if e.cluster, err = cluster.New(e.config, cluster.Config{Schemas: e.decoder, Logger: e.config.Logger}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.cluster.Stop(context.WithoutCancel(t.Context())) })
	return e
}

// register returns the id.
func (e *env) register(subject string, s client.Schema) byte {
	e.Helper()
	id, err := e.client.Register(e.Context(), subject, s)
	if err != nil || id > 255 {
		e.Fatalf("register under %s: %d, %v", subject, id, err)
	}
	return byte(id)
}

// wire is a record with the id of its schema.
func wire(id byte, rest string) []byte { return append([]byte{0, 0, 0, 0, id}, rest...) }

// shown is a value as the console shows it.
func (e *env) shown(d *registry.Decoder, topic string, b []byte) api.Data {
	return record.DecodeWith(e.Context(), d, &kgo.Record{Topic: topic, Value: b}).Value
}
