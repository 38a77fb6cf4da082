package lens

import (
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/outbox"
)

// TestPublishTimeOfALateReader: an event that the index read late was published when
// its row in the history says, and not before it was made.
func TestPublishTimeOfALateReader(t *testing.T) {
	for name, tt := range map[string]struct {
		published int // ms; 0: there is no row
		want      int64
	}{
		"nobody knows":                 {0, -1},
		"the history knows":            {23, 3000},
		"the row is older than itself": {10, 1},
	} {
		s := healthy()
		for i := range s.entries {
			if s.entries[i].id == "e2" {
				s.entries[i].seen = 0
			}
		}
		delete(s.of("order").marks, "e2")
		if tt.published > 0 {
			s.rows = append(s.rows, rowFact{"payment", outbox.StoredRow{
				ID: 7, Status: outbox.Completed, Topic: response, EventID: "e2", CorrelationID: "e1", CausationID: "e1", EnqueuedAt: at(20), PublishedAt: at(tt.published),
			}})
		}
		trace, _ := draw(s.facts, at(1000))
		found := false
		for _, h := range trace.Hops {
			if h.Kind == api.HopOutbox && h.Event != nil && h.Event.ID == "e2" {
				found = true
				if h.LatencyMicros != tt.want {
					t.Errorf("%s: the row took %d µs, want %d", name, h.LatencyMicros, tt.want)
				}
			}
		}
		if !found {
			t.Errorf("%s: no outbox hop of e2:\n%s", name, picture(trace))
		}
	}
}
