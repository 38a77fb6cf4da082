package testenv

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// programLimit is how long a program may run.
const programLimit = 3 * time.Minute

// Output runs a program and returns what it prints; the test fails where the program does.
func Output(t testing.TB, name string, args ...string) string {
	t.Helper()
	return OutputOf(t, "", name, args...)
}

// OutputOf is Output of a program that reads stdin.
func OutputOf(t testing.TB, stdin, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), programLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, out, problems.String())
	}
	return string(out)
}
