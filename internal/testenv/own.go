package testenv

import (
	"errors"
	"os"
	"testing"

	"github.com/pabal-dev/pabal/internal/testservers"
)

// own ties a server to the test that started it.
func own(t testing.TB, part, what string, s *testservers.Server, err error) *testservers.Server {
	t.Helper()
	if errors.Is(err, testservers.ErrMissing) {
		missing(t, part, what, "run scripts/install-test-servers ("+err.Error()+")")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeOwn(t, s) })
	return s
}

func closeOwn(t testing.TB, s *testservers.Server) {
	if t.Failed() {
		logTail(t, s)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// logTail shows what the server had to say about a test that failed.
func logTail(t testing.TB, s *testservers.Server) {
	const most = 4000
	data, err := os.ReadFile(s.LogFile)
	if err != nil {
		t.Log(err)
		return
	}
	t.Logf("the end of the log of %s at %s:\n%s", s.Name, s.Addr, data[max(0, len(data)-most):])
}
