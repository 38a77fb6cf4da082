package debezium

import (
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestPostgresReferenceEqualsItself: what two runs of the real one do not agree on, nobody
// can be held to.
func TestPostgresReferenceEqualsItself(t *testing.T) {
	testenv.Full(t)
	ComparePostgres(t, StartReference(t), StartReference(t))
}
