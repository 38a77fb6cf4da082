package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestOutboxMoveOfNothing: a wrong place is refused, and no outbox is made there.
func TestOutboxMoveOfNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nothing.db")
	r := pabal(t, "outbox", "move", "--to=cdc", "--database=sqlite:"+file)
	if r.code != exitUsage || !strings.Contains(r.stderr, "PostgreSQL only") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a database was made")
	}
	database := testenv.Postgres(t)
	for range 2 {
		r = pabal(t, "outbox", "move", "--to=cdc", "--database="+database, "--schema=misspelt")
		if r.code == exitOK || !strings.Contains(r.stderr, `schema "misspelt"`) {
			t.Errorf("exit code %d: %s", r.code, r.stderr)
		}
		noSecret(t, database, r.stderr)
	}
}
