package testenv

import (
	"os"
	"testing"

	"github.com/pabal-dev/pabal/internal/testservers"
)

// MemoryDir is a folder for this test that has no disk below where that is possible, so that
// fsync costs nothing. It is for tests that kill processes, not machines.
func MemoryDir(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp(testservers.Memory(), "pabal-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}
