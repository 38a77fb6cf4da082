package postgres_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/connect/internal/sourcetest"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// TestKeylessTableInterrupted: of a table without a primary key an interrupted snapshot reads all rows again,
// and leaves out none.
func TestKeylessTableInterrupted(t *testing.T) {
	s := newSource(t)
	sourcetest.KeylessInterrupted(t, func(at map[string]any) *sourcetest.Reader { return s.open(at).Reader }, s.exec, func(r plugin.SourceRecord) string { return fmt.Sprint(plain(field(r, "after", "v"))) })
}
