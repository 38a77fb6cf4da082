package mysql

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
)

func TestLogOf(t *testing.T) {
	files := []logFile{{"b.000003", 100}, {"b.000004", 1000}, {"b.000005", 50}}
	now := time.Unix(100_000, 0)
	for _, c := range []struct {
		at    *position
		kept  int64
		state plugin.LogState
		files int
		bytes int64
	}{
		{nil, 0, "", -1, -1},
		{&position{place: place{"b.000002", 4}, seconds: 1}, 0, plugin.LogLost, -1, -1},
		{&position{place: place{"b.000005", 50}, seconds: 1}, 10, plugin.LogKept, 0, 0},
		{&position{place: place{"b.000005", 20}, seconds: 1}, 10, plugin.LogKept, 0, 30},
		{&position{place: place{"b.000003", 90}, seconds: 99_990}, 0, plugin.LogKept, 2, 1060},
		{&position{place: place{"b.000003", 90}, seconds: 99_990}, 10, plugin.LogExpiring, 2, 1060},
		{&position{place: place{"b.000004", 4}, seconds: 99_990}, 100, plugin.LogKept, 1, 1046},
	} {
		got := logOf(files, c.at, c.kept, now)
		if got.State != c.state || got.BehindFiles != c.files || got.BehindBytes != c.bytes || got.First != "b.000003" || got.Last != "b.000005" {
			t.Errorf("at %+v: %+v", c.at, got)
		}
	}
}
