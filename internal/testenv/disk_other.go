//go:build !linux

package testenv

import "testing"

// SmallDisk skips the test: it needs Linux.
func SmallDisk(t testing.TB, _ int64) string {
	t.Helper()
	skip(t, "small disk", "run on Linux as root")
	return ""
}
