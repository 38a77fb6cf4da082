package debezium

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestPostgresReferenceEqualsItself: what two runs of the real one do not agree on, nobody
// can be held to.
func TestPostgresReferenceEqualsItself(t *testing.T) {
	testenv.Full(t)
	ComparePostgres(t, StartReference(t), StartReference(t), nil)
}

func TestPostgresEqualsDebezium(t *testing.T) {
	t.Parallel()
	ComparePostgres(t, StartReference(t), NewDirect(postgres.Connector{}), PostgresKnown)
}
