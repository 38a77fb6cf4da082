package debezium

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/mongodb"
	"github.com/pabal-dev/pabal/internal/testenv"
)

func TestMongoDBReferenceEqualsItself(t *testing.T) {
	testenv.Full(t)
	CompareMongoDB(t, StartReference(t), StartReference(t))
}

func TestMongoDBEqualsDebezium(t *testing.T) {
	t.Parallel()
	CompareMongoDB(t, StartReference(t), NewDirect(mongodb.Source{}))
}
