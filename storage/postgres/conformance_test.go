package postgres_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/storagetest"
)

// TestConformance uses odd schemas of one database: nothing depends on the
// search path, on a name that needs no quotes, or on being alone.
func TestConformance(t *testing.T) {
	url := testenv.Postgres(t)
	n := 0
	storagetest.Run(t, func(t *testing.T) storage.DB {
		n++
		return storage.Any(open(t, url, postgres.Config{Schema: fmt.Sprintf(`Ord-ers "%d", o'clock\ 주문`, n)}))
	})
}
