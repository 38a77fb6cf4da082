package outbox

import (
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	termBackoff.Max = 200 * time.Millisecond // failures come thick and fast here
	os.Exit(m.Run())
}
