package outbox

import "testing"

// TestWhenThereAreNoRows: only a connector that reads this outbox lets rows go, and what may have lost
// messages brings them back.
func TestWhenThereAreNoRows(t *testing.T) {
	reads := Capture{Slot: true, Published: true, Messages: true, Reader: "1"}
	waits := reads
	waits.IDs = []int64{1}
	for name, c := range map[string]struct {
		way  Way
		look Capture
		want Way
	}{
		"it reads":                      {ByCapture, reads, ByMessage},
		"it reads, rows are left":       {ByCapture, waits, ByMessage},
		"rows wait for others":          {Waiting, waits, Waiting},
		"rows wait for none":            {Waiting, reads, ByMessage},
		"a relay publishes":             {ByRelay, reads, ByRelay},
		"there is no slot":              {ByCapture, Capture{}, ByCapture},
		"nobody reads":                  {ByCapture, Capture{Slot: true}, ByCapture},
		"it reads something else":       {ByCapture, Capture{Slot: true, Reader: "1"}, ByCapture},
		"nobody sees what it reads":     {ByCapture, Capture{Slot: true, Reader: "1", Hidden: true}, ByCapture},
		"it reads no messages":          {ByCapture, Capture{Slot: true, Published: true, Reader: "1"}, ByCapture},
		"another one reads none":        {ByMessage, Capture{Slot: true, Published: true, Reader: "2"}, ByCapture},
		"still reads":                   {ByMessage, reads, ByMessage},
		"reads no more":                 {ByMessage, Capture{Slot: true}, ByMessage},
		"the slot is gone":              {ByMessage, Capture{}, ByCapture},
		"the slot is another's":         {ByMessage, Capture{Slot: true, Reader: "2"}, ByCapture},
		"the slot is of another plugin": {ByMessage, Capture{Slot: true, Wrong: "why"}, ByCapture},
		"it is not seen any more":       {ByMessage, Capture{Slot: true, Reader: "2", Hidden: true}, ByMessage},
	} {
		if got := (&rowless{wanted: true}).to(c.way, c.look); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
