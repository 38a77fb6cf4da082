package hotel_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/examples/hotel"
	"github.com/pabal-dev/pabal/examples/service"
)

// TestHelp: ports, groups, topics and settings are those that people expect.
func TestHelp(t *testing.T) {
	for name, says := range map[string][]string{
		"reservation": {"127.0.0.1:8106", "sqlite:reservation.db", `"reservation-transaction-result-group"`, `--topic-room-reserve="room-reserve"`, "$RESERVATION_TOPIC_ROOM_CANCEL", "--reserve-timeout=1m", "--cancel-timeout=1m"},
		"room":        {"127.0.0.1:8107", "sqlite:room.db", `"reservation-group"`, `--topic-reservation-transaction-result="reservation-transaction-result"`, "$ROOM_DATABASE"},
	} {
		var stdout, stderr strings.Builder
		code := hotel.System().Command(t.Context(), name, []string{"--help"}, &stdout, &stderr)
		if code != service.ExitOK || stderr.Len() > 0 {
			t.Errorf("%s: exit %d, %s", name, code, &stderr)
		}
		for _, want := range says {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%s --help does not say %s:\n%s", name, want, &stdout)
			}
		}
	}
}
