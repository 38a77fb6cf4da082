package postgres_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/storagetest"
)

// TestSlicesBehindAPooler that knows no prepared statements. TestConformance has
// the other way, through storage.Any.
func TestSlicesBehindAPooler(t *testing.T) {
	url := testenv.Postgres(t) + "&default_query_exec_mode=simple_protocol"
	n := 0
	storagetest.Slices(t, func(t *testing.T) storagetest.JournalDB[*postgres.Tx] {
		n++
		return open(t, url, postgres.Config{Schema: fmt.Sprintf(`Jour-nal "%d", o'clock\ 주문`, n)})
	})
}
