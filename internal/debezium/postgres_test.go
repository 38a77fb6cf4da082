package debezium

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestPostgresReferenceEqualsItself: what two runs of the real one do not agree on, nobody
// can be held to. One of them is on our broker.
func TestPostgresReferenceEqualsItself(t *testing.T) {
	testenv.Full(t)
	ComparePostgres(t, StartReference(t), StartReferenceInProcess(t), nil)
}

// TestPostgresEqualsDebezium has Kafka Connect on our broker; those of the other databases have it on
// Apache Kafka.
func TestPostgresEqualsDebezium(t *testing.T) {
	t.Parallel()
	ComparePostgres(t, StartReferenceInProcess(t), NewDirect(postgres.Connector{}), PostgresKnown)
}
