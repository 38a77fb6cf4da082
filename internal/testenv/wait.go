package testenv

import (
	"testing"
	"time"
)

// slack is for machines that are slow or shared. A test that passes does not wait for it.
const slack = 10

// Wait polls condition until it is true, and fails the test when that takes
// longer than timeout, which is for an idle machine, and then some; what completes
// "waited 5s for ...". Call it from the test's own goroutine.
func Wait(t testing.TB, what string, timeout time.Duration, condition func() bool) {
	t.Helper()
	timeout *= slack
	deadline := time.Now().Add(timeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", timeout, what)
		}
		<-tick.C
	}
}
