package testenv

import (
	"errors"
	"testing"

	"github.com/pabal-dev/pabal/internal/testservers"
)

// StartKafkaCluster starts an Apache Kafka of three nodes for this test alone,
// to kill and restart one by one. It takes many seconds and nearly 1 GB of
// memory; settings are lines of server.properties. It is closed with the test.
func StartKafkaCluster(t testing.TB, settings ...string) []*testservers.Server {
	t.Helper()
	nodes, err := testservers.StartKafkaCluster(t.Context(), settings...)
	if errors.Is(err, testservers.ErrMissing) {
		missing(t, "kafka", "Apache Kafka", "run scripts/install-test-servers ("+err.Error()+")")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range nodes {
		t.Cleanup(func() { closeOwn(t, node) })
	}
	return nodes
}
