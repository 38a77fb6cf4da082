package sagatest

import (
	"errors"
	"runtime"
	"testing"
)

// Check explores the model (see Explore) and fails the test where a schedule violates an
// invariant: it shows a shortest one in words, and as a Go test that repeats it.
func Check[W, S any](t testing.TB, m Model[W, S]) Report {
	t.Helper()
	report, err := Explore(m)
	var failure *Failure
	if errors.As(err, &failure) {
		_, file, line, _ := runtime.Caller(1)
		t.Fatalf("%v\n\nThis test repeats it:\n\n%s", err, failure.Test(t.Name(), callAt(file, line)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return report
}
