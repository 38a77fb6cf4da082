package debezium

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/mysql"
	"github.com/pabal-dev/pabal/internal/testenv"
)

func TestMariaDBReferenceEqualsItself(t *testing.T) {
	testenv.Full(t)
	CompareMariaDB(t, StartReference(t), StartReference(t), nil)
}

func TestMariaDBEqualsDebezium(t *testing.T) {
	t.Parallel()
	CompareMariaDB(t, StartReference(t), NewDirect(mysql.MariaDB{}), MariaKnown)
}
